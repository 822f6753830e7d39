import { hash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonlDriver } from '../../../../electron/domain/tables/jsonl/driver.ts';
import { fileSource, readTable } from '../../../support/read-table.ts';

const read = (
  content: Uint8Array | string,
  wanted: Parameters<typeof readTable>[2] = [],
  rows?: number,
) => readTable(jsonlDriver, fileSource(content), wanted, rows === undefined ? {} : { rows });

describe('JSON Lines', () => {
  test('keys are columns, what a row does not have is missing, and a mark at the start is none of them', async () => {
    const text =
      '\uFEFF{"a":1,"b":"x","c":true}\r\n\r\n  \n{"b":null,"d":2.5}\n{"a":-3.0,"c":false}';
    const { info, columns, rows, bad, raw, sha256 } = await read(text, [
      { name: 'a', as: 'number' },
      { name: 'b', as: 'text' },
      { name: 'c', as: 'boolean' },
      { name: 'd', as: 'number' },
    ]);
    expect(info.columns).toEqual([
      { name: 'a', type: 'integer' },
      { name: 'b', type: 'text' },
      { name: 'c', type: 'boolean' },
      { name: 'd', type: 'number' },
    ]);
    expect(rows).toBe(3);
    expect(columns).toEqual({
      a: [1, null, -3],
      b: ['x', null, null],
      c: [true, null, false],
      d: [null, 2.5, null],
    });
    expect(bad).toEqual([]);
    expect(raw).toEqual([
      ['1', 'x', 'true', ''],
      ['', '', '', '2.5'],
      ['-3', '', 'false', ''],
    ]);
    expect(sha256).toBe(hash('sha256', text));
  });

  test('a name twice in a record rejects it: the parser would take the last value and tell nobody', async () => {
    const { bad, columns } = await read(
      '{"a":1,"b":"8:00"}\n{"a":1,"a":2}\n{"a":3,"\\u0061":4}\n{"a":5,"b":{"a":1,"c":[":"]}}\n{"b":"\\":{","b":1}\n',
      [{ name: 'a', as: 'number' }],
    );
    expect(bad.map(({ row, code }) => [row, code])).toEqual([
      [2, 'twice'],
      [3, 'twice'],
      [5, 'twice'],
    ]);
    expect([columns['a']?.[0], columns['a']?.[3]]).toEqual([1, 5]);
  });

  test('64-bit integers keep every digit, as integers and as texts', async () => {
    const { columns, raw, bad } = await read(
      '{"id":9223372036854775807}\n{"id":-9223372036854775808}\n{"id":9007199254740993}\n{"id":1e3}\n{"id":9223372036854775808}\n{"id":1.5}\n',
      [{ name: 'id', as: 'integer' }],
    );
    expect(columns['id']?.slice(0, 4)).toEqual([
      2n ** 63n - 1n,
      -(2n ** 63n),
      9007199254740993n,
      1000n,
    ]);
    expect(raw[2]).toEqual(['9007199254740993']);
    expect(bad).toEqual([
      { row: 5, column: 'id', code: 'range' },
      { row: 6, column: 'id', code: 'integer' },
    ]);
    const texts = await read('{"id":9007199254740993}\n', [{ name: 'id', as: 'text' }]);
    expect(texts.columns['id']).toEqual(['9007199254740993']);
  });

  test('a line that is no row of plain values is one bad row, and the rest is read', async () => {
    const long = `{"a":"${'x'.repeat(10_000_000)}"}`;
    const lines: [Uint8Array | string, string | undefined][] = [
      ['{"a":1}', undefined],
      ['{"a":1', 'json'],
      ['[1]', 'json'],
      ['7', 'json'],
      ['{"a":{"deep":1}}', 'json'],
      ['{"a":[1]}', 'json'],
      ['{"a":"x"}', 'number'],
      ['{"a":1e400}', 'range'],
      ['{"a":"2.5"}', undefined],
      ['{"a":true}', undefined],
      [Buffer.from('7b2261223a22ff227d', 'hex'), 'encoding'],
      [long, 'length'],
      ['{"a":3}', undefined],
    ];
    const bytes = Buffer.concat(
      lines.map(([line]) => Buffer.concat([Buffer.from(line), Buffer.from('\n')])),
    );
    const { columns, bad, rows } = await read(bytes, [{ name: 'a', as: 'number' }]);
    expect(rows).toBe(lines.length);
    expect(bad).toEqual(
      lines.flatMap(([, code], at) =>
        code === undefined
          ? []
          : [
              {
                row: at + 1,
                column: /^(number|range)$/.test(code) || (code === 'json' && at > 3) ? 'a' : null,
                code,
              },
            ],
      ),
    );
    expect([0, 8, 9, 12].map((at) => columns['a']?.[at])).toEqual([1, 2.5, 1, 3]);
  });

  test('what every object inherits is no value of a row', async () => {
    const { columns } = await read('{"__proto__":1,"constructor":2}\n{"x":1}\n', [
      { name: '__proto__', as: 'number' },
      { name: 'constructor', as: 'number' },
    ]);
    // The test's own record takes no `__proto__`; the other column shows it.
    expect(columns['constructor']).toEqual([2, null]);
  });

  test.each([
    ['', /empty/],
    ['\n \n', /empty/],
    ['[{"a":1},{"a":2}]', /one JSON array/],
    ['\ufeff[\n  {"a":1},\n  {"a":2}\n]\n', /one JSON array.*jq/],
    ['a,b\n1,2\n', /none of its first rows/],
    [Buffer.from('{"a":1}\n', 'utf16le'), /none of its first rows/],
    [Buffer.alloc(3_000_000, '{"a":"'), /none of its first rows/],
  ])('says why a file is none: %#', async (content, message) => {
    await expect(read(content)).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringMatching(message) as unknown,
    });
  });

  test('rows are the same whatever the size of the file, of its lines and of the chunks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer(), fc.constantFrom(0, 10, 50_000, 700_000), fc.boolean()), {
          minLength: 1,
          maxLength: 30,
        }),
        fc.constantFrom(1, 3, 1000),
        async (facts, size) => {
          const text = facts
            .map(
              ([a, length, blank]) =>
                `${JSON.stringify({ a, b: 'y'.repeat(length) })}\n${blank ? '\n' : ''}`,
            )
            .join('');
          const { columns, bad } = await read(text, [{ name: 'a', as: 'number' }], size);
          expect(columns['a']).toEqual(facts.map(([a]) => a));
          expect(bad).toEqual([]);
        },
      ),
      { numRuns: 25 },
    );
  });
});
