import { expect, test } from 'vitest';
import type { TensorSpec } from '#shared/contract/bundles.ts';
import { bindColumns, requireColumns } from '../../../../electron/domain/inference/binding.ts';
import { parseValue, valueToText } from '../../../../electron/domain/inference/values.ts';
import fc from 'fast-check';

const spec = (name: string, type: string, shape: TensorSpec['shape']): TensorSpec => ({
  name,
  kind: 'tensor',
  type,
  shape,
});

test('one input per column, by name, then without case and separators', () => {
  const binding = bindColumns(
    [spec('Loan amount', 'float', [null, 1]), spec('age', 'int64', ['N'])],
    ['id', 'AGE', 'loan_amount'],
    undefined,
  );
  expect(binding.inputs.map(({ columns }) => columns.map(({ index }) => index))).toEqual([
    [2],
    [1],
  ]);
  expect(binding.unusedColumns).toEqual(['id']);
  expect(() => requireColumns(binding)).not.toThrow();
});

test('names every missing column', () => {
  const binding = bindColumns(
    [spec('a', 'float', [null, 1]), spec('b', 'float', [null, 1]), spec('c', 'float', [null, 1])],
    ['b'],
    undefined,
  );
  expect(() => requireColumns(binding)).toThrow(
    expect.objectContaining({
      code: 'invalid-input',
      message: expect.stringContaining('a, c') as string,
    }),
  );
});

test('a matrix takes the columns that pipeline.json names, those numbered after it, or all that are left', () => {
  const matrix = [spec('x', 'float', [null, 2])];
  const indexes = (header: string[], pipeline?: Parameters<typeof bindColumns>[2]) =>
    bindColumns(matrix, header, pipeline).inputs[0]?.columns.map(({ index }) => index);
  expect(
    indexes(['id', 'b', 'a'], {
      schemaVersion: 1,
      columns: [],
      matrix: { input: 'x', columns: ['a', 'b'] },
    }),
  ).toEqual([2, 1]);
  expect(indexes(['x[0]', 'id', 'x[1]'])).toEqual([0, 2]);
  expect(indexes(['x[1]', 'id', 'x[0]'])).toEqual([2, 0]);
  expect(indexes(['p', 'q'])).toEqual([0, 1]);
  for (const unclear of [
    ['x[0]', 'x[2]', 'id'],
    ['x[0]', 'x[0]', 'id'],
  ])
    expect(() => requireColumns(bindColumns(matrix, unclear, undefined))).toThrow(
      expect.objectContaining({ code: 'invalid-input' }),
    );
  expect(() => requireColumns(bindColumns(matrix, ['p', 'q', 'r'], undefined))).toThrow(
    expect.objectContaining({ code: 'invalid-input' }),
  );
  const open = bindColumns(
    [spec('x', 'float', [null, null]), spec('age', 'float', [null, 1])],
    ['a', 'age', 'b'],
    undefined,
  );
  expect(open.inputs[0]).toMatchObject({ rest: [2], columns: [{ index: 0 }, { index: 2 }] });
});

test.each([
  ['1e-3', 'float', Math.fround(0.001)],
  [' 7 ', 'int64', 7n],
  ['3.0', 'int64', 3n],
  ['-9223372036854775808', 'int64', -(2n ** 63n)],
  ['YES', 'bool', true],
  ['0', 'bool', false],
  ['', 'string', ''],
] as const)('%j as %s', (text, type, value) => {
  expect(parseValue(text, type)).toMatchObject({ value });
});

test.each([
  ['abc', 'float', 'number'],
  ['1e999', 'double', 'range'],
  ['1e39', 'float', 'range'],
  ['0x10', 'float', 'number'],
  ['1,5', 'double', 'number'],
  ['3.5', 'int64', 'integer'],
  ['', 'int64', 'missing'],
  ['9223372036854775808', 'int64', 'range'],
  ['300', 'uint8', 'range'],
  ['maybe', 'bool', 'boolean'],
] as const)('%j is no %s', (text, type, code) => {
  expect(parseValue(text, type)).toEqual({ code });
});

test('an empty number is missing, not zero', () => {
  for (const text of ['', 'NA', 'nan', ' null '])
    expect(parseValue(text, 'float')).toEqual({ value: Number.NaN, missing: true });
});

test('floats are written in the shortest form that reads back', () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(Math.fround(Number(valueToText(value, 'float')))).toBe(value === 0 ? 0 : value);
    }),
  );
  expect(valueToText(Math.fround(0.1), 'float')).toBe('0.1');
  expect(valueToText(2n ** 62n, 'int64')).toBe('4611686018427387904');
});
