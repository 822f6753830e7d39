export type {
  BadRow,
  Chunk,
  ColumnData,
  Dialect,
  Encoding,
  NamedColumn,
  ReadOptions,
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
export { rejectMessages } from './rejects.ts';
export { loadDriver } from './drivers.ts';
export { cellText, createRowWriter } from './csv/write.ts';
