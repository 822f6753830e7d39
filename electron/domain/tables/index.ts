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
