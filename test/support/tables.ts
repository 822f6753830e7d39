/** Tables in memory, as the readers of formats take them. */
import type { Dialect, TableInfo, TableSource, WantedColumn } from '#domain/tables/index.ts';
import { describeCsv } from '../../electron/domain/tables/csv/describe.ts';
import { openCsvReader } from '../../electron/domain/tables/csv/read.ts';
import { splitCsv } from '../../electron/domain/tables/csv/split.ts';

export function sourceOf(content: string | Uint8Array): TableSource {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return {
    sizeBytes: bytes.length,
    fd: undefined,
    read: (from, to) => Promise.resolve(Uint8Array.from(bytes.subarray(from, to))),
  };
}

export interface ReadTable {
  readonly info: TableInfo;
  readonly sha256: string;
  /** Per wanted column the values of all rows; missing integers and booleans as null. */
  readonly columns: readonly unknown[][];
  readonly bad: readonly (readonly [row: number, column: string | null, code: string])[];
  readonly raw: readonly (readonly string[])[];
  readonly segments: number;
}

/** Everything of a file, the way a run reads it: described, split, each segment read by itself. */
export async function readCsv(
  content: string | Uint8Array,
  options: {
    readonly asked?: Partial<Dialect>;
    /** All columns as text when left out. */
    readonly wanted?: readonly WantedColumn[];
    readonly blockBytes?: number;
    readonly segmentBytes?: number;
    readonly recordBytes?: number;
    readonly rows?: number;
    /** Without the raw fields, rows of plain numbers are read in another way. */
    readonly raw?: false;
  } = {},
): Promise<ReadTable> {
  const source = sourceOf(content);
  const info = await describeCsv(source, options.asked ?? {});
  const wanted = options.wanted ?? info.columns.map(({ name }) => ({ name, as: 'text' as const }));
  const reader = openCsvReader(source, info, {
    wanted,
    rows: options.rows ?? 4,
    raw: options.raw ?? true,
  });
  const columns = wanted.map((): unknown[] => []);
  const bad: [number, string | null, string][] = [];
  const raw: (readonly string[])[] = [];
  let segments = 0;
  const { blockBytes = 64, segmentBytes = 40, recordBytes = 2 ** 20 } = options;
  const split = splitCsv(source, info, { blockBytes, segmentBytes, recordBytes });
  for (;;) {
    const next = await split.next();
    if (next.done === true) return { info, sha256: next.value, columns, bad, raw, segments };
    segments += 1;
    for await (const chunk of reader.read(next.value)) {
      for (const [at, data] of chunk.columns.entries())
        for (let row = 0; row < chunk.rows; row += 1) {
          const isMissing =
            (data.kind === 'integer' || data.kind === 'boolean') && data.missing?.[row] === 1;
          columns[at]?.push(isMissing ? null : data.values[row]);
        }
      for (const { at, column, code } of chunk.bad) bad.push([chunk.firstRow + at, column, code]);
      raw.push(...(chunk.raw ?? []));
    }
  }
}
