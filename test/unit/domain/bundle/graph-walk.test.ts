import { describe, expect, test } from 'vitest';
import { graph, model, node, tensor, valueInfo, type OnnxModel } from '#domain/onnx/index.ts';
import { plainFiles, signedFolder, writeFolder } from '../../../support/bundles.ts';
import { pass, rulesOf } from '../../../support/gate.ts';
import { bytesOf, endlessModel, matrixModel, zipMapModel } from '../../../support/onnx-models.ts';
import { temporaryFolder } from '../../../support/vaults.ts';

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

  test('a description that is no UTF-8 is refused, and not read as something else', async () => {
    const text = Buffer.from(plainFiles['pipeline.json'] ?? '');
    const at = text.indexOf('"a"') + 1;
    for (const broken of [
      Buffer.from(text).fill(0xff, at, at + 1),
      Buffer.from(`\uFEFF${text.toString()}`),
    ]) {
      const dir = await signedFolder(temporaryFolder(), { ...plainFiles, 'pipeline.json': broken });
      expect(rulesOf(await pass(dir))).toEqual(['SR-BUNDLE-004']);
    }
  });

  test('descriptions that do not follow their schema are refused; code beside the model is pointed out', async () => {
    const dir = await signedFolder(temporaryFolder(), {
      ...plainFiles,
      'pipeline.json': '{"schemaVersion":2,"steps":[{"step":"clip","columns":{"a":{"min":"1"}}}]}',
      'run.py': 'import os',
      'w.pkl': '\u0080\u0004',
    });
    const result = await pass(dir);
    expect(rulesOf(result)).toEqual(['SR-BUNDLE-004']);
    expect(result.report.findings[0]?.message).toBe(
      'It does not follow its schema, at steps[0].columns.a.min (see the bundle format).',
    );
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
