/** Columns of rows that are put together from others: slices, and mixes of a record with rows of a background. */
import type { ColumnData } from '#domain/tables/index.ts';
import type { Mixes } from '#domain/explain/index.ts';

/** Rows `from` to `to`, `to` not among them. */
export function sliceColumn(column: ColumnData, from: number, to: number): ColumnData {
  switch (column.kind) {
    case 'number':
      return { ...column, values: column.values.subarray(from, to) };
    case 'integer':
      return {
        ...column,
        values: column.values.subarray(from, to),
        missing: column.missing?.subarray(from, to),
      };
    case 'boolean':
      return {
        ...column,
        values: column.values.subarray(from, to),
        missing: column.missing?.subarray(from, to),
      };
    default:
      return { ...column, values: column.values.slice(from, to) } as ColumnData;
  }
}

/** Rows of `columns` in another order, or some of them. */
export function takeRows(
  columns: readonly ColumnData[],
  rows: ArrayLike<number>,
): readonly ColumnData[] {
  return columns.map((column) => fill(column, rows.length, (at) => [column, rows[at] ?? 0]));
}

/** One column for each column of the record, which has one row. */
export function mixColumns(
  record: readonly ColumnData[],
  background: readonly ColumnData[],
  { background: rows, fromRecord }: Mixes,
): ColumnData[] {
  const players = record.length;
  return record.map((own, player) => {
    const others = background[player] ?? own;
    return fill(own, rows.length, (at) =>
      fromRecord[at * players + player] === 1 ? [own, 0] : [others, rows[at] ?? 0],
    );
  });
}

/** Whether two rows hold the same value; two missing values are the same. */
export function sameValue(a: ColumnData, rowA: number, b: ColumnData, rowB: number): boolean {
  const missing = (column: ColumnData, row: number): boolean =>
    (column.kind === 'integer' || column.kind === 'boolean') && column.missing?.[row] === 1;
  if (missing(a, rowA) || missing(b, rowB)) return missing(a, rowA) && missing(b, rowB);
  return Object.is(a.values[rowA], b.values[rowB]);
}

/** A column of the kind of `like`, whose row `at` is the row of another column of that kind. */
function fill(
  like: ColumnData,
  rows: number,
  from: (at: number) => readonly [column: ColumnData, row: number],
): ColumnData {
  if (like.kind === 'text' || like.kind === 'bytes') {
    const values = Array.from({ length: rows }, (_, at) => {
      const [column, row] = from(at);
      return column.values[row] ?? null;
    });
    return { kind: like.kind, values } as ColumnData;
  }
  if (like.kind === 'number') {
    const values = new Float64Array(rows);
    for (let at = 0; at < rows; at += 1) {
      const [column, row] = from(at);
      values[at] = Number(column.values[row] ?? Number.NaN);
    }
    return { kind: 'number', values };
  }
  const missing = new Uint8Array(rows);
  const values = like.kind === 'integer' ? new BigInt64Array(rows) : new Uint8Array(rows);
  for (let at = 0; at < rows; at += 1) {
    const [column, row] = from(at);
    // Columns of one name are of one kind, which the compiler cannot see here.
    values[at] = (column.values[row] ?? 0) as never;
    if (column.kind === 'integer' || column.kind === 'boolean')
      missing[at] = column.missing?.[row] ?? 0;
  }
  return { kind: like.kind, values, missing } as ColumnData;
}
