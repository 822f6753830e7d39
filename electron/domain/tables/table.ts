/**
 * What every file of rows is to the rest of the program: a header, then chunks of consecutive rows by column. A reader is told
 * which columns are wanted and as what, so that a file of text is parsed once, straight into the arrays that are computed with.
 */

export type TableFormat = 'csv' | 'parquet' | 'jsonl' | 'arrow' | 'images' | 'texts';

/** What a file says of a column, before anything is read of it. `text` for all columns of a format without types. */
export interface TableColumn {
  readonly name: string;
  readonly type: 'number' | 'integer' | 'boolean' | 'text' | 'bytes' | 'list';
  /** Of numbers and integers, where the file says it: whether they fit in 32 bits. */
  readonly bits?: 32 | 64 | undefined;
}

/**
 * How a column is to be read. `number` → `Float64Array`, `integer` → `BigInt64Array` without loss (unsigned 64-bit ones beyond
 * 2^63 are a reject), `boolean`, `text`, `bytes` (the content of a file of a folder).
 */
export interface WantedColumn {
  readonly name: string;
  readonly as: 'number' | 'integer' | 'boolean' | 'text' | 'bytes';
  /** Of the number that is made of it: what a float holds is finite, or the cell is a reject. */
  readonly float?: boolean;
}

/** One entry per row. A missing number is NaN; other kinds mark what is missing with 1. */
export type ColumnData =
  | {
      readonly kind: 'number';
      readonly values: Float64Array;
      /** Nothing in the rows that are not bad is an infinite float: it was wanted so. */
      readonly fitsFloat?: boolean;
    }
  | {
      readonly kind: 'integer';
      readonly values: BigInt64Array;
      readonly missing: Uint8Array | undefined;
    }
  | {
      readonly kind: 'boolean';
      readonly values: Uint8Array;
      readonly missing: Uint8Array | undefined;
    }
  | { readonly kind: 'text'; readonly values: readonly (string | null)[] }
  | { readonly kind: 'bytes'; readonly values: readonly (Uint8Array | null)[] };

/** A cell, or a whole row (`column` null), that cannot be used; a row has one at most, the first from the left. */
export interface BadRow {
  /** Position in the chunk. */
  readonly at: number;
  readonly column: string | null;
  readonly code: RejectCode;
}

export type RejectCode =
  | 'number'
  | 'integer'
  | 'boolean'
  | 'missing'
  | 'range'
  | 'category'
  | 'unit'
  | 'date'
  | 'quote'
  | 'fields'
  | 'encoding'
  | 'length'
  | 'json'
  | 'twice'
  | 'image'
  | 'text'
  | 'file';

/** Consecutive rows of a file. */
export interface Chunk {
  /** Of the first row: 1-based in the file, the header not counted. */
  readonly firstRow: number;
  readonly rows: number;
  /** In the order in which they were wanted. What a bad row has in them means nothing. */
  readonly columns: readonly ColumnData[];
  /** In the order of rows. */
  readonly bad: readonly BadRow[];
  /** All fields of each row as they stand in the file, when they were asked for: those of `rawNames`. */
  readonly raw: readonly (readonly string[])[] | undefined;
}

/**
 * A part of a file that can be read by itself, in whatever process: bytes `from` to `to` of a text file, rows or row groups or
 * entries of others. Segments of a file do not depend on who reads them, nor on how many do.
 */
export interface Segment {
  readonly index: number;
  readonly firstRow: number;
  /** Rows in it, the bad ones counted. */
  readonly rows: number;
  readonly from: number;
  readonly to: number;
  /** SHA-256 (hex) of everything before `to`, of formats that are read in the order of their bytes: a run that goes on compares it. */
  readonly sha256: string | undefined;
  /** Of a folder: its entries `from` to `to`, as they were when they were counted. */
  readonly files?: readonly FolderFile[] | undefined;
}

/** An entry of a folder, one row. */
export interface FolderFile {
  readonly name: string;
  readonly sizeBytes: number;
  /** Hex. Empty for what is no plain file, or has a name that is not UTF-8, and is not opened. */
  readonly sha256: string;
}

export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252' | 'iso-8859-1';

/** How a file of separated values is written. */
export interface Dialect {
  /** One ASCII character that is no quote, letter, digit, sign or line break. */
  readonly delimiter: string;
  /** Null when quotes mean nothing. */
  readonly quote: '"' | "'" | null;
  readonly encoding: Encoding;
  readonly decimal: '.' | ',';
}

/** The bytes of a table in the process that reads it, wherever they lie. */
export interface TableSource {
  readonly sizeBytes: number;
  /** Open descriptor of the file itself; undefined when it is encrypted. */
  readonly fd: number | undefined;
  /**
   * Bytes `from` to `to`, fewer at the end of the file. They are the caller's. They may lie in `into`, if that is given and large
   * enough.
   */
  read(from: number, to: number, into?: Uint8Array): Promise<Uint8Array>;
  /** Path of a folder, of which `read` gives nothing; undefined for a file. */
  readonly folder?: string | undefined;
}

/** What is told of a file once, for all who read it. Plain JSON. */
export interface TableInfo {
  readonly format: TableFormat;
  readonly columns: readonly TableColumn[];
  /** Of separated values only. */
  readonly dialect: Dialect | undefined;
  /** Where rows begin, in bytes, for formats that begin with a header. */
  readonly bodyFrom: number;
  /** Where the last segment ends, for formats whose segments are not bytes of the file. */
  readonly extent?: number | undefined;
}

export interface ReadOptions {
  /** In the order of the columns of each chunk. All are columns of the file. */
  readonly wanted: readonly WantedColumn[];
  /** Rows of each chunk of a segment but the last: results depend on where batches begin, so a reader keeps to it exactly. */
  readonly rows: number;
  /** The fields of `rawNames` of each row as texts, besides. */
  readonly raw: boolean;
}

export interface TableReader {
  /** Throws `corrupt` when the file is not what `split` saw. A chunk is good until the next one is asked for. */
  read(segment: Segment): AsyncIterable<Chunk>;
  close(): Promise<void>;
}

/** A format of files. All of it runs in contained children. */
export interface TableDriver {
  /**
   * From the first bytes (or the footer): columns and dialect; `asked` where somebody knows better. Throws `corrupt` with what
   * is wrong when the file is none of the format, is empty, or names a column twice.
   */
  describe(source: TableSource, asked: Partial<Dialect>): Promise<TableInfo>;
  /**
   * The segments in order, as they become known, in bounded memory; returns the SHA-256 (hex) of the whole input. Their
   * borders depend on the bytes alone. Throws `corrupt` for what makes the rest of the file unreadable.
   */
  split(source: TableSource, info: TableInfo): AsyncGenerator<Segment, string, undefined>;
  open(source: TableSource, info: TableInfo, options: ReadOptions): Promise<TableReader>;
}

export interface NamedColumn {
  readonly name: string;
  readonly data: ColumnData;
  /** The numbers are those of a float (32 bits), to be written in as few digits as read back as the same float. */
  readonly float?: boolean;
}
