/** MLflow's rules: https://mlflow.org/docs/latest/ml/model/signatures, and its `_enforce_mlflow_datatype`. */
import { describe, expect, test } from 'vitest';
import {
  pipelineSchema,
  planPipeline,
  withSignature,
  type Pipeline,
} from '#domain/pipeline/index.ts';
import type { ColumnData, TableColumn } from '#domain/tables/index.ts';
import { mlflowColumns } from '#domain/bundle/index.ts';
import { chunk, numbers, plan, spec, text, texts } from '../../../support/pipelines.ts';

const signed = (columns: Readonly<Record<string, string>>, required = true): Pipeline | undefined =>
  withSignature(
    undefined,
    mlflowColumns(
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
  const signature = [
    { name: 'a', type: 'long', required: true },
    { name: 'b', type: 'string', required: true },
  ] as const;
  expect(withSignature(described, signature)?.columns).toEqual([
    { name: 'a', kind: 'numeric', min: 0, required: false, type: 'long' },
    { name: 'b', kind: 'categorical', type: 'string', required: true },
  ]);
  const first = pipelineSchema.parse({ schemaVersion: 1, columns: [] });
  expect(withSignature(first, signature)).toBe(first);
  expect(withSignature(undefined, [])).toBeUndefined();
});

test('a signature of tensors, of nameless columns, or that is none declares no columns', () => {
  for (const inputs of [
    '[{"type":"tensor","tensor-spec":{"dtype":"float32","shape":[-1,2]},"name":"X"}]',
    '[{"type":"long"}]',
    '[{"type":"long","name":"a"},{"type":"complex","name":"b"}]',
    '{',
  ])
    expect(
      mlflowColumns(Buffer.from(`flavors: {onnx: {}}\nsignature: {inputs: '${inputs}'}\n`)),
    ).toEqual([]);
});
