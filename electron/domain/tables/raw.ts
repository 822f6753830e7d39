/** Rows as texts, as they stand in the file. */
import type { TableDriver, TableInfo, TableSource } from './table.ts';

/** What of a row is written beside its predictions, on request: all that can stand in a table of text. */
export function rawNames({ format, columns }: TableInfo): string[] {
  if (format === 'images' || format === 'texts') return ['file'];
  return columns.filter(({ type }) => type !== 'bytes').map(({ name }) => name);
}

export interface RawRow {
  /** 1-based, the header not counted. */
  readonly row: number;
  /** Those of `rawNames`; of a bad row whatever could be told. */
  readonly fields: readonly string[];
  readonly isBad: boolean;
}

const rowsAtOnce = 256;

/** All rows in batches, in order; returns the SHA-256 (hex) of the whole input. Throws what reading throws. */
export async function* rawRows(
  driver: TableDriver,
  source: TableSource,
  info: TableInfo,
): AsyncGenerator<readonly RawRow[], string, undefined> {
  const reader = await driver.open(source, info, { wanted: [], rows: rowsAtOnce, raw: true });
  try {
    const segments = driver.split(source, info);
    for (;;) {
      const { value, done } = await segments.next();
      if (done === true) return value;
      for await (const { raw = [], bad, firstRow } of reader.read(value)) {
        const isBad = new Set(bad.map(({ at }) => at));
        yield raw.map((fields, at) => ({ row: firstRow + at, fields, isBad: isBad.has(at) }));
      }
    }
  } finally {
    await reader.close();
  }
}
