import { hash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { zstdCompressSync } from 'node:zlib';
import {
  Binary,
  Bool,
  CompressionType,
  compressionRegistry,
  DateDay,
  Decimal,
  Dictionary,
  Float16,
  Float32,
  Float64,
  Int32,
  Int64,
  List,
  makeData,
  makeVector,
  Null,
  Field,
  RecordBatch,
  RecordBatchFileWriter,
  RecordBatchStreamWriter,
  Table,
  TimeMillisecond,
  TimestampNanosecond,
  TimestampSecond,
  Uint64,
  Utf8,
  vectorFromArray,
  Vector,
} from 'apache-arrow';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { WantedColumn } from '#domain/tables/index.ts';
import { arrowDriver } from '../../../../electron/domain/tables/arrow/driver.ts';
import { decodeLz4Frame } from '../../../../electron/domain/tables/arrow/lz4.ts';
import { fileSource, readTable } from '../../../support/read-table.ts';

type Columns = Record<string, Vector>;

function write(
  tables: readonly (Table | Columns)[],
  how: 'file' | 'stream' = 'file',
  compressionType: CompressionType | null = null,
): Buffer {
  const writer =
    how === 'file'
      ? new RecordBatchFileWriter({ compressionType })
      : new RecordBatchStreamWriter({ compressionType });
  const whole = tables.map((table) => (table instanceof Table ? table : new Table(table)));
  const schema = whole[0]?.schema;
  for (const batch of whole.flatMap((table) => table.batches))
    writer.write(new RecordBatch(schema ?? batch.schema, batch.data));
  writer.finish();
  return Buffer.from(writer.toUint8Array(true));
}

const read = (content: Uint8Array, wanted: readonly WantedColumn[] = [], rows = 1000) =>
  readTable(arrowDriver, fileSource(content), wanted, { rows });

/** One type for all batches: each has a number of its own, by which the schema names its dictionary. */
const colour = new Dictionary(new Utf8(), new Int32());

const numbers = (count: number, from = 0): Columns => ({
  id: vectorFromArray(
    Array.from({ length: count }, (_, at) => BigInt(from + at)),
    new Int64(),
  ),
  x: vectorFromArray(
    Array.from({ length: count }, (_, at) => (from + at) / 2),
    new Float32(),
  ),
  t: vectorFromArray(
    Array.from({ length: count }, (_, at) => `row ${from + at}`),
    new Utf8(),
  ),
  c: vectorFromArray(
    Array.from({ length: count }, (_, at) => ['red', 'blue'][(from + at) % 2]),
    colour,
  ),
});
/** Each batch of a stream has a dictionary of its own; those of a file share theirs, as the format wants it. */
function batchesOf(sizes: readonly number[], how: 'file' | 'stream'): (Table | Columns)[] {
  const starts = sizes.map((_, at) => sizes.slice(0, at).reduce((sum, size) => sum + size, 0));
  if (how === 'stream') return sizes.map((size, at) => numbers(size, starts[at]));
  const all = new Table(numbers(sizes.reduce((sum, size) => sum + size, 0)));
  return sizes.map((size, at) => all.slice(starts[at], (starts[at] ?? 0) + size));
}

const wanted: readonly WantedColumn[] = [
  { name: 'c', as: 'text' },
  { name: 'id', as: 'integer' },
  { name: 'x', as: 'number', float: true },
  { name: 't', as: 'text' },
];

describe('Arrow', () => {
  test('a column of nulls alone is one', async () => {
    const nulls = new Vector([makeData({ type: new Null(), length: 2 })]);
    const content = write([{ a: vectorFromArray([1, 2], new Float32()), note: nulls }]);
    const { columns, rows } = await read(content, [
      { name: 'a', as: 'number' },
      { name: 'note', as: 'text' },
    ]);
    expect(rows).toBe(2);
    expect(columns).toMatchObject({ a: [1, 2], note: [null, null] });
  });

  test('more rows than such a file can hold of values are a limit, before they are scored', async () => {
    compressionRegistry.set(CompressionType.ZSTD, {
      ...compressionRegistry.get(CompressionType.ZSTD),
      encode: zstdCompressSync,
    });
    const zeros = new Table({ a: makeVector(new Float32Array(1_000_000)) });
    const content = write(
      Array.from({ length: 11 }, () => zeros),
      'file',
      CompressionType.ZSTD,
    );
    expect(content.length).toBeLessThan(100_000);
    await expect(read(content)).rejects.toMatchObject({ code: 'limit' });
  });

  test('every type of value comes as what was asked for', async () => {
    const content = write([
      {
        flag: vectorFromArray([true, null], new Bool()),
        big: vectorFromArray([2n ** 63n - 1n, null], new Int64()),
        ubig: vectorFromArray([2n ** 64n - 1n, null], new Uint64()),
        half: vectorFromArray([1.5, null], new Float16()),
        flo: vectorFromArray([0.1, null], new Float32()),
        dou: vectorFromArray([1 / 3, null], new Float64()),
        deci: vectorFromArray(
          [new Uint32Array([0xfffffb1e, 0xffffffff, 0xffffffff, 0xffffffff]), null],
          new Decimal(2, 9, 128),
        ),
        txt: vectorFromArray(['ä', null], new Utf8()),
        day: vectorFromArray([new Date('2031-05-01T00:00:00Z'), null], new DateDay()),
        ts: vectorFromArray([Date.UTC(2031, 4, 1, 8), null], new TimestampSecond()),
        tz: vectorFromArray([Date.UTC(2031, 4, 1, 8), null], new TimestampSecond('Europe/Berlin')),
        tim: vectorFromArray([29_350_500, null], new TimeMillisecond()),
        bin: vectorFromArray([Buffer.from('b'), null], new Binary()),
        dic: vectorFromArray(['red', null], new Dictionary(new Utf8(), new Int32())),
      },
    ]);
    const as = [
      'boolean',
      'integer',
      'text',
      'number',
      'number',
      'number',
      'number',
      'text',
      'text',
      'text',
      'text',
      'text',
      'bytes',
      'text',
    ] as const;
    const names = [
      'flag',
      'big',
      'ubig',
      'half',
      'flo',
      'dou',
      'deci',
      'txt',
      'day',
      'ts',
      'tz',
      'tim',
      'bin',
      'dic',
    ];
    const { info, columns, bad } = await read(
      content,
      names.map((name, at) => ({ name, as: as[at] ?? 'text' })),
    );
    expect(info.columns.map(({ type }) => type).join(' ')).toBe(
      'boolean integer integer number number number number text text text text text bytes text',
    );
    expect(names.map((name) => columns[name]?.[0])).toEqual([
      true,
      2n ** 63n - 1n,
      '18446744073709551615',
      1.5,
      Math.fround(0.1),
      1 / 3,
      -12.5,
      'ä',
      '2031-05-01',
      '2031-05-01T08:00:00',
      '2031-05-01T08:00:00Z',
      '08:09:10.500',
      'b',
      'red',
    ]);
    expect(names.map((name) => columns[name]?.[1])).toEqual(names.map(() => null));
    expect(bad).toEqual([]);
  });

  test('nanoseconds keep every digit', async () => {
    const nanos = vectorFromArray([0], new TimestampNanosecond());
    const values = nanos.data[0]?.values as BigInt64Array;
    values[0] = 1_935_993_600_123_456_789n;
    const { columns } = await read(write([{ n: nanos }]), [{ name: 'n', as: 'text' }]);
    expect(columns['n']).toEqual(['2031-05-08T08:00:00.123456789']);
  });

  test('rows keep their order in files and streams, compressed or not, whatever the batches and chunks', async () => {
    for (const codec of [CompressionType.ZSTD, CompressionType.LZ4_FRAME])
      compressionRegistry.set(codec, {
        ...compressionRegistry.get(codec),
        encode: codec === CompressionType.ZSTD ? zstdCompressSync : storedLz4,
      });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 2000 }), { minLength: 1, maxLength: 5 }),
        fc.constantFrom('file' as const, 'stream' as const),
        fc.constantFrom(null, CompressionType.ZSTD, CompressionType.LZ4_FRAME),
        fc.constantFrom(7, 1000),
        async (sizes, how, compression, chunk) => {
          const content = write(batchesOf(sizes, how), how, compression);
          const table = await read(content, wanted, chunk);
          expect(table.rows).toBe(sizes.reduce((sum, size) => sum + size, 0));
          expect(table.bad).toEqual([]);
          expect(table.sha256).toBe(hash('sha256', content));
          expect(table.columns['id']?.every((id, at) => id === BigInt(at))).toBe(true);
          expect(table.columns['x']?.every((x, at) => x === at / 2)).toBe(true);
          expect(table.columns['t']?.every((t, at) => t === `row ${at}`)).toBe(true);
          expect(table.columns['c']?.every((c, at) => c === ['red', 'blue'][at % 2])).toBe(true);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('segments divide a larger file and are read alone', async () => {
    for (const how of ['file', 'stream'] as const) {
      const source = fileSource(write(batchesOf(Array<number>(12).fill(4000), how), how));
      const { segments, rows } = await readTable(arrowDriver, source, wanted, { rows: 512 });
      expect(segments.length).toBeGreaterThan(3);
      expect(rows).toBe(48_000);
      const info = await arrowDriver.describe(source, {});
      const reader = await arrowDriver.open(source, info, { wanted, rows: 512, raw: false });
      const [first] = await Array.fromAsync(reader.read(segments[2] ?? fail()));
      const column = first?.columns[0];
      expect(column?.kind === 'text' && column.values[0]).toBe(
        ['red', 'blue'][((segments[2]?.firstRow ?? 0) - 1) % 2],
      );
    }
  });

  test('a list is no value of an input, bytes that are no text and long cells are bad rows', async () => {
    const list = new List(new Field('item', new Int32(), true));
    await expect(
      read(write([{ a: vectorFromArray([[1]], list) }]), [{ name: 'a', as: 'number' }]),
    ).rejects.toMatchObject({ code: 'invalid-input' });
    const texts = vectorFromArray(['ok', 'x?x', 'fine \uFFFD', 'y'.repeat(2_000_000)], new Utf8());
    const values = texts.data[0]?.values as Uint8Array;
    values[values.indexOf(63)] = 0xff;
    const { bad, columns } = await read(write([{ t: texts }]), [{ name: 't', as: 'text' }]);
    expect(bad).toEqual([
      { row: 2, column: 't', code: 'encoding' },
      { row: 4, column: 't', code: 'length' },
    ]);
    expect(columns['t']?.[2]).toBe('fine \uFFFD');
  });

  test.each([
    ['empty', () => Buffer.alloc(0)],
    ['a CSV', () => Buffer.from('a,b\n1,2\n3,4\n5,6\n')],
    ['cut off at the end', (whole: Buffer) => whole.subarray(0, -30)],
    ['cut off at the start', (whole: Buffer) => whole.subarray(64)],
    ['nothing but its magic', () => Buffer.from('ARROW1\0\0')],
  ])('a file that is %s is corrupt', async (_how, change) => {
    await expect(read(change(write([numbers(100)])), wanted)).rejects.toMatchObject({
      code: 'corrupt',
    });
  });

  test('a changed byte gives other values or an error of the file, and never anything else', async () => {
    const whole = write(batchesOf([50, 30], 'file'));
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: whole.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        async (at, change) => {
          const changed = Buffer.from(whole);
          changed[at] = (changed[at] ?? 0) ^ change;
          const outcome = await read(changed, wanted).then(
            ({ rows }) => rows,
            (error: unknown) => (error as { code?: string }).code,
          );
          expect(
            ['corrupt', 'unsupported', 'limit', 'invalid-input', 'io', 'number'],
            `byte ${at}`,
          ).toContain(typeof outcome === 'number' ? 'number' : outcome);
        },
      ),
      { numRuns: 400 },
    );
  });
});

/** A frame whose blocks are stored as they are. */
function storedLz4(data: Uint8Array): Uint8Array {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(data.length + 0x80000000);
  return Buffer.concat([Buffer.from('04224d18604082', 'hex'), size, data, Buffer.alloc(4)]);
}

const lz4 = '/usr/bin/lz4';

describe('LZ4', () => {
  // Made with `lz4` 1.9.4 of Debian 12.
  const golden = Buffer.from('BCJNGGRApxAAAABvaGVsbG8gBgAFUGhlbGxvAAAAAL2c1nQ=', 'base64');

  test('frames of the reference implementation', () => {
    expect(Buffer.from(decodeLz4Frame(golden, 1000)).toString()).toBe(
      'hello hello hello hello hello hello',
    );
    expect(() => decodeLz4Frame(golden, 10)).toThrow(RangeError);
  });

  test('no damage leads out of its bounds', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: golden.length - 1 }),
        fc.nat({ max: 255 }),
        fc.nat({ max: 40 }),
        (at, byte, cut) => {
          const changed = Buffer.from(golden.subarray(0, golden.length - cut));
          if (at < changed.length) changed[at] = byte;
          try {
            expect(decodeLz4Frame(changed, 10_000).length).toBeLessThanOrEqual(10_000);
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError);
          }
        },
      ),
    );
  });

  test.runIf(existsSync(lz4))('what the command line tool packs', () => {
    const plain = Buffer.concat([
      Buffer.from('the quick brown fox '.repeat(20_000)),
      randomBytes(5000),
      Buffer.alloc(100_000),
    ]);
    for (const options of [
      [],
      ['-BD', '-B4'],
      ['--content-size', '-BX'],
      ['-9', '--no-frame-crc'],
    ]) {
      const packed = execFileSync(lz4, ['-q', '-c', ...options], { input: plain });
      expect(plain.equals(decodeLz4Frame(packed, 2 ** 20)), options.join(' ')).toBe(true);
    }
  });
});

function fail(): never {
  throw new Error('There is no such segment.');
}
