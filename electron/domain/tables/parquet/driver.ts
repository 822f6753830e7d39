/**
 * Parquet through DuckDB. A segment is a stretch of rows whatever the row groups are: DuckDB skips groups and pages outside of
 * it, so several readers share even a file of one group.
 */
import { AppError } from '#shared/errors.ts';
import type { TableDriver, TableSource } from '../table.ts';
import { digestOf } from '../digest.ts';
import { duckError, openLockedDatabase, plainFile } from './database.ts';
import { columnsOf } from './columns.ts';
import { openParquetReader } from './read.ts';

const mostRows = 65_536;
const leastRows = 8192;
const maxColumns = 20_000;

export const parquetDriver: TableDriver = {
  async describe(source) {
    const extent = await countRows(source);
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
    const each = segmentRows(rows);
    for (let from = 0, index = 0; from < rows; from += each, index += 1) {
      const to = Math.min(rows, from + each);
      yield { index, firstRow: from + 1, rows: to - from, from, to, sha256: undefined };
    }
    return await digestOf(source);
  },

  open: openParquetReader,
};

/** What the footer claims, once its parts agree. */
async function countRows(source: TableSource): Promise<number> {
  using database = await openLockedDatabase(plainFile(source));
  const { connection, file } = database;
  try {
    const reader = await connection.runAndReadAll(
      `SELECT CAST(num_rows AS DOUBLE) FROM parquet_file_metadata(${file})
       UNION ALL
       SELECT CAST(coalesce(sum(row_group_num_rows), 0) AS DOUBLE) FROM
         (SELECT DISTINCT row_group_id, row_group_num_rows FROM parquet_metadata(${file}))`,
    );
    const [[claimed] = [], [inGroups] = []] = reader.getRows();
    if (typeof claimed !== 'number' || claimed !== inGroups || !(claimed >= 0 && claimed < 2 ** 48))
      throw new AppError(
        'corrupt',
        'The Parquet file is damaged: its footer claims other rows than its row groups have.',
      );
    return claimed;
  } catch (error) {
    throw duckError(error);
  }
}

/** Small files are divided too, so that both cores have something to do. */
function segmentRows(rows: number): number {
  const share = Math.ceil(rows / 32 / leastRows) * leastRows;
  return Math.min(mostRows, Math.max(leastRows, share));
}
