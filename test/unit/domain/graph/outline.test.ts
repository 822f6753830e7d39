import { existsSync, globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { outline as outlineSchema } from '#domain/graph/answer.ts';
import { readOutline } from '#domain/graph/index.ts';
import { outlineOf } from '#domain/graph/outline.ts';
import { inferOutputs } from '#domain/graph/shapes/infer.ts';
import { knownTensor, knownType, unknown, type Known } from '#domain/graph/shapes/known.ts';
import {
  graph,
  model,
  node,
  parseModel,
  tensor,
  valueInfo,
  writeModel,
  type OnnxModel,
} from '#domain/onnx/index.ts';
import {
  branchingModel,
  chainModel,
  residualModel,
  transformerModel,
} from '../../../support/graph-models.ts';
import { matrixModel, zipMapModel } from '../../../support/onnx-models.ts';

/** Debian's package libonnx-testdata: a model for each operator, which declares what comes out. */
const debianData = '/usr/share/libonnx-testdata/data';

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000);
}
const view = (made: OnnxModel) => outlineOf(made, 'view');
const main = (made: OnnxModel) => view(made).parts[0] ?? { nodes: [], edges: [] };
const shapesIn = (made: OnnxModel): Record<string, string> =>
  Object.fromEntries(
    main(made).nodes.flatMap(({ outputs }) =>
      outputs.map(({ name, type, shape, from }) => [
        name,
        `${type} ${shape?.map((size) => size ?? '?').join('×') ?? 'unknown'} ${from}`,
      ]),
    ),
  );

describe('shapes that the file does not tell', () => {
  test('are followed through a residual network', () => {
    expect(shapesIn(residualModel())).toMatchObject({
      image: 'float batch×3×32×32 file',
      stem: 'float batch×8×32×32 inferred',
      block0: 'float batch×8×16×16 inferred',
      'block3.sum': 'float batch×8×16×16 inferred',
      pooled: 'float batch×8×1×1 inferred',
      flat: 'float batch×8 inferred',
      probabilities: 'float batch×10 file',
    });
  });

  test('are followed through attention, with the names of open sizes', () => {
    expect(shapesIn(transformerModel())).toMatchObject({
      h0: 'float batch×sequence×16 inferred',
      'layer0.k.heads': 'float batch×4×4×sequence inferred',
      'layer1.scores': 'float batch×4×sequence×sequence inferred',
      'layer1.flat': 'float batch×sequence×16 inferred',
      'layer1.up': 'float batch×sequence×64 inferred',
    });
  });

  test('that are computed in the graph are computed, and what nobody knows stays unknown', () => {
    const made = model(
      graph('computed', {
        nodes: [
          node('Shape', { inputs: ['x'], outputs: ['sizes'] }),
          node('Gather', { inputs: ['sizes', 'first'], outputs: ['rows'] }),
          node('Concat', { inputs: ['rows', 'rest'], outputs: ['target'] }, { axis: 0n }),
          node('Reshape', { inputs: ['x', 'target'], outputs: ['flat'] }),
          node('Unfold', { inputs: ['flat'], outputs: ['strange'], domain: 'com.microsoft' }),
          node('Relu', { inputs: ['strange'], outputs: ['y'] }),
        ],
        inputs: [valueInfo('x', 'float', ['N', 3, 4])],
        outputs: [valueInfo('y', 'float', [null, null])],
        initializers: [
          tensor('first', 'int64', { dims: [1], data: [0n] }),
          tensor('rest', 'int64', { dims: [1], data: [-1n] }),
        ],
      }),
      { opsets: { '': 17 } },
    );
    expect(shapesIn(made)).toMatchObject({
      target: 'int64 2 inferred',
      flat: 'float N×12 inferred',
      strange: ' unknown unknown',
      y: 'float ?×? file',
    });
  });

  test.skipIf(!existsSync(debianData))(
    'never contradict what the published test models of each operator declare',
    () => {
      let told = 0;
      const contradictions: string[] = [];
      for (const path of globSync(`${debianData}/**/model.onnx`)) {
        const { graph: tested } = parseModel(readFileSync(path));
        const values = new Map<string, Known>();
        for (const value of tested?.inputs ?? [])
          values.set(value.name ?? '', knownType(value.type));
        for (const one of tested?.initializers ?? []) values.set(one.name ?? '', knownTensor(one));
        for (const one of tested?.nodes ?? []) {
          const results = inferOutputs(
            one,
            one.inputs.map((name) => values.get(name) ?? unknown),
          );
          for (const [at, name] of one.outputs.entries()) values.set(name, results[at] ?? unknown);
        }
        for (const { name = '', type } of tested?.outputs ?? []) {
          const [declared, inferred] = [knownType(type), values.get(name) ?? unknown];
          if (inferred.type !== '' && inferred.shape !== null) told += 1;
          const agrees =
            (inferred.type === '' || inferred.type === declared.type) &&
            (inferred.shape === null ||
              declared.shape === null ||
              (inferred.shape.length === declared.shape.length &&
                inferred.shape.every((size, at) => {
                  const other = declared.shape?.[at];
                  return typeof size !== 'number' || typeof other !== 'number' || size === other;
                })));
          if (!agrees) contradictions.push(`${path}: ${JSON.stringify([inferred, declared])}`);
        }
      }
      expect(contradictions).toEqual([]);
      expect(told).toBeGreaterThan(900);
    },
  );
});

describe('the outline of a model', () => {
  test('has every node and edge, with weights as part of what uses them', () => {
    const { nodes, edges } = main(matrixModel());
    expect(nodes.map(({ kind, op, note }) => [kind, op, note])).toEqual([
      ['input', 'features', 'float N×2'],
      ['operator', 'Gemm', '2×1 +1'],
      ['output', 'score', 'float N×1'],
    ]);
    expect(nodes[1]?.inputs).toEqual([
      { name: 'features', constant: null },
      { name: 'weights', constant: { type: 'float', dims: [2, 1] } },
      { name: 'bias', constant: { type: 'float', dims: [1] } },
    ]);
    expect(edges.map(({ from, to }) => [from, to])).toEqual([
      [0, 1],
      [1, 2],
    ]);
  });

  test('opens branches and functions, which see the values around them', () => {
    const { parts } = view(branchingModel());
    expect(parts.map(({ part: { kind, name, parent } }) => [kind, name, parent?.part])).toEqual([
      ['main', 'branching', undefined],
      ['function', 'example.org.Scaled', undefined],
      ['subgraph', 'large', 0],
      ['subgraph', 'small', 0],
    ]);
    const choice = parts[0]?.nodes.find(({ op }) => op === 'If');
    expect(choice?.opens).toEqual([
      { label: 'then_branch', part: 2 },
      { label: 'else_branch', part: 3 },
    ]);
    expect(parts[3]?.nodes.find(({ kind }) => kind === 'outer')).toMatchObject({
      op: 'x',
      note: 'float N×2',
    });
    expect(parts[3]?.nodes.find(({ op }) => op === 'Scaled')?.opens).toEqual([
      { label: 'function', part: 1 },
    ]);
    // The constant is drawn as a weight of the node that it feeds.
    expect(parts[1]?.nodes.map(({ op }) => op)).toEqual(['value', 'Mul', 'scaled']);
    expect(outlineOf(branchingModel(), 'compare').parts[1]?.nodes.map(({ op }) => op)).toEqual([
      'value',
      'Constant',
      'Mul',
      'scaled',
    ]);
  });

  test('tells attributes short, and long ones by digest', () => {
    const [, classifier, zip] = main(zipMapModel()).nodes;
    const values = Object.fromEntries(
      (classifier?.attributes ?? []).map(({ name, value }) => [name, value]),
    );
    expect(values).toMatchObject({ coefficients: '1, 0, 0, 1', classlabels_strings: 'no, yes' });
    expect(zip?.outputs[0]?.type).toBe('sequence of map of string to float');
    const long = matrixModel();
    long.graph?.nodes[0]?.attributes.push({
      name: 'many',
      floats: Array.from({ length: 100 }, (_, at) => at / 10),
      ints: [],
      strings: [],
      tensors: [],
      graphs: [],
      sparseTensors: [],
    });
    const [attribute] = main(long).nodes[1]?.attributes ?? [];
    expect(attribute?.value).toBe('0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7 … (100)');
    expect(attribute?.digest).toMatch(/^[0-9a-f]{64}$/);
  });

  test('knows a weight by its values, however it is stored and read', async () => {
    const made = residualModel({ channels: 16 });
    const bytes = writeModel(made);
    const { weights } = outlineSchema.parse(await readOutline(once(bytes), { use: 'compare' }));
    expect(weights).toEqual(outlineOf(made, 'compare').weights);
    // `float_data` (field 4, packed) in place of `raw_data`.
    const [first] = made.graph?.initializers ?? [];
    const raw = first?.rawData ?? new Uint8Array();
    expect(raw.length).toBeGreaterThan(0);
    const length: number[] = [];
    for (let rest = raw.length; ; rest >>= 7) {
      length.push(rest > 127 ? (rest & 127) | 128 : rest);
      if (rest <= 127) break;
    }
    if (first === undefined) throw new Error('There is a weight.');
    const { rawData: _moved, ...rest } = first;
    const field = Buffer.concat([Uint8Array.from([4 * 8 + 2, ...length]), raw]);
    made.graph?.initializers.splice(0, 1, { ...rest, unknown: [field] });
    expect(outlineOf(made, 'compare').weights[0]?.digest).toBe(weights[0]?.digest);
  });

  test('is one that the core accepts, whatever sizes and places the file claims', () => {
    const made = model(
      graph('odd', {
        nodes: [
          node('Constant', { inputs: [], outputs: ['c'] }, { value_float: 1 }),
          node('Tile', { inputs: ['x', 'times'], outputs: ['huge'] }),
          node('Flatten', { inputs: ['huge'], outputs: ['flat'] }),
          node('DepthToSpace', { inputs: ['x'], outputs: ['parts'] }, { blocksize: 7n }),
          node('Reshape', { inputs: ['x', 'thirds'], outputs: ['third'] }),
          node('Slice', { inputs: ['x', 'times', 'times', 'thirds'], outputs: ['sliced'] }),
          node('Sum', { inputs: ['c', 'flat', 'w'], outputs: ['y'] }),
        ],
        inputs: [valueInfo('x', 'float', [2, 3, 5, 7])],
        outputs: [valueInfo('y', 'float', [])],
        initializers: [
          tensor('times', 'int64', { dims: [4], data: [2n ** 62n, -9n, 2n ** 50n, 2n ** 50n] }),
          tensor('thirds', 'int64', { dims: [2], data: [-1n, 11n] }),
          {
            name: 'w',
            dims: [2],
            dataType: 1,
            strings: [],
            dataLocation: 1,
            externalData: [
              { key: 'location', value: 'w.bin' },
              { key: 'offset', value: 'far' },
            ],
          },
        ],
      }),
      { opsets: { '': 17 } },
    );
    made.graph?.valueInfo.push(valueInfo('c', 'float', ['N', null]));
    for (const use of ['view', 'compare'] as const) {
      const answer: unknown = JSON.parse(JSON.stringify(outlineOf(made, use)));
      expect(outlineSchema.safeParse(answer).error).toBeUndefined();
    }
  });

  test('comes from a child, which answers for bytes that are no model and for one with too many nodes', async () => {
    const made = residualModel();
    expect(outlineSchema.parse(await readOutline(once(writeModel(made)), { use: 'view' }))).toEqual(
      outlineOf(made, 'view'),
    );
    await expect(readOutline(once(Buffer.from('nothing')), { use: 'view' })).rejects.toMatchObject({
      code: 'corrupt',
    });
    await expect(
      readOutline(once(writeModel(chainModel(200_001))), { use: 'view' }),
    ).rejects.toMatchObject({ code: 'limit' });
  });
});
