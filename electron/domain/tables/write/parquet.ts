/** Parquet, written by DuckDB: Snappy, row groups of 122,880 rows, types as the columns have them. */
import { openLockedDatabase, plainFile, stringLiteral } from '../parquet/database.ts';
import type { Conversion, ConvertedColumn } from './convert.ts';

/** Of one row of the CSV; twice as much is read at a time. */
const maxLineBytes = 32 * 2 ** 20;

export async function writeParquet({ from, to, columns, onProgress }: Conversion): Promise<void> {
  using database = await openLockedDatabase(plainFile(from), to);
  const { connection, file, output } = database;
  const types = columns.map((column) => `${stringLiteral(column.name)}: '${typeOf(column)}'`);
  await connection.run(
    `COPY (
       SELECT * FROM read_csv(${file}, auto_detect = false, header = true, delim = ',', quote = '"', escape = '"',
         nullstr = '', max_line_size = ${maxLineBytes}, buffer_size = ${2 * maxLineBytes}, columns = {${types.join(', ')}})
     ) TO ${output} (FORMAT parquet, USE_TMP_FILE false)`,
  );
  onProgress(from.sizeBytes);
}

function typeOf({ kind, float }: ConvertedColumn): string {
  switch (kind) {
    case 'number':
      return float ? 'FLOAT' : 'DOUBLE';
    case 'integer':
      return 'BIGINT';
    case 'boolean':
      return 'BOOLEAN';
    case 'text':
    case 'bytes':
      return 'VARCHAR';
  }
}
