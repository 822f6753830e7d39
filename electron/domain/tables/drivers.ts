/** Which code reads which format; nothing else of it is loaded. */
import type { TableDriver, TableFormat } from './table.ts';

export async function loadDriver(format: TableFormat): Promise<TableDriver> {
  switch (format) {
    case 'csv':
      return (await import('./csv/driver.ts')).csvDriver;
    case 'jsonl':
      return (await import('./jsonl/driver.ts')).jsonlDriver;
    case 'parquet':
      return (await import('./parquet/driver.ts')).parquetDriver;
    case 'arrow':
      return (await import('./arrow/driver.ts')).arrowDriver;
    case 'images':
    case 'texts':
      return (await import('./folder/driver.ts')).folderDriver;
  }
}
