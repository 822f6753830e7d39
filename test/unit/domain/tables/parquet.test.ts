import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { WantedColumn } from '#domain/tables/index.ts';
import { parquetDriver } from '../../../../electron/domain/tables/parquet/driver.ts';
import { parquetFile } from '../../../support/duckdb.ts';
import { fileSource, openSource, readTable } from '../../../support/read-table.ts';

const read = async (select: string, wanted: readonly WantedColumn[] = [], options = '') =>
  readTable(parquetDriver, openSource(await parquetFile(select, options)), wanted);

describe('Parquet', () => {
  test('every type of value comes as what was asked for', async () => {
    const { info, columns, bad, raw } = await read(
      `SELECT * FROM (VALUES
        (true, 1::TINYINT, 9223372036854775807, 18446744073709551615::UBIGINT, 0.1::FLOAT, 1/3::DOUBLE, 12.5::DECIMAL(9,2), 'x', DATE '2031-05-01', TIMESTAMP '2031-05-01 08:09:10.5', TIMESTAMP_NS '2031-05-01 08:09:10.123456789', TIMESTAMPTZ '2031-05-01 08:00:00+02', TIME '08:09:10', 'b'::BLOB, [1,2], {'k': 1}, 'red'::ENUM('red','blue'), '6ad0f1fe-5b9e-4d8c-9b1c-0123456789ab'::UUID),
        (null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null)
       ) t(flag, small, big, ubig, flo, dou, deci, txt, day, ts, tsns, tstz, tim, bin, lst, rec, enu, uid)`,
      [
        { name: 'flag', as: 'boolean' },
        { name: 'small', as: 'number' },
        { name: 'big', as: 'integer' },
        { name: 'ubig', as: 'text' },
        { name: 'flo', as: 'number', float: true },
        { name: 'dou', as: 'number' },
        { name: 'deci', as: 'number' },
        { name: 'txt', as: 'text' },
        { name: 'day', as: 'text' },
        { name: 'ts', as: 'text' },
        { name: 'tsns', as: 'text' },
        { name: 'tstz', as: 'text' },
        { name: 'tim', as: 'text' },
        { name: 'bin', as: 'bytes' },
        { name: 'enu', as: 'text' },
        { name: 'uid', as: 'text' },
      ],
    );
    expect(info.columns.map(({ type }) => type).join(' ')).toBe(
      'boolean integer integer integer number number number text text text text text text bytes list list text text',
    );
    expect(Object.values(columns).map(([first]) => first)).toEqual([
      true,
      1,
      2n ** 63n - 1n,
      '18446744073709551615',
      Math.fround(0.1),
      1 / 3,
      12.5,
      'x',
      '2031-05-01',
      '2031-05-01T08:09:10.500',
      '2031-05-01T08:09:10.123456789',
      '2031-05-01T06:00:00Z',
      '08:09:10',
      'b',
      'red',
      '6ad0f1fe-5b9e-4d8c-9b1c-0123456789ab',
    ]);
    expect(Object.values(columns).map(([, second]) => second)).toEqual(Array(16).fill(null));
    expect(bad).toEqual([]);
    expect(raw[0]?.slice(0, 7)).toEqual([
      'true',
      '1',
      '9223372036854775807',
      '18446744073709551615',
      '0.1',
      '0.3333333333333333',
      '12.50',
    ]);
    expect(raw[0]?.slice(13)).toEqual([
      '[1, 2]',
      "{'k': 1}",
      'red',
      '6ad0f1fe-5b9e-4d8c-9b1c-0123456789ab',
    ]);
  });

  test('what does not fit is the first reason of its row', async () => {
    const { bad, columns } = await read(
      `SELECT * FROM (VALUES (1e300, 5.0, 'yes', 1::UBIGINT), ('nan', 5.5, 'maybe', 18446744073709551615), ('inf', 7.0, '', 2), (2.0, null, 'no', 3)) t(a, b, c, d)`,
      [
        { name: 'a', as: 'number', float: true },
        { name: 'b', as: 'integer' },
        { name: 'c', as: 'boolean' },
        { name: 'd', as: 'integer' },
      ],
    );
    expect(bad).toEqual([
      { row: 1, column: 'a', code: 'range' },
      { row: 2, column: 'b', code: 'integer' },
      { row: 3, column: 'a', code: 'range' },
    ]);
    expect([columns['a']?.[1], columns['b']?.[3], columns['c']?.[2], columns['d']?.[3]]).toEqual([
      null,
      null,
      null,
      3n,
    ]);
  });

  test('rows keep their order and number in any number of groups and segments', async () => {
    const select = 'SELECT i AS id, (i * 0.5)::DOUBLE AS x, i::VARCHAR AS t FROM range(20000) r(i)';
    const segmentsByGroups = [
      // One group, three of 6144 and 1568, ten of 2048.
      ['', [0, 10_000, 20_000]],
      [', ROW_GROUP_SIZE 6144', [0, 6144, 12_288, 18_432, 20_000]],
      [', ROW_GROUP_SIZE 2048', [0, 4096, 8192, 12_288, 16_384, 20_000]],
    ] as const;
    for (const [options, borders] of segmentsByGroups) {
      const path = await parquetFile(select, options);
      const { segments, rows, columns, sha256 } = await readTable(parquetDriver, openSource(path), [
        { name: 't', as: 'text' },
        { name: 'x', as: 'number' },
        { name: 'id', as: 'integer' },
      ]);
      expect(rows).toBe(20_000);
      expect(segments.map(({ from, to }) => [from, to])).toEqual(
        borders.slice(1).map((to, at) => [borders[at], to]),
      );
      expect(columns['id']?.every((id, at) => id === BigInt(at))).toBe(true);
      expect(columns['x']?.every((x, at) => x === at / 2)).toBe(true);
      expect(columns['t']?.every((t, at) => t === String(at))).toBe(true);
      expect(sha256).toBe(hash('sha256', readFileSync(path)));
    }
  });

  test('a list is no value of an input, a cell of 10 MB is a bad row, an empty table has no rows', async () => {
    await expect(read('SELECT [1] AS a', [{ name: 'a', as: 'number' }])).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringContaining('lists or records') as unknown,
    });
    const { bad } = await read(`SELECT repeat('x', 10000000) AS a UNION ALL SELECT 'y'`, [
      { name: 'a', as: 'text' },
    ]);
    expect(bad).toEqual([{ row: 1, column: 'a', code: 'length' }]);
    expect(await read('SELECT 1 AS a WHERE false', [{ name: 'a', as: 'number' }])).toMatchObject({
      rows: 0,
      segments: [],
    });
    const quoted = await read(`SELECT 1 AS "a""b'; DROP TABLE x"`, [
      { name: `a"b'; DROP TABLE x`, as: 'number' },
    ]);
    expect(Object.values(quoted.columns)).toEqual([[1]]);
  });

  test('a billion rows that are only claimed are not believed', async () => {
    const path = await parquetFile('SELECT i AS a FROM range(9731) r(i)', ', ROW_GROUP_SIZE 10000');
    const read = (file: Buffer) =>
      readTable(parquetDriver, fileSource(file), [{ name: 'a', as: 'number' }]);
    const billions = claimRows(readFileSync(path), 9731, 2_000_000_000);
    await expect(read(billions.once)).rejects.toMatchObject({ code: 'corrupt' });
    await expect(read(billions.everywhere)).rejects.toMatchObject({ code: 'limit' });
    const millions = claimRows(readFileSync(path), 9731, 9_000_000);
    await expect(read(millions.everywhere)).rejects.toMatchObject({ code: 'corrupt' });
  });

  test('a billion rows that are there, in four kilobytes, are not scored into a full disk', async () => {
    const path = await parquetFile(
      'SELECT 1 AS a FROM range(20000000)',
      ', ROW_GROUP_SIZE 20000000',
    );
    await expect(
      readTable(parquetDriver, fileSource(readFileSync(path)), [{ name: 'a', as: 'number' }]),
    ).rejects.toMatchObject({ code: 'limit', message: /claims 20000000 rows/ });
  });

  test.each([
    ['empty', () => Buffer.alloc(0)],
    ['a CSV', () => Buffer.from('a,b\n1,2\n')],
    ['cut off at the end', (whole: Buffer) => whole.subarray(0, -3)],
    ['cut off at the start', (whole: Buffer) => whole.subarray(100)],
    [
      'cut off in the middle',
      (whole: Buffer) => Buffer.concat([whole.subarray(0, 2000), whole.subarray(-800)]),
    ],
    ['nothing but a footer', (whole: Buffer) => whole.subarray(-8)],
  ])('a file that is %s is corrupt, and nothing else', async (_how, change) => {
    const whole = readFileSync(
      await parquetFile('SELECT i AS a, random() AS b FROM range(3000) r(i)'),
    );
    await expect(
      readTable(parquetDriver, fileSource(change(whole)), [{ name: 'b', as: 'number' }]),
    ).rejects.toMatchObject({ code: 'corrupt' });
  });
});

/** The same file with another number of rows in its footer: in the first place only, and wherever it stands. */
function claimRows(
  file: Buffer,
  rows: number,
  claimed: number,
): { once: Buffer; everywhere: Buffer } {
  const footerBytes = file.readUInt32LE(file.length - 8);
  const body = file.subarray(0, file.length - 8 - footerBytes);
  const footer = file.subarray(body.length, -8).toString('latin1');
  const [before, after] = [rows, claimed].map((count) => zigzag(count)) as [string, string];
  if (footer.split(before).length < 3) throw new Error('The footer does not name the rows.');
  const pack = (text: string): Buffer => {
    const changed = Buffer.from(text, 'latin1');
    const tail = Buffer.from('....PAR1');
    tail.writeUInt32LE(changed.length);
    return Buffer.concat([body, changed, tail]);
  };
  return {
    once: pack(footer.replace(before, after)),
    everywhere: pack(footer.replaceAll(before, after)),
  };
}

/** As Thrift's compact protocol writes an i64. */
function zigzag(value: number): string {
  let rest = BigInt(value) * 2n;
  let text = '';
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    text += String.fromCharCode(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return text;
}
