/** Rows that come from elsewhere than a file, as a chunk: texts are read by the rules by which a file of texts is read. */
import { AppError } from '#shared/errors.ts';
import type { Chunk, ColumnData, WantedColumn } from '#domain/tables/index.ts';
import { convert } from './convert.ts';
import { createMarks } from './feature.ts';

/** `rows` have a text for each wanted column, in that order; null for what is missing. */
export function readTexts(
  wanted: readonly WantedColumn[],
  rows: readonly (readonly (string | null)[])[],
): Chunk {
  const texts = wanted.map((_, at) => rows.map((row) => row[at] ?? null));
  const columns = texts.map((values): ColumnData => ({ kind: 'text', values }));
  return readColumns(wanted, columns, rows.length);
}

/** `given` has a column for each wanted one, in that order, of whatever kind. */
export function readColumns(
  wanted: readonly WantedColumn[],
  given: readonly ColumnData[],
  rows: number,
): Chunk {
  const marks = createMarks(rows, []);
  const columns = wanted.map(({ name, as, float }, at): ColumnData => {
    const data = given[at];
    if (data === undefined) throw new AppError('internal', 'A wanted column is not given.');
    const column = convert(data, as, { marks, column: name });
    if (float === true && column.kind === 'number')
      for (const [row, value] of column.values.entries())
        if (Math.abs(Math.fround(value)) === Infinity) marks.reject(row, name, 'range');
    return column;
  });
  return { firstRow: 1, rows, columns, bad: marks.found(), raw: undefined };
}
