export type {
  BadRow,
  Chunk,
  ColumnData,
  Dialect,
  NamedColumn,
  RejectCode,
  Segment,
  TableColumn,
  TableDriver,
  TableFormat,
  TableInfo,
  TableReader,
  TableSource,
  WantedColumn,
} from './table.ts';
export { textToBoolean, textToInteger, textToNumber, textToUnsigned } from './csv/cells.ts';
export { rejectMessages } from './rejects.ts';
export { formatOf, formatOfName, magicBytes } from './detect.ts';
export { folderSha256 } from './folder/digest.ts';
export { readRecord } from './csv/record.ts';
export { loadDriver } from './drivers.ts';
export { rawNames, rawRows, type RawRow } from './raw.ts';
export { convertTable, type ConvertedColumn, type OutputFormat } from './write/convert.ts';
export { cellText, createRowWriter } from './csv/write.ts';
