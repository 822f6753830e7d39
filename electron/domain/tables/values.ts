/**
 * Values of formats that have types (Parquet, Arrow, JSON) to the columns that were asked for. One rule for all of them: a number
 * is a number, a boolean counts as 0 or 1 where a number is wanted, and a text is read as the same cell of a CSV would be.
 */
import type { BadRow, ColumnData, RejectCode, WantedColumn } from './table.ts';
import { textToBoolean, textToInteger, textToNumber } from './csv/cells.ts';

export type Value = number | bigint | boolean | string | Uint8Array | null;

export interface ColumnBuilder {
  /** A code when the value cannot be used; what stands in the column then means nothing. */
  put(row: number, value: Value): RejectCode | undefined;
  /** The first `rows`; good until the next `put`. */
  column(rows: number): ColumnData;
}

const greatestInteger = 2n ** 63n - 1n;
const leastInteger = -(2n ** 63n);

export function createColumn(want: WantedColumn, rows: number): ColumnBuilder {
  switch (want.as) {
    case 'number':
      return numberColumn(rows, want.float === true);
    case 'integer':
      return integerColumn(rows);
    case 'boolean':
      return booleanColumn(rows);
    case 'text':
      return textColumn(rows);
    case 'bytes':
      return bytesColumn(rows);
  }
}

function numberColumn(rows: number, float: boolean): ColumnBuilder {
  const values = new Float64Array(rows);
  return {
    put(row, value) {
      const number = toNumber(value);
      if (typeof number === 'string') return number;
      values[row] = number;
      // Not finite as what the model takes: NaN is what is missing, the rest is out of its range.
      const stored = float ? Math.fround(number) : number;
      return stored === Infinity || stored === -Infinity ? 'range' : undefined;
    },
    column: (count) => ({
      kind: 'number',
      values: values.subarray(0, count),
      fitsFloat: float,
    }),
  };
}

function toNumber(value: Value): number | RejectCode {
  if (typeof value === 'number') return value;
  if (value === null) return Number.NaN;
  if (typeof value === 'string') {
    const cell = textToNumber(value);
    return cell === 'missing' ? Number.NaN : 'code' in cell ? cell.code : cell.value;
  }
  return value instanceof Uint8Array ? 'number' : Number(value);
}

function integerColumn(rows: number): ColumnBuilder {
  const values = new BigInt64Array(rows);
  const missing = new Uint8Array(rows);
  return {
    put(row, value) {
      const integer = toInteger(value);
      missing[row] = integer === 'missing' ? 1 : 0;
      if (typeof integer === 'string') return integer === 'missing' ? undefined : integer;
      if (integer < leastInteger || integer > greatestInteger) return 'range';
      values[row] = integer;
      return undefined;
    },
    column: (count) => ({
      kind: 'integer',
      values: values.subarray(0, count),
      missing: missing.subarray(0, count),
    }),
  };
}

function toInteger(value: Value): bigint | RejectCode | 'missing' {
  if (typeof value === 'bigint') return value;
  if (value === null || Number.isNaN(value)) return 'missing';
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : 'integer';
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value !== 'string') return 'integer';
  const cell = textToInteger(value);
  return cell === 'missing' ? 'missing' : 'code' in cell ? cell.code : cell.value;
}

function booleanColumn(rows: number): ColumnBuilder {
  const values = new Uint8Array(rows);
  const missing = new Uint8Array(rows);
  return {
    put(row, value) {
      const boolean = toBoolean(value);
      missing[row] = boolean === 'missing' ? 1 : 0;
      if (typeof boolean === 'string') return boolean === 'missing' ? undefined : boolean;
      values[row] = boolean ? 1 : 0;
      return undefined;
    },
    column: (count) => ({
      kind: 'boolean',
      values: values.subarray(0, count),
      missing: missing.subarray(0, count),
    }),
  };
}

function toBoolean(value: Value): boolean | RejectCode | 'missing' {
  if (typeof value === 'boolean') return value;
  if (value === null || Number.isNaN(value)) return 'missing';
  if (value instanceof Uint8Array) return 'boolean';
  const cell = textToBoolean(String(value));
  return cell === 'missing' ? 'missing' : 'code' in cell ? cell.code : cell.value;
}

function textColumn(rows: number): ColumnBuilder {
  const values = Array.from({ length: rows }, (): string | null => null);
  return {
    put(row, value) {
      if (value instanceof Uint8Array) return 'text';
      values[row] = value === null || value === '' ? null : String(value);
      return undefined;
    },
    column: (count) => ({ kind: 'text', values: values.slice(0, count) }),
  };
}

function bytesColumn(rows: number): ColumnBuilder {
  const values = Array.from({ length: rows }, (): Uint8Array | null => null);
  return {
    put(row, value) {
      if (value !== null && !(value instanceof Uint8Array)) return 'text';
      values[row] = value;
      return undefined;
    },
    column: (count) => ({ kind: 'bytes', values: values.slice(0, count) }),
  };
}

/** As it is written into a table of text; what is binary is not. */
export function valueToRaw(value: Value): string {
  return value === null || value instanceof Uint8Array ? '' : String(value);
}

/** The bad rows of a chunk: each has one reason at most, the first that is given, so columns are looked at from the left. */
export function createMarks(): {
  mark(at: number, column: string | null, code: RejectCode): void;
  /** In the order of rows. */
  bad(): BadRow[];
} {
  const marks = new Map<number, BadRow>();
  return {
    mark(at, column, code) {
      if (!marks.has(at)) marks.set(at, { at, column, code });
    },
    bad: () => [...marks.values()].toSorted((a, b) => a.at - b.at),
  };
}
