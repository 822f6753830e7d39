/** Which code reads which format; nothing else of it is loaded. */
import { AppError } from '#shared/errors.ts';
import type { TableDriver, TableFormat } from './table.ts';

export async function loadDriver(format: TableFormat): Promise<TableDriver> {
  if (format === 'csv') return (await import('./csv/driver.ts')).csvDriver;
  throw new AppError('unsupported', `Files of the format ${format} cannot be read.`);
}
