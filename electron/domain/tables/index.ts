export type {
  BadRow,
  Chunk,
  ColumnData,
  NamedColumn,
  RejectCode,
  Segment,
  TableColumn,
  TableFormat,
  WantedColumn,
} from './table.ts';
export { rejectMessages } from './rejects.ts';
