/** Rows that come as texts, from a form say, as a chunk: read by the rules by which a file of texts is read. */
import type { Chunk, ColumnData, WantedColumn } from '#domain/tables/index.ts';
import { convert } from './convert.ts';
import { createMarks } from './feature.ts';

/** `rows` have a text for each wanted column, in that order; null for what is missing. */
export function readTexts(
  wanted: readonly WantedColumn[],
  rows: readonly (readonly (string | null)[])[],
): Chunk {
  const marks = createMarks(rows.length, []);
  const columns = wanted.map(({ name, as }, at): ColumnData => {
    const values = rows.map((row) => row[at] ?? null);
    return convert({ kind: 'text', values }, as, { marks, column: name });
  });
  return { firstRow: 1, rows: rows.length, columns, bad: marks.found(), raw: undefined };
}
