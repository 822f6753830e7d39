import { mkfifoSync } from './mkfifo.ts';
import { sign } from 'node:crypto';
import {
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { preAuthenticationEncoding } from '#platform/dsse.ts';
import { graph, model, node, tensor, valueInfo, type OnnxModel } from '#domain/onnx/index.ts';
import {
  plainFiles,
  signedFolder,
  signingKey,
  tarEntries,
  writeFolder,
  writeTar,
  writeZip,
  zipEntries,
  type Files,
} from '../../../support/bundles.ts';
import { pass, rulesOf } from '../../../support/gate.ts';
import { bytesOf, endlessModel, matrixModel, zipMapModel } from '../../../support/onnx-models.ts';
import { temporaryFolder } from '../../../support/vaults.ts';

describe('containers', () => {
  test('the same files give the same verdict and digest in every container', async () => {
    const dir = await signedFolder(join(temporaryFolder(), 'maker'));
    const names = [...Object.keys(plainFiles), 'model.sig'];
    const files: Files = Object.fromEntries(
      await Promise.all(
        names.map(async (name) => [name, await readFile(join(dir, name))] as const),
      ),
    );
    const nested: Files = Object.fromEntries(
      Object.entries(files).map(([name, content]) => [`credit/${name}`, content]),
    );
    const out = temporaryFolder();
    const paths = [
      dir,
      await writeZip(join(out, 'a.zip'), zipEntries(files)),
      await writeTar(join(out, 'a.tar'), tarEntries(nested)),
      await writeTar(join(out, 'a.tar.gz'), tarEntries(files), true),
      await writeTar(join(out, 'without-extension'), tarEntries(files), true),
    ];
    const results = await Promise.all(paths.map((path) => pass(path)));
    for (const result of results) {
      expect(result.report).toMatchObject({
        verdict: 'accept',
        signature: { status: 'verified', signer: 'Model maker' },
        manifestDigest: results[0]?.report.manifestDigest,
      });
      expect(result.report.files.map(({ path }) => path)).toEqual([
        'docs/notes.txt',
        'model.onnx',
        'pipeline.json',
      ]);
      expect(result.report.model).toMatchObject({
        path: 'model.onnx',
        inputs: [{ name: 'features', type: 'float', shape: ['N', 2] }],
      });
      expect(result.refusal).toBeUndefined();
      expect(result.files.map(({ stored, sha256 }) => stored.sha256 === sha256)).toEqual([
        true,
        true,
        true,
        true,
      ]);
    }
    expect(results.map(({ report }) => report.format)).toEqual([
      'directory',
      'zip',
      'tar',
      'tar.gz',
      'tar.gz',
    ]);
  });

  test('a bare model is read, and refused because nobody signed it', async () => {
    const path = join(temporaryFolder(), 'plain.onnx');
    writeFileSync(path, bytesOf(matrixModel()));
    const result = await pass(path);
    expect(result.report).toMatchObject({
      name: 'plain',
      format: 'onnx',
      verdict: 'refuse',
      overridable: true,
      signature: { status: 'absent' },
    });
    expect(result.refusal).toMatchObject({ code: 'refused' });
  });

  test('a file that is no model is refused as corrupt, and no override helps', async () => {
    const path = join(temporaryFolder(), 'invoice.onnx');
    writeFileSync(path, 'Dear sir or madam, please find attached');
    const result = await pass(path);
    expect(rulesOf(result)).toContain('SR-ONNX-001');
    expect(result.report.overridable).toBe(false);
    expect(result.refusal).toMatchObject({ code: 'corrupt' });
    for (const name of ['notes.txt', 'empty.onnx']) {
      writeFileSync(join(temporaryFolder(), name), '');
    }
  });

  test.each(['.zip', '.tar', '.tar.gz'])(
    'a truncated %s is corrupt at every length',
    async (extension) => {
      const path = join(temporaryFolder(), `bundle${extension}`);
      const content = {
        'model.onnx': bytesOf(matrixModel()),
        'noise.bin': Buffer.from(Array.from({ length: 3000 }, (_, at) => (at * 7919) % 251)),
      };
      if (extension === '.zip') await writeZip(path, zipEntries(content));
      else await writeTar(path, tarEntries(content), extension === '.tar.gz');
      const { size } = await stat(path);
      const whole = readFileSync(path);
      // The two zero blocks at the end of a tar may go missing without loss.
      const cuts = [0.05, 0.3, 0.6, 0.8].map((share) =>
        Math.floor(size * share * (extension === '.tar' ? 0.75 : 1)),
      );
      for (const length of cuts) {
        writeFileSync(path, whole);
        truncateSync(path, length);
        const { report, refusal } = await pass(path);
        expect(report.findings, `${length} of ${size}`).toMatchObject([
          { ruleId: 'SR-BUNDLE-006' },
        ]);
        expect(refusal).toMatchObject({ code: 'corrupt' });
      }
    },
  );

  const escapes: readonly [string, (dir: string) => Promise<string>, string][] = [
    [
      'a tar entry above the bundle',
      (dir) => writeTar(join(dir, 'x.tar'), [{ name: '../../etc/passwd', content: 'x' }]),
      'SR-PATH-001',
    ],
    [
      'an absolute tar entry',
      (dir) => writeTar(join(dir, 'x.tar'), [{ name: '/etc/passwd', content: 'x' }]),
      'SR-PATH-001',
    ],
    [
      'a Windows path',
      (dir) => writeTar(join(dir, 'x.tar'), [{ name: 'C:\\x', content: 'x' }]),
      'SR-PATH-001',
    ],
    [
      'a control character',
      (dir) => writeTar(join(dir, 'x.tar'), [{ name: 'a\u001b[31mb', content: 'x' }]),
      'SR-PATH-001',
    ],
    [
      'a folder above the bundle',
      (dir) => writeTar(join(dir, 'x.tar'), [{ name: '../x', type: 'directory' }]),
      'SR-PATH-001',
    ],
    [
      'a symbolic link',
      (dir) =>
        writeTar(join(dir, 'x.tar'), [
          { name: 'model.onnx', type: 'symlink', linkname: '/etc/passwd' },
        ]),
      'SR-PATH-002',
    ],
    [
      'a hard link',
      (dir) =>
        writeTar(join(dir, 'x.tar'), [
          { name: 'model.onnx', type: 'link', linkname: '/etc/passwd' },
        ]),
      'SR-PATH-002',
    ],
    [
      'a device',
      (dir) => writeTar(join(dir, 'x.tar'), [{ name: 'model.onnx', type: 'character-device' }]),
      'SR-PATH-002',
    ],
    [
      'two names that differ in case',
      (dir) =>
        writeTar(join(dir, 'x.tar'), [
          { name: 'Model.onnx', content: 'x' },
          { name: 'model.ONNX', content: 'y' },
        ]),
      'SR-PATH-003',
    ],
    [
      'a zip link',
      (dir) =>
        writeZip(join(dir, 'x.zip'), [
          { name: 'model.onnx', content: '/etc/passwd', mode: 0o120777 },
        ]),
      'SR-PATH-002',
    ],
    [
      'a zip bomb',
      (dir) =>
        writeZip(join(dir, 'x.zip'), [{ name: 'model.onnx', content: Buffer.alloc(40_000_000) }]),
      'SR-LIMIT-001',
    ],
    [
      'a zip bomb in many parts',
      (dir) =>
        writeZip(
          join(dir, 'x.zip'),
          Array.from({ length: 40 }, (_, at) => ({
            name: `part-${at}`,
            content: Buffer.alloc(8_000_000),
          })),
        ),
      'SR-LIMIT-001',
    ],
    [
      'a file that is a folder too',
      (dir) =>
        writeZip(join(dir, 'x.zip'), [
          { name: 'model.onnx', content: 'x' },
          { name: 'aa', content: 'x' },
          { name: 'aa/b', content: 'y' },
        ]),
      'SR-PATH-003',
    ],
    [
      'two names that are one in upper case',
      (dir) =>
        writeTar(join(dir, 'x.tar'), [
          { name: 'straße.txt', content: 'x' },
          { name: 'STRASSE.txt', content: 'y' },
        ]),
      'SR-PATH-003',
    ],
    [
      'a gzip bomb',
      (dir) =>
        writeTar(
          join(dir, 'x.tar.gz'),
          [{ name: 'model.onnx', content: Buffer.alloc(60_000_000) }],
          true,
        ),
      'SR-LIMIT-001',
    ],
    [
      'a path without end',
      (dir) => writeTar(join(dir, 'x.tar'), [{ name: 'a/'.repeat(40) + 'b', content: 'x' }]),
      'SR-LIMIT-001',
    ],
  ];
  test.each(escapes)('%s is refused and cannot be overridden', async (_what, make, ruleId) => {
    const result = await pass(await make(temporaryFolder()));
    expect(rulesOf(result)).toContain(ruleId);
    expect(result.report).toMatchObject({ verdict: 'refuse', overridable: false });
    expect(result.refusal?.code).toBe(ruleId === 'SR-LIMIT-001' ? 'limit' : 'refused');
  });

  test('an entry for the folder itself, as `tar -C FOLDER -cf FILE .` writes it, is no way out', async () => {
    for (const top of ['.', './']) {
      const folder = { name: top, content: '', type: 'directory' as const };
      const entries = [folder, ...tarEntries({ './model.onnx': bytesOf(matrixModel()) })];
      const path = await writeTar(join(temporaryFolder(), 'a.tar'), entries);
      expect(rulesOf(await pass(path))).toEqual(['SR-SIG-001']);
    }
  });

  test('a zip of another compression is called that, and not damaged', async () => {
    const path = await writeZip(join(temporaryFolder(), 'a.zip'), zipEntries(plainFiles));
    const bytes = readFileSync(path);
    const central = bytes.indexOf(Buffer.from('PK\u0001\u0002'));
    bytes.writeUInt16LE(12, central + 10);
    writeFileSync(path, bytes);
    const result = await pass(path);
    expect(rulesOf(result)).toEqual(['SR-BUNDLE-007']);
    expect(result.refusal?.code).toBe('unsupported');
  });

  test('a zip entry above the bundle is refused', async () => {
    const path = await writeZip(join(temporaryFolder(), 'x.zip'), [
      { name: 'aa/aa/passwd', content: 'x' },
    ]);
    const bytes = readFileSync(path);
    for (let at = bytes.indexOf('aa/aa/'); at >= 0; at = bytes.indexOf('aa/aa/', at))
      bytes.write('../../', at);
    writeFileSync(path, bytes);
    expect(rulesOf(await pass(path))).toContain('SR-PATH-001');
  });

  test('an encrypted zip is refused; one with a wrong checksum is damaged', async () => {
    const path = await writeZip(join(temporaryFolder(), 'x.zip'), [
      { name: 'model.onnx', content: 'some bytes that are no model' },
    ]);
    const bytes = readFileSync(path);
    const central = bytes.indexOf('PK\u0001\u0002');
    const encrypted = Buffer.from(bytes);
    encrypted.writeUInt16LE(encrypted.readUInt16LE(central + 8) | 1, central + 8);
    writeFileSync(path, encrypted);
    const result = await pass(path);
    expect(rulesOf(result)).toEqual(['SR-BUNDLE-005']);
    expect(result.refusal?.code).toBe('refused');
    const wrong = Buffer.from(bytes);
    wrong.writeUInt32LE(1, central + 16);
    writeFileSync(path, wrong);
    expect(rulesOf(await pass(path))).toEqual(['SR-BUNDLE-006']);
  });

  test('links and pipes in a folder are refused without being followed', async () => {
    for (const add of [
      (dir: string) => symlinkSync('/etc/passwd', join(dir, 'weights.bin')),
      (dir: string) => symlinkSync('/etc', join(dir, 'more')),
      (dir: string) => mkfifoSync(join(dir, 'pipe')),
    ]) {
      const dir = writeFolder(temporaryFolder());
      add(dir);
      expect(rulesOf(await pass(dir))).toContain('SR-PATH-002');
    }
  });

  test('folders without end, and names without end in one, are refused', async () => {
    for (const name of [(at: number) => `a${at}`, (at: number) => `a${at % 150}/b${at}`]) {
      const dir = temporaryFolder();
      for (let at = 0; at <= 20_000; at += 1) mkdirSync(join(dir, name(at)), { recursive: true });
      expect(rulesOf(await pass(dir))).toEqual(['SR-LIMIT-001']);
    }
  });

  test('random bytes never do more than be refused', async () => {
    const dir = temporaryFolder();
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 400 }),
        fc.constantFrom('x.zip', 'x.tar', 'x.tar.gz', 'x.onnx'),
        fc.constantFrom('', 'PK\u0003\u0004', '\u001f\u008b'),
        async (noise, name, magic) => {
          writeFileSync(join(dir, name), Buffer.concat([Buffer.from(magic, 'latin1'), noise]));
          expect((await pass(join(dir, name))).report.verdict).toBe('refuse');
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('signatures', () => {
  const changes: readonly [string, (dir: string) => void, string][] = [
    ['a changed byte', (dir) => writeFileSync(join(dir, 'docs/notes.txt'), 'read mE'), 'invalid'],
    ['a file more', (dir) => writeFileSync(join(dir, 'extra.txt'), 'x'), 'invalid'],
    ['a file less', (dir) => rmSync(join(dir, 'docs/notes.txt')), 'invalid'],
    [
      'a file by another name',
      (dir) => renameSync(join(dir, 'docs/notes.txt'), join(dir, 'docs/note.txt')),
      'invalid',
    ],
    ['no signature', (dir) => rmSync(join(dir, 'model.sig')), 'absent'],
    ['a signature that is no JSON', (dir) => writeFileSync(join(dir, 'model.sig'), '{'), 'invalid'],
  ];
  test.each(changes)('%s', async (_what, change, status) => {
    const dir = await signedFolder(temporaryFolder());
    change(dir);
    const result = await pass(dir);
    expect(result.report).toMatchObject({ verdict: 'refuse', signature: { status } });
    expect(result.refusal?.code).toBe(status === 'invalid' ? 'tampered' : 'refused');
  });

  test('what the signature leaves out describes nothing', async () => {
    const dir = await signedFolder(temporaryFolder(), {
      'model.onnx': plainFiles['model.onnx'] ?? '',
    });
    const signature = JSON.parse(readFileSync(join(dir, 'model.sig'), 'utf8')) as {
      dsseEnvelope: { payload: string; payloadType: string; signatures: { sig: string }[] };
    };
    const envelope = signature.dsseEnvelope;
    const statement = JSON.parse(Buffer.from(envelope.payload, 'base64').toString()) as {
      predicate: { serialization: { ignore_paths: string[] } };
    };
    statement.predicate.serialization.ignore_paths = ['pipeline.json', 'bom.cdx.json'];
    const payload = Buffer.from(JSON.stringify(statement));
    envelope.payload = payload.toString('base64');
    const message = preAuthenticationEncoding(envelope.payloadType, payload);
    envelope.signatures = [
      { sig: sign('sha256', message, signingKey.privatePem).toString('base64') },
    ];
    writeFileSync(join(dir, 'model.sig'), JSON.stringify(signature));
    writeFolder(dir, {
      'pipeline.json': JSON.stringify({ schemaVersion: 1, columns: [], model: 'other.onnx' }),
      'bom.cdx.json': JSON.stringify({
        bomFormat: 'CycloneDX',
        metadata: { component: { type: 'machine-learning-model', name: 'Mallory' } },
      }),
    });
    const { report, pipeline } = await pass(dir);
    expect(report).toMatchObject({
      verdict: 'accept',
      card: null,
      signature: { status: 'verified' },
    });
    expect(pipeline).toBeUndefined();
  });

  test('an unknown key is untrusted; files of git are outside and are not taken in', async () => {
    const dir = await signedFolder(temporaryFolder());
    mkdirSync(join(dir, '.git'));
    writeFileSync(join(dir, '.git', 'config'), 'x');
    expect((await pass(dir, [])).report).toMatchObject({
      verdict: 'refuse',
      overridable: true,
      signature: { status: 'untrusted', method: 'key' },
    });
    const result = await pass(dir);
    expect(result.report.verdict).toBe('accept');
    expect(result.files.map(({ path }) => path)).not.toContain('.git/config');
  });
});

describe('the walk over the graph', () => {
  const simple = (
    nodes: Parameters<typeof graph>[1]['nodes'],
    initializers: Parameters<typeof graph>[1]['initializers'] = [],
  ): OnnxModel =>
    model(
      graph('g', {
        nodes,
        inputs: [valueInfo('x', 'float', [null, 1])],
        outputs: [valueInfo('y', 'float', [null, 1])],
        initializers,
      }),
      { opsets: { '': 17 } },
    );
  const external = (location: string, length = 4) => ({
    name: 'w',
    dims: [1],
    dataType: 1,
    strings: [],
    externalData: [
      { key: 'location', value: location },
      { key: 'length', value: String(length) },
    ],
    dataLocation: 1,
  });
  const add = node('Add', { inputs: ['x', 'w'], outputs: ['y'] });
  const nested = (depth: number, inner: ReturnType<typeof node>): ReturnType<typeof node> =>
    depth === 0
      ? inner
      : node(
          'If',
          { inputs: ['c'], outputs: ['y'] },
          {
            then_branch: graph('t', { nodes: [nested(depth - 1, inner)], inputs: [], outputs: [] }),
          },
        );
  const recursive: OnnxModel = {
    ...simple([node('F', { inputs: ['x'], outputs: ['y'], domain: 'mine' })]),
    functions: [
      {
        name: 'F',
        domain: 'mine',
        inputs: ['x'],
        outputs: ['y'],
        nodes: [node('F', { inputs: ['x'], outputs: ['y'], domain: 'mine' })],
        opsetImports: [],
        attributes: [],
      },
    ],
  };
  const doubling: OnnxModel = {
    ...simple([node('F0', { inputs: ['x'], outputs: ['y'], domain: 'mine' })]),
    functions: Array.from({ length: 30 }, (_, at) => ({
      name: `F${at}`,
      domain: 'mine',
      inputs: ['x'],
      outputs: ['y'],
      opsetImports: [],
      attributes: [],
      nodes: [0, 1].map(() =>
        node(at === 29 ? 'Neg' : `F${at + 1}`, {
          inputs: ['x'],
          outputs: ['y'],
          ...(at === 29 ? {} : { domain: 'mine' }),
        }),
      ),
    })),
  };
  const withDefault = (attribute: {
    name: string;
    t?: ReturnType<typeof tensor>;
    g?: ReturnType<typeof graph>;
  }): OnnxModel => ({
    ...simple([node('F', { inputs: ['x'], outputs: ['y'], domain: 'mine' })]),
    functions: [
      {
        name: 'F',
        domain: 'mine',
        inputs: ['x'],
        outputs: ['y'],
        nodes: [node('Neg', { inputs: ['x'], outputs: ['y'] })],
        opsetImports: [],
        attributes: [
          {
            floats: [],
            ints: [],
            strings: [],
            tensors: [],
            graphs: [],
            sparseTensors: [],
            ...attribute,
          },
        ],
      },
    ],
  });
  const decoy = (opType: string): OnnxModel => ({
    ...simple([node(opType, { inputs: ['x'], outputs: ['y'], domain: 'com.microsoft' })]),
    functions: [
      {
        name: opType,
        domain: 'com.microsoft',
        inputs: ['x'],
        outputs: ['y'],
        nodes: [node('Neg', { inputs: ['x'], outputs: ['y'] })],
        opsetImports: [],
        attributes: [],
      },
    ],
  });
  const cases: readonly [string, OnnxModel, string][] = [
    [
      'an unknown domain',
      simple([node('Exec', { inputs: ['x'], outputs: ['y'], domain: 'evil.corp' })]),
      'SR-ONNX-002',
    ],
    [
      'a precompiled context in a subgraph',
      simple([
        nested(3, node('EPContext', { inputs: ['x'], outputs: ['y'], domain: 'com.microsoft' })),
      ]),
      'SR-ONNX-003',
    ],
    ['Python code', simple([node('PyOp', { inputs: ['x'], outputs: ['y'] })]), 'SR-ONNX-003'],
    ['weights above the bundle', simple([add], [external('../../etc/passwd')]), 'SR-ONNX-004'],
    ['weights at an absolute path', simple([add], [external('/etc/passwd')]), 'SR-ONNX-004'],
    ['weights that are not there', simple([add], [external('missing.bin')]), 'SR-ONNX-004'],
    ['weights in a signature', simple([add], [external('model.sig')]), 'SR-ONNX-004'],
    [
      'weights beyond the end of their file',
      simple([add], [external('docs/notes.txt', 4000)]),
      'SR-ONNX-005',
    ],
    [
      'a tensor of the wrong size',
      simple([add], [{ ...tensor('w', 'float', { dims: [1], data: [1] }), dims: [1000] }]),
      'SR-ONNX-005',
    ],
    [
      'too deep a graph',
      simple([nested(33, node('Neg', { inputs: ['x'], outputs: ['y'] }))]),
      'SR-ONNX-006',
    ],
    ['a function that calls itself', recursive, 'SR-ONNX-006'],
    [
      'weights above the bundle in the default of a function',
      withDefault({ name: 'w', t: external('../../etc/passwd') }),
      'SR-ONNX-004',
    ],
    [
      'a precompiled context in the default of a function',
      withDefault({
        name: 'branch',
        g: graph('b', {
          nodes: [node('EPContext', { inputs: ['x'], outputs: ['y'], domain: 'com.microsoft' })],
          inputs: [],
          outputs: [],
        }),
      }),
      'SR-ONNX-003',
    ],
    ['a precompiled context behind a function of its name', decoy('EPContext'), 'SR-ONNX-003'],
    ['a function in the place of an operator', decoy('Gelu'), 'SR-ONNX-011'],
    ['functions that unfold to 2^30 nodes', doubling, 'SR-ONNX-007'],
  ];
  test.each(cases)('%s is refused', async (_what, hostile, ruleId) => {
    const dir = await signedFolder(temporaryFolder(), {
      ...plainFiles,
      'model.onnx': bytesOf(hostile),
    });
    const result = await pass(dir);
    expect(rulesOf(result)).toContain(ruleId);
    expect(result.report.overridable).toBe(false);
  });

  test('nesting that the codec would choke on is refused, not crashed on', async () => {
    let bytes = Buffer.from([]);
    for (let depth = 0; depth < 3000; depth += 1)
      bytes = Buffer.concat([Buffer.from([0x32, ...varint(bytes.length)]), bytes]);
    const wrapped = Buffer.concat([Buffer.from([0x08, 9, 0x3a, ...varint(bytes.length)]), bytes]);
    expect(
      rulesOf(await pass(writeFolder(temporaryFolder(), { 'model.onnx': wrapped }))),
    ).toContain('SR-ONNX-001');
    expect(
      rulesOf(
        await pass(
          writeFolder(temporaryFolder(), {
            'model.onnx': Buffer.from('\u0000\u0000\u0000\u0000ORTM....'),
          }),
        ),
      ),
    ).toContain('SR-ONNX-001');
  });

  test('loops and rewritten outputs are noted, not refused', async () => {
    expect(
      rulesOf(
        await pass(
          await signedFolder(temporaryFolder(), { 'model.onnx': bytesOf(endlessModel()) }),
        ),
        'note',
      ),
    ).toContain('SR-ONNX-008');
    const zip = await pass(
      await signedFolder(temporaryFolder(), { 'model.onnx': bytesOf(zipMapModel()) }),
    );
    expect(rulesOf(zip, 'note')).toContain('SR-ONNX-009');
    expect(zip.report.verdict).toBe('accept');
  });

  test('weights in a file of the bundle are fine', async () => {
    const dir = await signedFolder(temporaryFolder(), {
      'model.onnx': bytesOf(simple([add], [external('w.bin')])),
      'w.bin': Buffer.alloc(4),
    });
    expect((await pass(dir)).report.verdict).toBe('accept');
  });

  test('descriptions that do not follow their schema are refused; code beside the model is pointed out', async () => {
    const dir = await signedFolder(temporaryFolder(), {
      ...plainFiles,
      'pipeline.json': '{"schemaVersion":1}',
      'run.py': 'import os',
      'w.pkl': '\u0080\u0004',
    });
    const result = await pass(dir);
    expect(rulesOf(result)).toEqual(['SR-BUNDLE-004']);
    expect(rulesOf(result, 'warning')).toEqual(['SR-BUNDLE-003', 'SR-BUNDLE-003']);
    const two = await pass(
      await signedFolder(temporaryFolder(), {
        'a.onnx': bytesOf(matrixModel()),
        'b.onnx': bytesOf(matrixModel()),
      }),
    );
    expect(rulesOf(two)).toContain('SR-BUNDLE-002');
    expect(rulesOf(await pass(await signedFolder(temporaryFolder(), { 'a.txt': 'x' })))).toContain(
      'SR-BUNDLE-001',
    );
  });
});

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}
