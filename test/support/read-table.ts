/** Files of rows as a child sees them, and what a driver reads from them. */
import { closeSync, fstatSync, openSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type {
  BadRow,
  Chunk,
  Dialect,
  Segment,
  TableDriver,
  TableInfo,
  TableSource,
  WantedColumn,
} from '#domain/tables/index.ts';
import { temporaryFolder } from './vaults.ts';

export function fileSource(content: Uint8Array | string): TableSource {
  const path = join(temporaryFolder(), 'table');
  writeFileSync(path, content);
  return openSource(path);
}

export function openSource(path: string): TableSource {
  const fd = openSync(path, 'r');
  onTestFinished(() => closeSync(fd));
  const sizeBytes = fstatSync(fd).size;
  return {
    sizeBytes,
    fd,
    read(from, to) {
      const bytes = Buffer.alloc(Math.max(0, Math.min(to, sizeBytes) - from));
      const got = readSync(fd, bytes, 0, bytes.length, from);
      return Promise.resolve(bytes.subarray(0, got));
    },
  };
}

export interface ReadTable {
  readonly info: TableInfo;
  readonly segments: readonly Segment[];
  readonly sha256: string;
  readonly rows: number;
  /** By column: numbers, texts, booleans; null where something is missing. */
  readonly columns: Readonly<Record<string, readonly unknown[]>>;
  readonly bad: readonly (Omit<BadRow, 'at'> & { readonly row: number })[];
  readonly raw: readonly (readonly string[])[];
}

/** Describes, splits and reads all segments, in chunks of `rows`. */
export async function readTable(
  driver: TableDriver,
  source: TableSource,
  wanted: readonly WantedColumn[] = [],
  { rows = 1000, asked = {} }: { readonly rows?: number; readonly asked?: Partial<Dialect> } = {},
): Promise<ReadTable> {
  const info = await driver.describe(source, asked);
  const segments: Segment[] = [];
  const splitting = driver.split(source, info);
  let sha256 = '';
  for (;;) {
    const next = await splitting.next();
    if (next.done === true) {
      sha256 = next.value;
      break;
    }
    segments.push(next.value);
  }
  const reader = await driver.open(source, info, { wanted, rows, raw: true });
  const columns: Record<string, unknown[]> = Object.fromEntries(
    wanted.map(({ name }) => [name, []]),
  );
  const bad: ReadTable['bad'][number][] = [];
  const raw: (readonly string[])[] = [];
  let expected = 1;
  for (const segment of segments) {
    let inSegment = 0;
    for await (const chunk of reader.read(segment)) {
      if (chunk.firstRow !== expected) throw new Error('Rows are missing between chunks.');
      const last = inSegment + chunk.rows === segment.rows;
      if (chunk.rows !== rows && !last) throw new Error('A chunk is shorter than was asked for.');
      for (const [at, { name }] of wanted.entries()) columns[name]?.push(...plain(chunk, at));
      bad.push(...chunk.bad.map(({ at, ...rest }) => ({ row: chunk.firstRow + at, ...rest })));
      raw.push(...(chunk.raw ?? []));
      expected += chunk.rows;
      inSegment += chunk.rows;
    }
    if (inSegment !== segment.rows) throw new Error('A segment has other rows than it says.');
  }
  await reader.close();
  return { info, segments, sha256, rows: expected - 1, columns, bad, raw };
}

function plain(chunk: Chunk, at: number): unknown[] {
  const data = chunk.columns[at];
  switch (data?.kind) {
    case 'number':
      return Array.from(data.values, (value) => (Number.isNaN(value) ? null : value));
    case 'integer':
      return Array.from(data.values, (value, row) => (data.missing?.[row] === 1 ? null : value));
    case 'boolean':
      return Array.from(data.values, (value, row) =>
        data.missing?.[row] === 1 ? null : value === 1,
      );
    case 'text':
      return [...data.values];
    case 'bytes':
      return data.values.map((value) => (value === null ? null : Buffer.from(value).toString()));
    case undefined:
      throw new Error('A chunk has fewer columns than were asked for.');
  }
}
