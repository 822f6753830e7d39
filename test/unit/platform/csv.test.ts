import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csvField, openCsv, type CsvRecord } from '#platform/csv.ts';

async function* cut(text: string, step: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
}

async function readAll(
  text: string,
  step = 7,
): Promise<{ header: readonly string[]; records: CsvRecord[] }> {
  const table = await openCsv(cut(text, step));
  const records: CsvRecord[] = [];
  for await (const batch of table.records()) records.push(...batch);
  return { header: table.header, records };
}

const cell = fc.string({
  unit: fc.constantFrom('a', 'é', '1', ',', '"', '\n', '\r\n', ' ', ';', '日'),
  maxLength: 8,
});

describe('CSV', () => {
  test('reads what csv-parse reads, however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(cell, cell, cell), { maxLength: 12 }),
        fc.integer({ min: 1, max: 40 }),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        async (rows, step, newline, finalNewline) => {
          const text =
            [['x', 'y', 'z'], ...rows].map((row) => row.map(csvField).join(',')).join(newline) +
            (finalNewline ? newline : '');
          const expected = parse(text, { relax_column_count: true });
          const { header, records } = await readAll(text, step);
          expect([header, ...records.map(({ fields }) => fields)]).toEqual(expected);
          expect(records.every(({ problem }) => problem === undefined)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('knows byte order marks, semicolons, tabs and quoted headers', async () => {
    expect(await readAll('\uFEFFa;b\n1;2\n')).toMatchObject({
      header: ['a', 'b'],
      records: [{ row: 1, fields: ['1', '2'] }],
    });
    expect((await readAll('a\tb\n1\t2')).records).toMatchObject([{ fields: ['1', '2'] }]);
    expect((await readAll('"a,1","b ""x"""\n1,2')).header).toEqual(['a,1', 'b "x"']);
  });

  test('hands on records that cannot be read, with their row and a problem', async () => {
    const { records } = await readAll('a,b\n1,2\n1\n1,2,3\nx"y,2\n"x"y,2\n\n5,6\n');
    expect(records.map(({ row, problem }) => [row, problem])).toEqual([
      [1, undefined],
      [2, 'fields'],
      [3, 'fields'],
      [4, 'quote'],
      [5, 'quote'],
      [6, undefined],
    ]);
    const latin1 = await openCsv(
      (async function* () {
        yield Buffer.from('a,b\nJos\xe9,1\n', 'latin1');
      })(),
    );
    expect((await latin1.records().next()).value).toMatchObject([{ row: 1, problem: 'encoding' }]);
  });

  test.each([
    ['', 'no header'],
    ['\n\n', 'no header'],
    ['a,b,a\n1,2,3', 'Columns 1 and 3 have the same name'],
    ['a\0b,c', 'binary'],
    ['a,b\n1,"never closed\n2,3\n', 'never closed'],
    ['a,b\n1,"' + 'x'.repeat(1_100_000), 'longer than a megabyte'],
  ])('refuses %#', async (text, message) => {
    await expect(readAll(text, 65_536)).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining(message) as string,
    });
  });
});
