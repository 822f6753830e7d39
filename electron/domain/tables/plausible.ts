import { AppError } from '#shared/errors.ts';

const manyRows = 10_000_000;
const mostRowsPerByte = 100;

/**
 * A value that never changes takes no room, so that a few kilobytes can hold a billion rows, and their predictions would fill the
 * disk. Throws `limit`.
 */
export function requirePlausible(rows: number, bytes: number, format: string): void {
  if (rows > manyRows && rows > mostRowsPerByte * bytes)
    throw new AppError(
      'limit',
      `The ${format} file claims ${rows} rows in ${bytes} bytes, which are no rows of measured values. Take a CSV if they are.`,
    );
}
