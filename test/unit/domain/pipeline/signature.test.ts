/** MLflow's rules: https://mlflow.org/docs/latest/ml/model/signatures, and its `_enforce_mlflow_datatype`. */
import { describe, expect, test } from 'vitest';
import {
  pipelineSchema,
  planPipeline,
  withSignature,
  type Pipeline,
} from '#domain/pipeline/index.ts';
import type { TensorSpec } from '#shared/contract/bundles.ts';
import type { ColumnData, TableColumn } from '#domain/tables/index.ts';
import { mlflowSignature } from '#domain/bundle/index.ts';
import { chunk, numbers, plan, spec, text, texts } from '../../../support/pipelines.ts';

const signed = (columns: Readonly<Record<string, string>>, required = true): Pipeline | undefined =>
  withSignature(
    undefined,
    mlflowSignature(
      Buffer.from(
        `flavors: {onnx: {data: model.onnx}}\nsignature:\n  inputs: '${JSON.stringify(
          Object.entries(columns).map(([name, type]) => ({ name, type, required })),
        )}'\n`,
      ),
    ),
  );
const X = spec('X', 'float', ['N', 2]);

test('the columns of the signature are those of the matrix, in its order; extra ones are passed over', () => {
  const pipeline = signed({ b: 'double', a: 'long' });
  expect(plan([X], ['id', 'a', 'more', 'b'], { pipeline }).wanted.map(({ name }) => name)).toEqual([
    'b',
    'a',
  ]);
});

test('a required column that is missing refuses the file, even if the model has no use for it', () => {
  const more = { a: 'double', b: 'double', c: 'string' };
  expect(() =>
    planPipeline({
      pipeline: signed(more),
      inputs: [spec('a', 'float', ['N', 1])],
      outputs: [],
      labelsByOutput: new Map(),
      columns: texts(['a', 'b']),
    }),
  ).toThrow(expect.objectContaining({ code: 'invalid-input', details: { missing: ['c'] } }));
  expect(
    plan([spec('a', 'float', ['N', 1])], ['a'], { pipeline: signed(more, false) }).wanted,
  ).toHaveLength(1);
});

describe('a typed column may be widened and nothing else', () => {
  const held = {
    int32: { type: 'integer', bits: 32 },
    int64: { type: 'integer', bits: 64 },
    float32: { type: 'number', bits: 32 },
    float64: { type: 'number', bits: 64 },
    boolean: { type: 'boolean' },
    text: { type: 'text' },
  } as const;
  test.each([
    ['int32', 'integer', true],
    ['int32', 'long', true],
    ['int32', 'double', true],
    ['int32', 'float', false],
    ['int64', 'long', true],
    ['int64', 'integer', false],
    ['int64', 'double', false],
    ['float32', 'float', true],
    ['float32', 'double', true],
    ['float64', 'double', true],
    ['float64', 'float', false],
    ['float64', 'long', false],
    ['boolean', 'boolean', true],
    ['boolean', 'long', false],
    ['text', 'string', true],
    ['text', 'long', false],
    ['int32', 'string', false],
  ] as const)('%s for %s: %s', (from, to, fits) => {
    const columns: TableColumn[] = [
      { name: 'v', ...held[from] },
      { name: 'typed', type: 'number' },
    ];
    const type = to === 'string' ? 'string' : to === 'boolean' ? 'bool' : 'double';
    const make = () => plan([spec('v', type, ['N'])], [], { pipeline: signed({ v: to }), columns });
    if (fits) expect(make().wanted).toHaveLength(1);
    else expect(make).toThrow(expect.objectContaining({ code: 'invalid-input' }));
  });
});

test('integers are whole, within their width, and never missing; other formats are read as what is declared', async () => {
  const bad = async (type: string, data: ColumnData, input = 'double') =>
    (
      await plan([spec('v', input, ['N'])], ['v'], { pipeline: signed({ v: type }) }).toFeeds(
        chunk([data]),
      )
    ).bad.map(({ at, code }) => [at, code]);
  expect(await bad('long', numbers(1, 2.5, Number.NaN, 2 ** 40))).toEqual([
    [1, 'integer'],
    [2, 'missing'],
  ]);
  expect(await bad('integer', numbers(2 ** 31 - 1, 2 ** 31))).toEqual([[1, 'range']]);
  const whole: ColumnData = {
    kind: 'integer',
    values: BigInt64Array.of(2n ** 31n, -(2n ** 31n)),
    missing: undefined,
  };
  expect(await bad('integer', whole, 'int64')).toEqual([[0, 'range']]);
  expect(await bad('double', numbers(1, 2.5, Number.NaN))).toEqual([]);
  expect(await bad('boolean', numbers(0, 1, 2, Number.NaN))).toEqual([
    [2, 'boolean'],
    [3, 'missing'],
  ]);
  expect(await bad('string', text('a', null), 'string')).toEqual([]);
});

test('what a pipeline says of a column stays, and a pipeline of version 1 says all', () => {
  const described = pipelineSchema.parse({
    schemaVersion: 2,
    columns: [{ name: 'a', kind: 'numeric', min: 0, required: false }],
  });
  const signature = {
    columns: [
      { name: 'a', type: 'long', required: true },
      { name: 'b', type: 'string', required: true },
    ],
    tensors: [],
  } as const;
  expect(withSignature(described, signature)?.columns).toEqual([
    { name: 'a', kind: 'numeric', min: 0, required: false, type: 'long' },
    { name: 'b', kind: 'categorical', type: 'string', required: true },
  ]);
  const first = pipelineSchema.parse({ schemaVersion: 1, columns: [] });
  expect(withSignature(first, signature)).toBe(first);
  expect(withSignature(undefined, { columns: [], tensors: [] })).toBeUndefined();
});

test('a signature of nameless columns, or that is none, declares nothing', () => {
  for (const inputs of [
    '[{"type":"long"}]',
    '[{"type":"long","name":"a"},{"type":"complex","name":"b"}]',
    '{',
  ])
    expect(
      mlflowSignature(Buffer.from(`flavors: {onnx: {}}\nsignature: {inputs: '${inputs}'}\n`)),
    ).toEqual({ columns: [], tensors: [] });
});

describe('a signature of tensors', () => {
  const bound = (
    tensors: readonly [dtype: string, shape: readonly number[], name?: string][],
    inputs: readonly TensorSpec[],
    header: readonly string[] = ['a', 'b', 'c'],
  ) =>
    plan(inputs, header, {
      pipeline: withSignature(
        undefined,
        mlflowSignature(
          Buffer.from(
            `flavors: {onnx: {}}\nsignature:\n  inputs: '${JSON.stringify(
              tensors.map(([dtype, shape, name]) => ({
                type: 'tensor',
                'tensor-spec': { dtype, shape },
                ...(name === undefined ? {} : { name }),
              })),
            )}'\n`,
          ),
        ),
      ),
    });

  test('gives the width that the model leaves open', () => {
    const open = spec('X', 'float', ['N', null]);
    expect(bound([['float32', [-1, 3]]], [open]).wanted).toHaveLength(3);
    expect(() => bound([['float32', [-1, 2]]], [open])).toThrow(/Input X/);
    expect(() => bound([['float32', [-1, 4], 'X']], [open])).toThrow(/Input X/);
  });

  test('goes with the model: doubles become floats, nothing else is cast, and sizes are what they are', () => {
    const X = spec('X', 'float', ['N', 3]);
    const rows = (...tensors: Parameters<typeof bound>[0]): unknown =>
      bound(tensors, [X]).wanted.length;
    expect(rows(['float64', [-1, 3]])).toBe(3);
    expect(rows(['float32', [-1, -1], 'X'])).toBe(3);
    const refused: readonly [RegExp, ...Parameters<typeof bound>[0]][] = [
      [/takes float, and its signature declares int64, which is not cast/, ['int64', [-1, 3]]],
      [/declares datetime64/, ['datetime64[ns]', [-1, 3]]],
      [/takes \[N, 3\], and its signature declares \[-1, 4\]/, ['float32', [-1, 4]]],
      [/declares \[-1, 3, 1\]/, ['float32', [-1, 3, 1]]],
      [/fixes its first dimension at 8/, ['float32', [8, 3]]],
      [
        /declares an input Y, and the model has none/,
        ['float32', [-1, 3], 'X'],
        ['int64', [-1], 'Y'],
      ],
      [/without names/, ['float32', [-1, 3]], ['float32', [-1]]],
    ];
    for (const [message, ...tensors] of refused) expect(() => rows(...tensors)).toThrow(message);
  });

  test('says nothing of what becomes of the columns: images are decoded as without it', () => {
    const pixels = spec('pixels', 'float', ['N', 3, 8, 8]);
    const made = planPipeline({
      pipeline: {
        schemaVersion: 2,
        columns: [],
        steps: [],
        inputs: {},
        outputs: [],
        tensors: [{ dtype: 'float32', shape: [-1, 3, 8, 8] }],
      },
      inputs: [pixels],
      outputs: [],
      labelsByOutput: new Map(),
      columns: [
        { name: 'file', type: 'text' },
        { name: 'image', type: 'bytes' },
      ],
    });
    expect(made.wanted.map(({ name }) => name)).toEqual(['image']);
  });
});
