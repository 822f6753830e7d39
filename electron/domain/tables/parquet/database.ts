/**
 * DuckDB as a reader and writer of one file: in memory, on one thread, within a bound, with no extension to be looked for, no
 * place to spill to, and no other file that it could reach. For contained children only: it parses what may be hostile.
 */
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { AppError } from '#shared/errors.ts';
import type { TableSource } from '../table.ts';

const memoryLimit = '1GB';

export interface LockedDatabase extends Disposable {
  readonly connection: DuckDBConnection;
  /** The file that is read and the one that is written, as literals of SQL. */
  readonly file: string;
  readonly output: string;
}

/** Descriptors of the files, in this process. Throws `unsupported` where the system gives descriptors no names. */
export async function openLockedDatabase(fd: number, outputFd = fd): Promise<LockedDatabase> {
  const [file, output] = [fd, outputFd].map((each) => stringLiteral(pathOfDescriptor(each))) as [
    string,
    string,
  ];
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    memory_limit: memoryLimit,
    temp_directory: '',
    threads: '1',
  });
  const connection = await instance.connect();
  await connection.run(`SET allowed_paths = [${file}, ${output}]`);
  await connection.run('SET enable_external_access = false');
  await connection.run('SET lock_configuration = true');
  return {
    connection,
    file,
    output,
    [Symbol.dispose]() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/** The descriptor of a file that DuckDB can open by itself. */
export function plainFile({ fd }: TableSource): number {
  if (fd === undefined)
    throw new AppError(
      'unsupported',
      'Parquet is read from a plain file only, and this one is encrypted. Take CSV or JSON Lines for the reference data of a bundle.',
    );
  return fd;
}

export function stringLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** DuckDB's own messages quote what it read; they are not passed on. */
export function duckError(cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  const text = cause instanceof Error ? cause.message : '';
  if (/^Out of Memory/i.test(text))
    return new AppError(
      'limit',
      'A part of the Parquet file is larger in memory than a part may be. Write it with smaller row groups.',
      { cause },
    );
  return new AppError(
    'corrupt',
    'The file cannot be read as Parquet: it is damaged, cut off, encrypted, or of a kind that is not known here.',
    { cause },
  );
}

function pathOfDescriptor(fd: number): string {
  if (process.platform === 'linux') return `/proc/self/fd/${fd}`;
  if (process.platform === 'darwin') return `/dev/fd/${fd}`;
  throw new AppError(
    'unsupported',
    'Parquet is read and written on Linux and macOS only. Take CSV, JSON Lines or Arrow.',
  );
}
