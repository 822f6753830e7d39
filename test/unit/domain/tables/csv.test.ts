import { createHash } from 'node:crypto';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csvField } from '#platform/csv.ts';
import { cellText, createRowWriter, type ColumnData } from '#domain/tables/index.ts';
import {
  textToBoolean,
  textToInteger,
  textToNumber,
} from '../../../../electron/domain/tables/csv/cells.ts';
import { readCsv } from '../../../support/tables.ts';

const text = (rows: readonly (readonly string[])[], newline = '\n'): string =>
  rows.map((row) => row.map(csvField).join(',')).join(newline);

const cell = fc.string({
  unit: fc.constantFrom('a', 'é', '1', ',', '"', '\n', '\r\n', ' ', ';', '日', '\r'),
  maxLength: 8,
});

describe('reading separated values', () => {
  test('gives what csv-parse gives, wherever blocks and segments end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(cell, cell, cell), { maxLength: 12 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 60 }),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        async (rows, blockBytes, segmentBytes, newline, endsWithNewline) => {
          const file = text([['x', 'y', 'z'], ...rows], newline) + (endsWithNewline ? newline : '');
          const [, ...expected] = parse(file, { relax_column_count: true });
          const read = await readCsv(file, {
            blockBytes,
            segmentBytes,
            asked: { delimiter: ',', quote: '"', encoding: 'utf-8' },
          });
          expect(read.bad).toEqual([]);
          expect(read.raw).toEqual(expected);
          expect(read.columns).toEqual(
            [0, 1, 2].map((at) => expected.map((row) => (row[at] === '' ? null : row[at]))),
          );
          expect(read.sha256).toBe(createHash('sha256').update(file).digest('hex'));
        },
      ),
      { numRuns: 400 },
    );
  });

  test('every number is what Number() makes of it, to the last bit', async () => {
    const digits = (length: number) =>
      fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: length });
    const plain = fc
      .tuple(fc.constantFrom('', '-', '+'), digits(20), fc.option(digits(24)))
      .map(([sign, whole, part]) => `${sign}${whole}${part === null ? '' : `.${part}`}`);
    const number = fc.oneof(
      plain,
      fc
        .tuple(plain, fc.integer({ min: -320, max: 300 }))
        .map(([each, power]) => `${each}e${power}`),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
      fc.double({ min: -1, max: 1, noNaN: true }).map((value) => value.toFixed(19)),
      fc.constantFrom('.5', '5.', '-0', '1E5', '  7 ', '"8"', '"-1.25"'),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(number, { minLength: 1, maxLength: 40 }),
        fc.boolean(),
        async (numbers, raw) => {
          const read = await readCsv(`a,b\n${numbers.map((each) => `x,${each}`).join('\n')}`, {
            wanted: [{ name: 'b', as: 'number' }],
            ...(raw ? {} : { raw: false as const }),
          });
          const expected = numbers.map((each) => Number(each.replaceAll('"', '')));
          expect(read.bad.map(([row]) => row - 1)).toEqual(
            expected.flatMap((value, at) => (Number.isFinite(value) ? [] : [at])),
          );
          for (const [at, value] of expected.entries())
            if (Number.isFinite(value)) expect(read.columns[0]?.[at]).toBe(value);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('plain or not, a cell means what the rules say, and a row with a bad one is bad', async () => {
    const cell = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'0123456789.-+e x'), maxLength: 13 }),
      fc.double({ min: -1000, max: 1000, noNaN: true }).map((value) => value.toFixed(6)),
      fc.constantFrom('', 'NA', '1.2345\r', '-.5', '1.23456x', '1.23:4', '1.?999', '\r'),
      fc.constantFrom('0', '1', 'true', 'false', 'tru', 'falsey', 'True', '10', '01'),
      fc.integer({ min: -9_999_999_999, max: 9_999_999_999 }).map(String),
      fc.integer({ min: -200, max: 200 }).map(String),
    );
    const kinds = fc.constantFrom('number' as const, 'integer' as const, 'boolean' as const);
    const meaning = { number: textToNumber, integer: textToInteger, boolean: textToBoolean };
    const missing = { number: Number.NaN, integer: null, boolean: null };
    const row = fc.array(cell, { minLength: 2, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof({ weight: 4, arbitrary: fc.tuple(cell, cell, cell) }, row)),
        fc.constantFrom('\n', '\r\n'),
        fc.tuple(kinds, kinds, kinds),
        async (rows, newline, as) => {
          const read = await readCsv(
            `a,b,c${newline}${rows.map((fields) => fields.join(',')).join(newline)}`,
            {
              wanted: as.map((kind, at) => ({ name: 'abc'.charAt(at), as: kind })),
              asked: { delimiter: ',', quote: null },
              rows: 5,
              segmentBytes: 200,
              raw: false,
            },
          );
          const expected = rows.map((fields, at) => {
            const ended = newline === '\r\n' && at < rows.length - 1;
            const [last = ''] = fields.slice(-1);
            // A carriage return before the line break belongs to it, once.
            const cut = ended ? last : last.replace(/\r$/, '');
            return [...fields.slice(0, -1), cut].map((text, place) =>
              meaning[as[place] ?? 'number'](text),
            );
          });
          expect(read.bad).toEqual(
            expected.flatMap((cells, at): (number | string | null | undefined)[][] => {
              if (cells.length !== 3) return [[at + 1, null, 'fields']];
              const codes = cells.map((each) =>
                each !== 'missing' && 'code' in each ? each.code : undefined,
              );
              const bad = codes.findIndex((code) => code !== undefined);
              return bad < 0 ? [] : [[at + 1, 'abc'.charAt(bad), codes[bad]]];
            }),
          );
          const badRows = new Set(read.bad.map(([at]) => at - 1));
          for (const [at, cells] of expected.entries())
            if (!badRows.has(at))
              expect([0, 1, 2].map((column) => read.columns[column]?.[at])).toEqual(
                cells.map((each, place) => {
                  const kind = as[place] ?? 'number';
                  if (each === 'missing' || 'code' in each) return missing[kind];
                  return kind === 'boolean' ? Number(each.value) : each.value;
                }),
              );
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('integers keep all 64 bits, booleans have many names, what is missing is marked', async () => {
    const file =
      'n,i,b\n1.5,9223372036854775807,yes\nNA,-9223372036854775808,F\n,,\n"3",40.0,"1"\nnull,+7,none\n';
    const { columns, bad } = await readCsv(file, {
      wanted: [
        { name: 'i', as: 'integer' },
        { name: 'b', as: 'boolean' },
        { name: 'n', as: 'number' },
        { name: 'n', as: 'text' },
      ],
    });
    expect(bad).toEqual([]);
    expect(columns).toEqual([
      [2n ** 63n - 1n, -(2n ** 63n), null, 40n, 7n],
      [1, 0, null, 1, null],
      [1.5, Number.NaN, Number.NaN, 3, Number.NaN],
      ['1.5', 'NA', null, '3', 'null'],
    ]);
  });

  test('each bad row says why, with the first column from the left; a problem of the row comes first', async () => {
    const long = 'x'.repeat(2 ** 20 + 1);
    const file = Buffer.concat([
      Buffer.from('a,b,c\n1,2,é\n1.2.3,y,x\n1,2\n1,2,x,4\n1,"2"z,x\n1,2"2,x\nq,2,"x\n'),
      Buffer.from('y"\n1,99999999999999999999,x\n1e999,2,x\n1,2,'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from(`\n1,2,${long}\n1 234,2,é\n\n\r\n1,2,last`),
    ]);
    const { bad, columns } = await readCsv(file, {
      wanted: [
        { name: 'a', as: 'number' },
        { name: 'b', as: 'integer' },
        { name: 'c', as: 'text' },
      ],
      blockBytes: 1000,
    });
    expect(bad).toEqual([
      [2, 'a', 'number'],
      [3, null, 'fields'],
      [4, null, 'fields'],
      [5, null, 'quote'],
      [6, null, 'quote'],
      [7, 'a', 'number'],
      [8, 'b', 'range'],
      [9, 'a', 'range'],
      [10, null, 'encoding'],
      [11, null, 'length'],
      [12, 'a', 'number'],
    ]);
    expect(columns[2]?.at(-1)).toBe('last');
  });

  test('a float column refuses what no float holds', async () => {
    const { bad } = await readCsv('a\n3.4028235e38\n3.4028236e38\n-1e39\n', {
      wanted: [{ name: 'a', as: 'number', float: true }],
    });
    expect(bad).toEqual([
      [2, 'a', 'range'],
      [3, 'a', 'range'],
    ]);
  });

  test.each(['utf-8', 'utf-16le', 'utf-16be', 'windows-1252', 'iso-8859-1'] as const)(
    'reads %s, told or found',
    async (encoding) => {
      const rows = 'Größe;Preis\nweiß;1,5\nÄ"x;2\n"é\n;";-3,25\n';
      const encoded = encode(rows, encoding);
      for (const asked of [{ encoding }, {}]) {
        if (encoding === 'iso-8859-1' && asked.encoding === undefined) continue;
        const { info, columns, bad } = await readCsv(encoded, {
          asked,
          wanted: [
            { name: 'Größe', as: 'text' },
            { name: 'Preis', as: 'number' },
          ],
          blockBytes: 10,
        });
        expect(info.dialect).toEqual({ delimiter: ';', quote: '"', encoding, decimal: ',' });
        expect(bad).toEqual([[2, null, 'quote']]);
        expect([columns[0]?.[0], columns[0]?.[2]]).toEqual(['weiß', 'é\n;']);
        expect(columns[1]).toEqual([1.5, expect.anything(), -3.25]);
      }
    },
  );

  test.each([
    ['a,b\n1,2\n', ',', '.'],
    ['a;b\n1,5;2\n', ';', ','],
    ['a;b\n1.5;2\n', ';', '.'],
    ['a\tb\n1,5\t2\n', '\t', ','],
    ['a|b,c\n1|2\n', '|', '.'],
    ['\uFEFF"a;x",b\n1,2\n', ',', '.'],
    ['only\n1\n', ',', '.'],
    ["'a','b'\n'1,5','2'\n'3','4'\n", ',', '.'],
  ])('%j is divided by %j, decimals begin with %j', async (file, delimiter, decimal) => {
    const { info } = await readCsv(file);
    expect(info.dialect).toMatchObject({ delimiter, decimal });
  });

  test('thousands are never guessed at', async () => {
    const wanted = [{ name: 'a', as: 'number' as const }];
    expect((await readCsv('a;b\n1.234,5;1\n1,5;1\n', { wanted })).bad).toEqual([
      [1, 'a', 'number'],
    ]);
    expect((await readCsv('a;b\n1,234.5;1\n1.5;1\n', { wanted })).bad).toEqual([
      [1, 'a', 'number'],
    ]);
  });

  test('a whole number is one however it is written, and to the last digit', () => {
    const whole = {
      '1e3': 1000n,
      '3.500E+01': 35n,
      '0.001e3': 1n,
      '-100e-2': -1n,
      '9007199254740993.0': 9007199254740993n,
      '9.223372036854775807e18': 2n ** 63n - 1n,
      '0e9': 0n,
      '+07.': 7n,
    };
    for (const [text, value] of Object.entries(whole))
      expect(textToInteger(text), text).toEqual({ value });
    expect(textToInteger('1,5e1', ',')).toEqual({ value: 15n });
    for (const text of ['1e-1', '1.25e1', '1e', 'e3', '1.5', '1,5e1'])
      expect(textToInteger(text), text).toEqual({ code: 'integer' });
    for (const text of ['1e19', '9.223372036854775808e18', '1e9999'])
      expect(textToInteger(text), text).toEqual({ code: 'range' });
  });

  test('the character for what is no text is text in a file of UTF-8, whatever stands beside it', async () => {
    const { bad } = await readCsv('a,b\nx\uFFFDy,1\nz,\0\n', { asked: { encoding: 'utf-8' } });
    expect(bad).toEqual([[2, null, 'encoding']]);
  });

  test('a NUL byte costs its row and not the file, in every encoding and however the row is read', async () => {
    const file = 'a,b\n1,2\n3,\0\n5,x\0y\n7,8\n';
    for (const [encoding, content] of [
      ['utf-8', file],
      ['windows-1252', file],
      ['utf-16le', Buffer.from(file, 'utf16le')],
    ] as const)
      for (const wanted of [undefined, [{ name: 'a', as: 'number' as const }]]) {
        const { bad, columns } = await readCsv(content, {
          asked: { encoding },
          ...(wanted === undefined ? {} : { wanted, raw: false }),
        });
        expect(bad).toEqual([
          [2, null, 'encoding'],
          [3, null, 'encoding'],
        ]);
        expect(columns[0]?.[3]).toEqual(wanted === undefined ? '7' : 7);
      }
  });

  test.each([
    ['', 'corrupt'],
    ['\n1\n', 'corrupt'],
    ['a,a\n1,2\n', 'invalid-input'],
    ['a,b"c\n1,2\n', 'corrupt'],
    ['a,b\n1,"2\n3,4\n', 'corrupt'],
    ['a,"b\n1,2\n', 'corrupt'],
    ['a\0,b\n1,2\n', 'corrupt'],
    ['a,b\r1,2\r', 'corrupt'],
    ['PK\u0003\u0004\0\0\0', 'unsupported'],
    [`a,${'b'.repeat(2 ** 20)}\n1,2\n`, 'corrupt'],
    [Array.from({ length: 20_001 }, (_, at) => `c${at}`).join(','), 'limit'],
  ])('refuses %#: %s', async (file, code) => {
    await expect(readCsv(file)).rejects.toMatchObject({ code });
  });

  test('a row that never ends is refused by its number, before it is in memory', async () => {
    const file = `a,b\n1,2\n3,"${'x'.repeat(5000)}`;
    const sizes = { blockBytes: 100, segmentBytes: 1000, recordBytes: 2000 };
    await expect(readCsv(file, sizes)).rejects.toMatchObject({
      code: 'limit',
      message: /^Row 2 is longer/,
    });
    expect((await readCsv(`${file}"\n5,6\n`, { ...sizes, recordBytes: 6000 })).columns[0]).toEqual([
      '1',
      '3',
      '5',
    ]);
  });

  test('what Excel writes into the first line tells the delimiter and is no row, in every encoding', async () => {
    for (const encoding of ['utf-8', 'utf-16le', 'windows-1252']) {
      const content = 'SEP=|\r\na;b|c\r\n1;2|3,5\r\n4|5\r\n';
      const { info, columns, bad } = await readCsv(encode(content, encoding));
      expect(info.dialect?.delimiter).toBe('|');
      expect(info.columns.map(({ name }) => name)).toEqual(['a;b', 'c']);
      expect({ columns, bad }).toEqual({
        columns: [
          ['1;2', '4'],
          ['3,5', '5'],
        ],
        bad: [],
      });
    }
    // Said is said, and a column may be called so.
    expect((await readCsv('sep=;\na,b\n1,2\n', { asked: { delimiter: ',' } })).columns).toEqual([
      ['1'],
      ['2'],
    ]);
    const { info } = await readCsv('sep=a\n1\n');
    expect(info.columns.map(({ name }) => name)).toEqual(['sep=a']);
  });

  test('a column that is there twice is told by its place, spreadsheets and packed files by name', async () => {
    const header = Array.from({ length: 30 }, (_, at) => `c${at === 29 ? 1 : at}`).join(',');
    await expect(readCsv(`${header}\n`)).rejects.toMatchObject({
      code: 'invalid-input',
      message: /^Columns 2 and 30 \(B and AD in a spreadsheet\)/,
    });
    for (const [start, says] of [
      ['PK\u0003\u0004\u0014\0\u0006\0[Content_Types].xml', /spreadsheet.*as CSV/],
      ['PK\u0003\u0004\0\0mimetypeapplication/vnd.oasis.opendocument.spreadsheet', /spreadsheet/],
      ['\u00D0\u00CF\u0011\u00E0\u00A1\u00B1', /spreadsheet/],
      ['PK\u0003\u0004\u0014\0\u0006\0may.csv', /Unpack/],
      ['\u001F\u008B\u0008', /Unpack/],
    ] as const)
      await expect(
        readCsv(Buffer.from(`${start}${'\0\u0007'.repeat(50)}`, 'latin1')),
      ).rejects.toMatchObject({ code: 'unsupported', message: says });
  });

  test('missing is what pandas takes for it; errors of a spreadsheet are none', async () => {
    const texts = ['#N/A', '#na', '<NA>', '-NaN', '1.#IND', '-1.#QNAN', 'NULL', 'n/a', '#NUM!'];
    const { columns, bad } = await readCsv(`n\n${texts.join('\n')}\n`, {
      wanted: [{ name: 'n', as: 'integer' }],
    });
    expect(columns[0]?.slice(0, -1)).toEqual(texts.slice(0, -1).map(() => null));
    expect(bad).toEqual([[texts.length, 'n', 'integer']]);
  });

  test('a dialect that cannot be is refused', async () => {
    for (const asked of [
      { delimiter: '"' },
      { delimiter: ';;' },
      { delimiter: '1' },
      { delimiter: ',', decimal: ',' },
    ] as const)
      await expect(readCsv('a,b\n1,2\n', { asked })).rejects.toMatchObject({
        code: 'invalid-input',
      });
  });
});

function encode(content: string, encoding: string): Uint8Array {
  if (encoding === 'utf-8') return Buffer.from(content);
  if (encoding === 'windows-1252' || encoding === 'iso-8859-1')
    return Buffer.from(content, 'latin1');
  const wide = Buffer.from(content, 'utf16le');
  return encoding === 'utf-16le' ? wide : wide.swap16();
}

describe('writing', () => {
  const written = (
    columns: readonly { data: ColumnData; float: boolean }[],
    rows: number,
  ): string => {
    const parts: Buffer[] = [];
    const writer = createRowWriter((bytes) => parts.push(Buffer.from(bytes)));
    writer.rows(
      Float64Array.from({ length: rows }, (_, at) => at + 1),
      undefined,
      columns.map(({ data, float }) => ({ name: 'y', data, float })),
    );
    writer.flush();
    return Buffer.concat(parts).toString();
  };

  test('floats are the shortest text that reads back as the same float, like the slow way writes them', () => {
    const bits = fc.integer({ min: 0, max: 2 ** 32 - 1 }).map((value) => {
      const view = new DataView(new ArrayBuffer(4));
      view.setUint32(0, value);
      return view.getFloat32(0);
    });
    const usual = fc.float({ noNaN: true, min: -1000, max: 1000 });
    fc.assert(
      fc.property(fc.array(fc.oneof(bits, usual), { minLength: 1, maxLength: 50 }), (values) => {
        const data: ColumnData = { kind: 'number', values: Float64Array.from(values) };
        const lines = written([{ data, float: true }], values.length)
          .trimEnd()
          .split('\n');
        for (const [at, value] of values.entries()) {
          const [row, number = ''] = lines[at]?.split(',') ?? [];
          expect(row).toBe(String(at + 1));
          expect(number).toBe(cellText(data, at, true));
          expect(Math.fround(Number(number))).toBe(value);
        }
      }),
      { numRuns: 300 },
    );
  });

  test.each([true, false])('zero keeps its sign (as a float: %s)', (float) => {
    const data: ColumnData = { kind: 'number', values: Float64Array.of(0, -0) };
    expect(written([{ data, float }], 2)).toBe('1,0\n2,-0\n');
    expect([0, 1].map((row) => cellText(data, row, float))).toEqual(['0', '-0']);
  });

  test('doubles, integers, booleans and texts', () => {
    const columns = [
      { data: { kind: 'number', values: Float64Array.of(0.1, -1e21, Number.NaN) }, float: false },
      {
        data: {
          kind: 'integer',
          values: BigInt64Array.of(-5n, 2n ** 63n - 1n, 10n ** 15n),
          missing: undefined,
        },
        float: false,
      },
      {
        data: { kind: 'boolean', values: Uint8Array.of(1, 0, 1), missing: Uint8Array.of(0, 0, 1) },
        float: false,
      },
      { data: { kind: 'text', values: ['a,b', null, `x${'é'.repeat(200_000)}`] }, float: false },
    ] satisfies { data: ColumnData; float: boolean }[];
    expect(written(columns, 3)).toBe(
      `1,0.1,-5,true,"a,b"\n2,-1e+21,9223372036854775807,false,\n3,NaN,1000000000000000,,x${'é'.repeat(200_000)}\n`,
    );
  });
});
