/** The numbers marked as golden were made once with scikit-learn 1.2.1 (NumPy 1.24.2, SciPy) of Debian 12, and Python's `datetime`. */
import { describe, expect, test } from 'vitest';
import { pipelineSchema, previewBinding } from '#domain/pipeline/index.ts';
import { murmur3 } from '../../../../electron/domain/pipeline/steps/murmur.ts';
import { numbers, plan, spec, stepped, text } from '../../../support/pipelines.ts';

const x = [18, 25.5, 41, 63.25, 99];
const closely = (values: readonly number[]): unknown[] =>
  values.map((value) =>
    Number.isNaN(value) ? Number.NaN : (expect.closeTo(value, 12) as unknown),
  );

describe('scale', () => {
  test.each([
    [
      'standard',
      { mean: 49.35, sd: 29.256452279796335 },
      [
        -1.071558495889449, -0.8152047887388632, -0.285407127294319, 0.4751088705857524,
        1.6970615413368784,
      ],
    ],
    [
      'robust',
      { median: 41, iqr: 37.75 },
      [-0.609271523178808, -0.4105960264900662, 0, 0.5894039735099338, 1.5364238410596027],
    ],
    ['standard', { mean: 7, sd: 0 }, [11, 18.5, 34, 56.25, 92]],
  ])('%s, golden', async (method, options, golden) => {
    const { columns } = await stepped(
      [{ step: 'scale', method, columns: { x: options } }],
      { x: numbers(...x) },
      ['x'],
    );
    expect(columns['x']).toEqual(golden);
  });

  test('min-max into a range, golden', async () => {
    const { columns } = await stepped(
      [
        {
          step: 'scale',
          method: 'min-max',
          columns: { x: { min: 18, max: 63.25 } },
          range: [-1, 1],
        },
      ],
      { x: numbers(...x) },
      ['x'],
    );
    expect(columns['x']).toEqual([
      -1, -0.6685082872928176, 0.016574585635358963, 0.9999999999999998, 2.580110497237569,
    ]);
  });
});

test('log and log1p, golden; what has none is rejected', async () => {
  const { columns, feeds } = await stepped(
    [
      { step: 'log', method: 'log', columns: ['a'] },
      { step: 'log', method: 'log1p', columns: ['b'] },
    ],
    {
      a: numbers(18, 25.5, 41, 99, 0, -1, 1, Number.NaN),
      b: numbers(-0.5, 0, 1e-12, 41, 1, 1, -1, 1),
    },
    ['a', 'b'],
  );
  expect(columns['a']).toEqual([
    ...closely([2.8903717578961645, 3.2386784521643803, 3.7135720667043075, 4.59511985013459]),
    Number.NaN,
  ]);
  expect(columns['b']).toEqual(
    closely([-Math.LN2, 0, 9.999999999995e-13, 3.737669618283368, Math.LN2]),
  );
  expect(feeds.bad).toEqual([
    { at: 4, column: 'a', code: 'range' },
    { at: 5, column: 'a', code: 'range' },
    { at: 6, column: 'b', code: 'range' },
  ]);
});

test('clip', async () => {
  const { columns } = await stepped(
    [{ step: 'clip', columns: { x: { min: 20, max: 50 }, y: { max: 0 } } }],
    { x: numbers(18, 25.5, 99, Number.NaN), y: numbers(-5, 5, 0, 1) },
    ['x', 'y'],
  );
  expect(columns).toEqual({ x: [20, 25.5, 50, Number.NaN], y: [-5, 0, 0, 0] });
});

test('impute a number, a text and a boolean, with indicators (the first golden)', async () => {
  const { columns, feeds } = await stepped(
    [{ step: 'impute', columns: { n: 2.5, t: 'other', b: true }, indicator: true }],
    { n: numbers(Number.NaN, 2), t: text('', 'car'), b: text('no', null) },
    ['n', 'n_missing', spec('t', 'string', ['N']), 't_missing', spec('b', 'bool', ['N'])],
  );
  expect(columns).toEqual({
    n: [2.5, 2],
    n_missing: [1, 0],
    t: ['other', 'car'],
    t_missing: [1, 0],
    b: [0, 1],
  });
  expect(feeds.bad).toEqual([]);
});

test('one-hot, golden: unknown values are zeros, or reject', async () => {
  const columns = { purpose: text('home', 'plane', 'car', null) };
  const step = { step: 'one-hot', columns: { purpose: ['car', 'home', 'boat'] } };
  const names = ['purpose_car', 'purpose_home', 'purpose_boat'];
  const zeros = await stepped([{ ...step, unknown: 'zeros' }], columns, names);
  expect(zeros.columns).toEqual({
    purpose_car: [0, 0, 1, 0],
    purpose_home: [1, 0, 0, 0],
    purpose_boat: [0, 0, 0, 0],
  });
  const strict = await stepped([{ ...step, unknown: 'reject' }], columns, names);
  expect(strict.feeds.bad).toEqual([
    { at: 1, column: 'purpose', code: 'category' },
    { at: 3, column: 'purpose', code: 'missing' },
  ]);
});

test('ordinal, golden', async () => {
  const columns = { purpose: text('boat', 'plane', 'car', '') };
  const step = { step: 'ordinal', columns: { purpose: ['car', 'home', 'boat'] } };
  const lenient = await stepped([{ ...step, unknown: -1 }], columns, ['purpose']);
  expect(lenient.columns).toEqual({ purpose: [2, -1, 0, Number.NaN] });
  const strict = await stepped([{ ...step, unknown: 'reject' }], columns, ['purpose']);
  expect(strict.feeds.bad).toEqual([{ at: 1, column: 'purpose', code: 'category' }]);
});

describe('date', () => {
  const parts = ['year', 'month', 'day', 'yearday', 'weekday', 'hour'];
  const names = parts.map((part) => `t_${part}`);
  const rowsOf = async (step: object, ...values: (string | null)[]) => {
    const { columns, feeds } = await stepped(
      [{ step: 'date', columns: ['t'], parts, ...step }],
      { t: text(...values) },
      names,
    );
    const rows = [...feeds.kept.keys()].map((row) =>
      names.map((name) => (columns[name] as number[])[row]),
    );
    return { rows, bad: feeds.bad };
  };

  test('the parts as written, golden', async () => {
    const { rows, bad } = await rowsOf(
      {},
      '2024-02-29',
      '1999-12-31T23:30:00',
      '2000-01-01 06:15',
      '1900-03-01',
      '2024-05-03T14:00:00+02:00',
      null,
    );
    expect(bad).toEqual([]);
    expect(rows).toEqual([
      [2024, 2, 29, 60, 3, 0],
      [1999, 12, 31, 365, 4, 23.5],
      [2000, 1, 1, 1, 5, 6.25],
      [1900, 3, 1, 60, 3, 0],
      [2024, 5, 3, 124, 4, 14],
      parts.map(() => Number.NaN),
    ]);
  });

  test('the parts in UTC, golden', async () => {
    const { rows } = await rowsOf(
      { zone: 'utc' },
      '2024-01-01T00:30:00+02:00',
      '2024-05-03T14:00:00-11:30',
      '2024-01-01T00:30',
    );
    expect(rows).toEqual([
      [2023, 12, 31, 365, 6, 22.5],
      [2024, 5, 4, 125, 5, 1.5],
      [2024, 1, 1, 1, 0, 0.5],
    ]);
  });

  test.each([
    '2023-02-29',
    '2024-13-01',
    '2024-00-10',
    '03.05.2024',
    '2024-05-03T25:00',
    '20240503',
    'x',
    '2024-05-03T14:00:00 CET',
  ])('%s is no date', async (value) => {
    expect((await rowsOf({}, value)).bad).toEqual([{ at: 0, column: 't', code: 'date' }]);
  });

  test('what turns comes as sine and cosine, golden', async () => {
    const { columns } = await stepped(
      [{ step: 'date', columns: ['t'], parts: ['month_sin', 'weekday_cos', 'hour_sin'] }],
      { t: text('2024-05-03T14:30') },
      ['t_month_sin', 't_weekday_cos', 't_hour_sin'],
    );
    expect(Object.values(columns).flat()).toEqual(
      closely([0.8660254037844387, -0.9009688679024191, -0.6087614290087207]),
    );
  });
});

describe('hash', () => {
  test.each([
    ['', 0],
    ['a', 1009084850],
    ['ab', -1681926305],
    ['abc', -1277324294],
    ['abcd', 1139631978],
    ['city=Paris', -33168497],
    ['city=Zürich', 1973867927],
    ['city=東京', -2077812586],
    ['The quick brown fox jumps over the lazy dog', 776992547],
  ])('murmur3 of %j, golden', (token, golden) => {
    expect(murmur3(Buffer.from(token))).toBe(golden);
  });

  test.each([
    [
      true,
      [
        [0, -1, 0, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 1],
        [0, 0, -1, 0, 0, 0, 1, 0],
        [0, -1, 0, 0, 0, 1, 0, 0],
      ],
    ],
    [
      false,
      [
        [0, 1, 0, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 1],
        [0, 0, 1, 0, 0, 0, 1, 0],
        [0, 1, 0, 0, 0, 1, 0, 0],
      ],
    ],
  ])('as FeatureHasher does, signed %s, golden', async (signed, golden) => {
    const { feeds } = await stepped(
      [
        { step: 'hash', columns: ['city', 'branch'], features: 8, signed, as: 'h' },
        { step: 'select', columns: Array.from({ length: 8 }, (_, at) => `h_${at}`) },
      ],
      {
        city: text('Paris', 'Zürich', '東京', 'Paris'),
        branch: text('north', null, 'Paris', 'north-west 12'),
      },
      [spec('X', 'float', ['N', 8])],
    );
    expect([...(feeds.tensors['X']?.data ?? [])]).toEqual(golden.flat());
  });
});

test('select, rename and cast: names and kinds on their way to a matrix', async () => {
  const { columns, feeds } = await stepped(
    [
      { step: 'rename', columns: { 'Loan amount': 'amount' } },
      { step: 'cast', columns: { flag: 'boolean', zip: 'text' } },
      { step: 'cast', columns: { flag: 'number' } },
      { step: 'ordinal', columns: { zip: ['01', '02'] }, unknown: 'reject' },
      { step: 'select', columns: ['zip', 'flag', 'amount'] },
    ],
    {
      id: text('a', 'b'),
      'loan amount': numbers(5, 6),
      flag: text('yes', 'no'),
      zip: text('02', '01'),
    },
    [spec('X', 'float', [null, null])],
  );
  expect(columns).toEqual({ X: [1, 1, 5, 0, 0, 6] });
  expect(feeds.tensors['X']?.dims).toEqual([2, 3]);
});

test('a number that a step makes too large for a float rejects its row', async () => {
  const { feeds } = await stepped(
    [{ step: 'scale', method: 'standard', columns: { x: { mean: 0, sd: 1e-30 } } }],
    { x: numbers(1, 1e20) },
    [spec('x', 'float', ['N'])],
  );
  expect(feeds.bad).toEqual([{ at: 1, column: 'x', code: 'range' }]);
});

test('inputs say which columns feed them, and a stranger among them is refused', () => {
  const pipeline = pipelineSchema.parse({
    schemaVersion: 2,
    inputs: { X: ['b', 'a'], y: 'c' },
  });
  const inputs = [spec('X', 'float', ['N', 2]), spec('y', 'float', ['N', 1])];
  expect(plan(inputs, ['a', 'b', 'c'], { pipeline }).wanted.map(({ name }) => name)).toEqual([
    'b',
    'a',
    'c',
  ]);
  for (const wrong of [{ Z: 'a' }, { X: ['a', 'b', 'c'] }])
    expect(() =>
      plan(inputs, ['a', 'b', 'c'], {
        pipeline: pipelineSchema.parse({ schemaVersion: 2, inputs: wrong }),
      }),
    ).toThrow(expect.objectContaining({ code: 'invalid-input' }));
});

test('columns that only a step that nobody uses would read are not read', () => {
  const pipeline = pipelineSchema.parse({
    schemaVersion: 2,
    steps: [{ step: 'clip', columns: { a: { min: 0 }, b: { min: 0 } } }],
    inputs: { y: 'a' },
  });
  expect(plan([spec('y', 'float', ['N'])], ['a', 'b'], { pipeline }).wanted).toMatchObject([
    { name: 'a' },
  ]);
});

test.each([
  { step: 'clip', columns: { x: { min: 2, max: 1 } } },
  { step: 'clip', columns: {} },
  { step: 'one-hot', columns: { x: ['a', 'a'] }, unknown: 'zeros' },
  { step: 'one-hot', columns: { x: ['a'] } },
  { step: 'log', method: 'log2', columns: ['x'] },
  { step: 'hash', columns: ['x'], features: 0, as: 'h' },
  { step: 'python', code: 'import os' },
  { step: 'image', column: 'x', as: 'y' },
  { step: 'image', column: 'x', as: 'y', resize: { width: 8, height: 8, fit: 'outside' } },
])('%j is no step', (step) => {
  expect(pipelineSchema.safeParse({ schemaVersion: 2, steps: [step] }).success).toBe(false);
});

test('of a column that the file lacks only its own name is told, not what steps would make of it', () => {
  const pipeline = pipelineSchema.parse({
    schemaVersion: 2,
    steps: [
      { step: 'rename', columns: { Income: 'pay' } },
      { step: 'impute', columns: { pay: 0 }, indicator: true },
      { step: 'image', column: 'photo', as: 'pixels', crop: { width: 1, height: 1 } },
    ],
    inputs: { X: ['pay', 'pay_missing'] },
  });
  const inputs = [
    spec('X', 'float', ['N', 2]),
    spec('a', 'float', ['N']),
    spec('pixels', 'float', ['N', 3, 1, 1]),
  ];
  expect(() => plan(inputs, ['a'], { pipeline })).toThrow(
    expect.objectContaining({ details: { missing: ['Income', 'photo'] } }),
  );
  const { binding, problems } = previewBinding({
    pipeline,
    inputs,
    columns: [{ name: 'a', type: 'text' }],
  }).explain({ example: () => '1', bad: [] });
  expect(binding.map(({ column, problem }) => [column, problem])).toEqual([
    [null, 'The file has no column Income.'],
    [null, 'The file has no column Income.'],
    ['a', null],
    [null, 'The file has no column photo.'],
  ]);
  expect(problems).toHaveLength(2);
});
