import fc from 'fast-check';
import { expect, test } from 'vitest';
import { previewBinding, type Pipeline, type Plan } from '#domain/pipeline/index.ts';
import type { BadRow } from '#domain/tables/index.ts';
import { chunk, numbers, plan, spec, text, texts } from '../../../support/pipelines.ts';

const wanted = (made: Plan): string[] => made.wanted.map(({ name }) => name);

test('one input per column, by name, then without case and separators, then without the unit', () => {
  const inputs = [
    spec('Loan amount', 'float', [null, 1]),
    spec('age', 'int64', ['N']),
    spec('income', 'double', [null]),
  ];
  const made = plan(inputs, ['id', 'AGE', 'loan_amount', 'income [EUR]']);
  expect(made.wanted).toEqual([
    { name: 'loan_amount', as: 'number', float: true, facts: undefined },
    { name: 'AGE', as: 'integer', facts: undefined },
    { name: 'income [EUR]', as: 'number', facts: undefined },
  ]);
});

test('names every missing column', () => {
  const inputs = ['a', 'b', 'c'].map((name) => spec(name, 'float', [null, 1]));
  expect(() => plan(inputs, ['b'])).toThrow(
    expect.objectContaining({
      code: 'invalid-input',
      message: expect.stringContaining('a, c') as string,
    }),
  );
});

test('a matrix takes the columns that pipeline.json names, those numbered after it, or all that are left', () => {
  const matrix = [spec('x', 'float', [null, 2])];
  const order = (header: string[], pipeline?: Pipeline): string[] =>
    wanted(plan(matrix, header, { pipeline }));
  expect(
    order(['id', 'b', 'a'], {
      schemaVersion: 1,
      columns: [],
      matrix: { input: 'x', columns: ['a', 'b'] },
    }),
  ).toEqual(['a', 'b']);
  expect(order(['x[0]', 'id', 'x[1]'])).toEqual(['x[0]', 'x[1]']);
  expect(order(['x[1]', 'id', 'x[0]'])).toEqual(['x[0]', 'x[1]']);
  expect(order(['p', 'q'])).toEqual(['p', 'q']);
  for (const unclear of [
    ['x[0]', 'x[2]', 'id'],
    ['x[0]', 'x[0]', 'id'],
    ['p', 'q', 'r'],
  ])
    expect(() => order(unclear)).toThrow(expect.objectContaining({ code: 'invalid-input' }));
  const open = [spec('x', 'float', [null, null]), spec('age', 'float', [null, 1])];
  expect(wanted(plan(open, ['a', 'age', 'b']))).toEqual(['a', 'b', 'age']);
});

test('a matrix is filled row by row, without the rows that are bad, and a missing number is NaN', async () => {
  const made = plan([spec('x', 'float', ['N', 2])], ['p', 'q']);
  const feeds = await made.toFeeds(
    chunk(
      [numbers(1, 2, 3, Number.NaN), numbers(5, 6, 7, 8)],
      [{ at: 1, column: 'p', code: 'number' }],
    ),
  );
  expect(feeds).toEqual({
    tensors: {
      x: { type: 'float', dims: [3, 2], data: Float32Array.of(1, 5, 3, 7, Number.NaN, 8) },
    },
    kept: Uint32Array.of(0, 2, 3),
    bad: [],
  });
});

test('each type holds what fits in it; other rows are rejected with the first reason from the left', async () => {
  const made = plan(
    [
      spec('i8', 'int8', ['N']),
      spec('i64', 'int64', ['N']),
      spec('u64', 'uint64', ['N']),
      spec('b', 'bool', ['N']),
      spec('s', 'string', ['N', 1]),
    ],
    ['i8', 'i64', 'u64', 'b', 's'],
  );
  expect(made.wanted.map(({ as }) => as)).toEqual(['number', 'integer', 'text', 'boolean', 'text']);
  const big = 2n ** 63n - 1n;
  const feeds = await made.toFeeds(
    chunk([
      numbers(-128, 128, 1.5, Number.NaN, 0, 0, 0, 7),
      {
        kind: 'integer',
        values: BigInt64Array.of(big, 0n, 0n, 0n, 0n, 0n, 0n, -big),
        missing: Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0),
      },
      text('18446744073709551615', '0', '0', '0', '0', '18446744073709551616', '0', '3.0'),
      {
        kind: 'boolean',
        values: Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0),
        missing: Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 0),
      },
      text('a', '', '', '', '', '', '', null),
    ]),
  );
  expect(feeds.bad).toEqual([
    { at: 1, column: 'i8', code: 'range' },
    { at: 2, column: 'i8', code: 'integer' },
    { at: 3, column: 'i8', code: 'missing' },
    { at: 4, column: 'i64', code: 'missing' },
    { at: 5, column: 'u64', code: 'range' },
    { at: 6, column: 'b', code: 'missing' },
  ]);
  expect(feeds.tensors).toEqual({
    i8: { type: 'int8', dims: [2], data: Int8Array.of(-128, 7) },
    i64: { type: 'int64', dims: [2], data: BigInt64Array.of(big, -big) },
    u64: { type: 'uint64', dims: [2], data: BigUint64Array.of(2n ** 64n - 1n, 3n) },
    b: { type: 'bool', dims: [2], data: Uint8Array.of(1, 0) },
    s: { type: 'string', dims: [2, 1], data: ['a', ''] },
  });
});

test('an integer without a sign is written like one with a sign', async () => {
  const feeds = await plan([spec('u', 'uint64', ['N'])], ['u']).toFeeds(
    chunk([
      text(
        '1e3',
        '-0',
        '+7',
        '2.50e1',
        '1.5',
        'NaN',
        '-1',
        '1e19',
        '18446744073709551616',
        '9'.repeat(30),
      ),
    ]),
  );
  expect(feeds.bad).toEqual([
    { at: 4, column: 'u', code: 'integer' },
    { at: 5, column: 'u', code: 'missing' },
    { at: 6, column: 'u', code: 'range' },
    { at: 8, column: 'u', code: 'range' },
    { at: 9, column: 'u', code: 'range' },
  ]);
  expect(feeds.tensors?.['u']?.data).toEqual(BigUint64Array.of(1000n, 0n, 7n, 25n, 10n ** 19n));
});

test('a range and a list of categories reject only where the pipeline says so', async () => {
  const inputs = [spec('age', 'float', ['N', 1]), spec('purpose', 'string', ['N', 1])];
  const columns = (reject: boolean): Pipeline['columns'] => [
    { name: 'age', kind: 'numeric', min: 18, max: 100, reject },
    { name: 'purpose', kind: 'categorical', categories: ['car'], reject },
  ];
  const rows = chunk([numbers(17, 18, Number.NaN, 20), text('boat', 'boat', '', 'car')]);
  const bad = async (reject: boolean): Promise<readonly BadRow[]> => {
    const pipeline: Pipeline = { schemaVersion: 1, columns: columns(reject) };
    return (await plan(inputs, ['age', 'purpose'], { pipeline }).toFeeds(rows)).bad;
  };
  expect(await bad(true)).toEqual([
    { at: 0, column: 'age', code: 'range' },
    { at: 1, column: 'purpose', code: 'category' },
  ]);
  expect(await bad(false)).toEqual([]);
});

test('a range counts for a column that is read as text, too', async () => {
  const inputs = [spec('A', 'int64', ['N']), spec('B', 'float', ['N'])];
  const pipeline: Pipeline = {
    schemaVersion: 2,
    columns: [{ name: 'v', kind: 'numeric', min: 1, max: 5, reject: true }],
    steps: [],
    inputs: { A: 'v', B: 'v' },
    outputs: [],
  };
  const made = plan(inputs, ['v'], { pipeline });
  expect(
    (await made.toFeeds(chunk([text('0', '3', '6', 'x')]))).bad.map(({ code }) => code),
  ).toEqual(['range', 'range', 'integer']);
});

test('another unit than the pipeline names refuses the file', () => {
  const pipeline: Pipeline = {
    schemaVersion: 1,
    columns: [{ name: 'income', kind: 'numeric', unit: 'EUR' }],
  };
  const inputs = [spec('income', 'float', ['N', 1])];
  expect(wanted(plan(inputs, ['income [eur]'], { pipeline }))).toEqual(['income [eur]']);
  expect(() => plan(inputs, ['income [USD]'], { pipeline })).toThrow(
    expect.objectContaining({
      code: 'invalid-input',
      message: 'The column income is in USD here, and the model expects EUR.',
    }),
  );
});

test('a column that two inputs read in different ways is read as text and made into both', async () => {
  const inputs = [spec('A', 'int64', ['N']), spec('B', 'float', ['N'])];
  const pipeline: Pipeline = {
    schemaVersion: 1,
    columns: [
      { name: 'v', kind: 'numeric', input: 'A' },
      { name: 'v', kind: 'numeric', input: 'B' },
    ],
  };
  const made = plan(inputs, ['v'], { pipeline });
  expect(made.wanted).toMatchObject([{ name: 'v', as: 'text' }]);
  const { tensors, bad } = await made.toFeeds(chunk([text('1', '2.5', ' 3.0 ', 'x')]));
  expect(tensors).toMatchObject({
    A: { data: BigInt64Array.of(1n, 3n) },
    B: { data: Float32Array.of(1, 3) },
  });
  expect(bad).toEqual([
    { at: 1, column: 'v', code: 'integer' },
    { at: 3, column: 'v', code: 'integer' },
  ]);
});

test('a fixed batch is filled up with its last row, and what that gives is dropped', async () => {
  const made = plan([spec('x', 'float', [4, 1])], ['x'], { outputs: [spec('y', 'float', [4, 2])] });
  expect(made.fixedBatch).toBe(4);
  const { tensors } = await made.toFeeds(chunk([numbers(1, 2)]));
  expect(tensors['x']).toMatchObject({ dims: [4, 1], data: Float32Array.of(1, 2, 2, 2) });
  const y = { type: 'float', dims: [4, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8) };
  expect(made.toColumns({ y }, 2)).toEqual([
    { name: 'y[0]', data: numbers(1, 3), float: true },
    { name: 'y[1]', data: numbers(2, 4), float: true },
  ]);
  expect(() => plan([spec('x', 'float', [4, 1]), spec('z', 'float', [3, 1])], ['x', 'z'])).toThrow(
    expect.objectContaining({ code: 'invalid-input' }),
  );
});

test('outputs become columns of their kind, named by their labels, and have names before a row is scored', () => {
  const outputs = [
    spec('label', 'int64', ['N']),
    spec('p', 'double', ['N', 2]),
    spec('name', 'string', ['N']),
    spec('flag', 'bool', ['N', 1]),
  ];
  const made = plan([spec('x', 'float', ['N', 1])], ['x'], {
    outputs,
    labelsByOutput: new Map([['p', ['good', 'bad']]]),
  });
  const columns = made.toColumns(
    {
      label: { type: 'int64', dims: [2], data: BigInt64Array.of(1n, 2n ** 62n) },
      p: { type: 'double', dims: [2, 2], data: Float64Array.of(0.1, 0.9, 0.2, 0.8) },
      name: { type: 'string', dims: [2], data: ['a', 'b'] },
      flag: { type: 'bool', dims: [2, 1], data: Uint8Array.of(0, 1) },
    },
    2,
  );
  expect(columns).toEqual([
    {
      name: 'label',
      data: { kind: 'integer', values: BigInt64Array.of(1n, 2n ** 62n), missing: undefined },
    },
    { name: 'p[good]', data: numbers(0.1, 0.2) },
    { name: 'p[bad]', data: numbers(0.9, 0.8) },
    { name: 'name', data: text('a', 'b') },
    { name: 'flag', data: { kind: 'boolean', values: Uint8Array.of(0, 1), missing: undefined } },
  ]);
  expect(made.toColumns({}, 0).map(({ name, data }) => [name, data.kind])).toEqual(
    columns.map(({ name, data }) => [name, data.kind]),
  );
});

test('an output without one entry per row, or of changing width, is refused', () => {
  const made = plan([spec('x', 'float', ['N', 1])], ['x'], {
    outputs: [spec('y', 'float', [null])],
  });
  const y = (length: number, rows: number) =>
    made.toColumns({ y: { type: 'float', dims: [rows], data: new Float32Array(length) } }, 2);
  expect(() => y(3, 3)).toThrow(expect.objectContaining({ code: 'unsupported' }));
  expect(y(2, 2)).toHaveLength(1);
  expect(() => y(4, 2)).toThrow(expect.objectContaining({ code: 'unsupported' }));
});

test('every row is either in the tensors or told as bad, and the tensors hold the numbers of the file', async () => {
  const width = 3;
  const made = plan([spec('x', 'float', ['N', width])], ['a', 'b', 'c']);
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          bad: fc.boolean(),
          cells: fc.tuple(fc.float(), fc.float(), fc.float()),
        }),
        { minLength: 1, maxLength: 40 },
      ),
      async (rows) => {
        const columns = [0, 1, 2].map((at) => numbers(...rows.map(({ cells }) => cells[at] ?? 0)));
        const known = rows.flatMap(({ bad }, at) =>
          bad ? [{ at, column: null, code: 'fields' as const }] : [],
        );
        const { kept, bad, tensors } = await made.toFeeds(chunk(columns, known));
        const infinite = (at: number): boolean =>
          rows[at]?.cells.some((cell) => Math.abs(cell) === Infinity) === true;
        expect(bad.map(({ at }) => at)).toEqual(
          [...rows.keys()].filter((at) => rows[at]?.bad === false && infinite(at)),
        );
        expect(kept.length + bad.length + known.length).toBe(rows.length);
        expect([...(tensors['x']?.data ?? [])]).toEqual(
          [...kept].flatMap((at) => rows[at]?.cells ?? []),
        );
      },
    ),
    { numRuns: 200 },
  );
});

test('the table of bindings tells what goes where, what is missing and what would be rejected', () => {
  const request = {
    pipeline: undefined,
    inputs: [
      spec('x', 'float', ['N', 2]),
      spec('age', 'int64', ['N', 1]),
      spec('who', 'string', ['N', 1]),
    ],
    columns: texts(['x_0', 'x_1', 'AGE', 'note']),
  };
  expect(
    previewBinding(request).explain({
      example: (column) => `one of ${column}`,
      bad: [{ at: 0, column: 'AGE', code: 'integer' }],
    }),
  ).toEqual({
    binding: [
      { column: 'x_0', input: 'x: x_0', type: 'float', example: 'one of x_0', problem: null },
      { column: 'x_1', input: 'x: x_1', type: 'float', example: 'one of x_1', problem: null },
      {
        column: 'AGE',
        input: 'age',
        type: 'int64',
        example: 'one of AGE',
        problem: 'Some of the first rows would be rejected: Not a whole number.',
      },
      {
        column: null,
        input: 'who',
        type: 'string',
        example: null,
        problem: 'The file has no column who.',
      },
    ],
    unusedColumns: ['note'],
    problems: ['The file has no column who.'],
  });
});
