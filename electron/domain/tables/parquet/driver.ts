/**
 * Parquet through DuckDB. A segment is a few row groups, or an equal part of one: DuckDB skips groups outside of it, and of a group
 * it unpacks what lies before, so parts are few, and several readers still share even a file of one group.
 */
import { AppError } from '#shared/errors.ts';
import type { TableDriver, TableSource } from '../table.ts';
import { digestOf } from '../digest.ts';
import { requirePlausible } from '../plausible.ts';
import { duckError, openLockedDatabase, plainFile } from './database.ts';
import { columnsOf } from './columns.ts';
import { openParquetReader } from './read.ts';

const mostRows = 65_536;
const leastRows = 8192;
const maxColumns = 20_000;

export const parquetDriver: TableDriver = {
  async describe(source) {
    const extent = await countRows(source);
    requirePlausible(extent, source.sizeBytes, 'Parquet');
    using database = await openLockedDatabase(plainFile(source));
    const columns = await columnsOf(database);
    if (columns.length > maxColumns)
      throw new AppError('limit', `The file has more than ${maxColumns} columns.`);
    return {
      format: 'parquet',
      columns: columns.map(({ name, type, bits }) => ({
        name,
        type,
        ...(bits === undefined ? {} : { bits }),
      })),
      dialect: undefined,
      bodyFrom: 0,
      extent,
    };
  },

  async *split(source, { extent: rows = 0 }) {
    let index = 0;
    for (const [from, to] of segmentsOf(await groupRows(source), segmentRows(rows))) {
      yield { index, firstRow: from + 1, rows: to - from, from, to, sha256: undefined };
      index += 1;
    }
    return await digestOf(source);
  },

  open: openParquetReader,
};

/** What the footer claims, once its parts agree. */
async function countRows(source: TableSource): Promise<number> {
  const [[claimed] = []] = await ask(
    source,
    (file) => `SELECT CAST(num_rows AS DOUBLE) FROM parquet_file_metadata(${file})`,
  );
  const groups = await groupRows(source);
  const inGroups = groups.reduce((sum, rows) => (rows >= 0 ? sum + rows : Number.NaN), 0);
  if (claimed === undefined || claimed !== inGroups || claimed >= 2 ** 48)
    throw new AppError(
      'corrupt',
      'The Parquet file is damaged: its footer claims other rows than its row groups have.',
    );
  return claimed;
}

/** Rows of each row group, as the footer claims them. */
async function groupRows(source: TableSource): Promise<readonly number[]> {
  const groups = await ask(
    source,
    (file) =>
      `SELECT CAST(any_value(row_group_num_rows) AS DOUBLE) FROM parquet_metadata(${file})
       GROUP BY row_group_id ORDER BY row_group_id`,
  );
  return groups.map(([rows]) => rows ?? Number.NaN);
}

/** Rows of numbers. */
async function ask(
  source: TableSource,
  query: (file: string) => string,
): Promise<readonly (readonly number[])[]> {
  using database = await openLockedDatabase(plainFile(source));
  const { connection, file } = database;
  try {
    const reader = await connection.runAndReadAll(query(file));
    return reader.getRows().map((row) => row.map((value) => Number(value ?? Number.NaN)));
  } catch (error) {
    throw duckError(error);
  }
}

/** Small files are divided too, so that both cores have something to do. */
function segmentRows(rows: number): number {
  return Math.min(mostRows, Math.max(leastRows, Math.ceil(rows / 16)));
}

/** Rows from and to, of about `each` rows. */
function* segmentsOf(
  groups: readonly number[],
  each: number,
): Generator<readonly [from: number, to: number]> {
  let from = 0;
  let to = 0;
  for (const rows of groups) {
    const parts = Math.max(1, Math.round(rows / each));
    for (let part = 1; part < parts; part += 1) {
      const end = to + Math.floor((rows / parts) * part);
      yield [from, end];
      from = end;
    }
    to += rows;
    if (to - from < each / 2) continue;
    yield [from, to];
    from = to;
  }
  if (to > from) yield [from, to];
}
