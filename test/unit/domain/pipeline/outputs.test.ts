/** The numbers marked as golden were made once with SciPy 1.10 of Debian 12. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TensorData } from '#domain/onnx/index.ts';
import { pipelineSchema } from '#domain/pipeline/index.ts';
import { plan, spec } from '../../../support/pipelines.ts';

const labels = ['cat', 'dog', 'owl'];

function columnsOf(
  outputs: readonly unknown[],
  given: TensorData,
  assets: Record<string, string> = {},
): Record<string, unknown[]> {
  const rows = given.dims[0] ?? 0;
  const made = plan([spec('x', 'float', ['N'])], ['x'], {
    pipeline: pipelineSchema.parse({ schemaVersion: 2, outputs }),
    outputs: [spec('y', given.type, ['N', ...given.dims.slice(1)])],
    assets: new Map(Object.entries(assets).map(([path, content]) => [path, Buffer.from(content)])),
  });
  const columns = made.toColumns({ y: given }, rows);
  expect(made.toColumns({}, 0).map(({ name, data }) => [name, data.kind])).toEqual(
    columns.map(({ name, data }) => [name, data.kind]),
  );
  return Object.fromEntries(columns.map(({ name, data }) => [name, [...data.values]]));
}
const doubles = (width: number, ...values: number[]): TensorData => ({
  type: 'double',
  dims: [values.length / width, width],
  data: Float64Array.from(values),
});

test('softmax, golden', () => {
  const made = columnsOf(
    [{ step: 'softmax', output: 'y' }],
    doubles(3, 1, 2, 3, 1000, 1000, -1000, -2.5, 0, 0.1),
  );
  const golden = [
    [0.09003057317038043, 0.5, 0.03752875829352457],
    [0.24472847105479767, 0.5, 0.45719387126356353],
    [0.6652409557748218, 0, 0.505277370442912],
  ];
  expect(Object.values(made)).toEqual(
    golden.map((column) => column.map((value) => expect.closeTo(value, 14) as unknown)),
  );
});

test('sigmoid, golden, of floats stays a float', () => {
  const y = { type: 'float', dims: [4], data: Float32Array.of(-800, -1.5, 0, 3) };
  expect(columnsOf([{ step: 'sigmoid', output: 'y' }], y)).toEqual({
    y: [0, 0.18242552380635635, 0.5, 0.9525741268224334].map(Math.fround),
  });
});

test('threshold: at it is above it, NaN is not', () => {
  const step = { step: 'threshold', output: 'y', at: 0.2, as: 'decision' };
  expect(columnsOf([step], doubles(1, 0.1, 0.2, 0.3, Number.NaN))['decision']).toEqual([
    0, 1, 1, 0,
  ]);
  const worded = { ...step, element: 1, labels: ['approve', 'decline'] };
  expect(columnsOf([worded], doubles(2, 0.9, 0.1, 0.8, 0.2))['decision']).toEqual([
    'approve',
    'decline',
  ]);
  const named = [
    { step: 'labels', output: 'y', labels: ['good', 'bad'] },
    { ...worded, element: 'bad' },
  ];
  expect(columnsOf(named, doubles(2, 0.9, 0.1))).toEqual({
    'y[good]': [0.9],
    'y[bad]': [0.1],
    decision: ['approve'],
  });
  expect(() => columnsOf([step], doubles(2, 1, 2))).toThrow(
    expect.objectContaining({ code: 'invalid-input' }),
  );
});

describe('labels', () => {
  test('from a file: a column for each, or a text for a number', () => {
    const step = { step: 'labels', output: 'y', file: 'labels.txt' };
    const assets = { 'labels.txt': 'cat\r\ndog\nowl\n' };
    expect(columnsOf([step], doubles(3, 1, 2, 3), assets)).toEqual({
      'y[cat]': [1],
      'y[dog]': [2],
      'y[owl]': [3],
    });
    const y = { type: 'int64', dims: [3], data: BigInt64Array.of(2n, 0n, 9n) };
    expect(columnsOf([step], y, assets)).toEqual({ y: ['owl', 'cat', '9'] });
  });

  test('that do not fit, or whose file is not there, refuse', () => {
    expect(() => columnsOf([{ step: 'labels', output: 'y', labels }], doubles(2, 1, 2))).toThrow(
      expect.objectContaining({ code: 'invalid-input' }),
    );
    expect(() =>
      columnsOf([{ step: 'labels', output: 'y', file: 'x.txt' }], doubles(2, 1, 2)),
    ).toThrow(expect.objectContaining({ code: 'corrupt' }));
  });
});

test('argmax and top-k: the largest, the first of equals, NaN last; then rename and drop', () => {
  const y = doubles(3, 0.2, 0.5, 0.3, 1, 1, 0, Number.NaN, -1, 2);
  const steps = [
    { step: 'labels', output: 'y', labels },
    { step: 'argmax', output: 'y', as: 'class' },
    { step: 'top-k', output: 'y', k: 2, as: 'top' },
    { step: 'rename', outputs: { class: 'animal' } },
    { step: 'drop', outputs: ['y'] },
  ];
  expect(columnsOf(steps, y)).toEqual({
    animal: ['dog', 'cat', 'owl'],
    top_1: ['dog', 'cat', 'owl'],
    top_1_value: [0.5, 1, 2],
    top_2: ['owl', 'dog', 'dog'],
    top_2_value: [0.3, 1, -1],
  });
  expect(columnsOf([{ step: 'argmax', output: 'y', as: 'class' }], y)['class']).toEqual([
    1n,
    0n,
    2n,
  ]);
});

test('top-k is the head of the sorted row', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 2, maxLength: 12 }),
      fc.integer({ min: 1, max: 12 }),
      (row, k) => {
        const made = columnsOf(
          [{ step: 'top-k', output: 'y', k, as: 't' }],
          doubles(row.length, ...row),
        );
        const sorted = [...row.entries()].sort(([a, x], [b, y]) => y - x || a - b).slice(0, k);
        expect(sorted.map((_, at) => made[`t_${at + 1}`]?.[0])).toEqual(
          sorted.map(([place]) => BigInt(place)),
        );
      },
    ),
  );
});

test('a step for an output that is not there is refused', () => {
  for (const step of [
    { step: 'softmax', output: 'z' },
    { step: 'drop', outputs: ['z'] },
    { step: 'rename', outputs: { z: 'y' } },
  ])
    expect(() => columnsOf([step], doubles(1, 1))).toThrow(
      expect.objectContaining({ code: 'invalid-input' }),
    );
});
