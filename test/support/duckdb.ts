/** Files that DuckDB writes for tests. */
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { temporaryFolder } from './vaults.ts';

/** The path of a Parquet file with what the query selects. */
export async function parquetFile(select: string, options = ''): Promise<string> {
  const path = join(temporaryFolder(), 'table.parquet');
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  try {
    await connection.run(`COPY (${select}) TO '${path}' (FORMAT parquet ${options})`);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
  return path;
}
