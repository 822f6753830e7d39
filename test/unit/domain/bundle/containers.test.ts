import { mkfifoSync } from './mkfifo.ts';
import { readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  plainFiles,
  signedFiles,
  tarEntries,
  writeFolder,
  writeTar,
  writeZip,
  zipEntries,
  type Files,
} from '../../../support/bundles.ts';
import { directoryFiles } from '#domain/bundle/containers/directory.ts';
import { pass, rulesOf } from '../../../support/gate.ts';
import { bytesOf, matrixModel } from '../../../support/onnx-models.ts';
import { temporaryFolder } from '../../../support/vaults.ts';

describe('containers', () => {
  test('the same files give the same verdict and digest in every container', async () => {
    const dir = join(temporaryFolder(), 'maker');
    const files = await signedFiles(dir);
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
    const read = async (dir: string, mostNames?: number): Promise<number> => {
      let files = 0;
      for await (const { content } of directoryFiles(dir, mostNames)) {
        for await (const _chunk of content);
        files += 1;
      }
      return files;
    };
    const flat = writeFolder(temporaryFolder(), { a: '', b: '', c: '', d: '' });
    const deep = writeFolder(temporaryFolder(), { 'a/b/c/d': '' });
    for (const dir of [flat, deep]) {
      expect(await read(dir, 4)).toBe(dir === flat ? 4 : 1);
      await expect(read(dir, 3)).rejects.toMatchObject({ ruleId: 'SR-LIMIT-001' });
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
