/**
 * Numbers, integers and booleans that are written plainly, cell after cell, made from their bytes as they pass. It stops at the
 * first cell that is anything else, and somebody careful takes that one.
 */
import { divideDigits, powersOfTen } from './numbers.ts';

const newline = 10;
const carriageReturn = 13;
const plus = 43;
const minus = 45;
const digitZero = 48;
const wordTrue = Buffer.from('true');
const wordFalse = Buffer.from('false');

/** The next cell: where it begins, in which row and column, and where its row begins. */
export interface Cursor {
  at: number;
  row: number;
  column: number;
  rowAt: number;
}

export interface PlainCells {
  /** A line break is the last of them. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly delimiter: number;
  readonly decimal: number;
  /** By column of the file: where its numbers go, or its integers or booleans; neither for columns that are not taken here. */
  readonly numbers: readonly (Float64Array | undefined)[];
  readonly others: readonly (PlainColumn | undefined)[];
  /** Whether a row may end here. */
  readonly endsRows: boolean;
}

export interface PlainColumn {
  readonly kind: 'integer' | 'boolean';
  /** Low and high halves of 64-bit integers. */
  readonly halves: Int32Array;
  readonly flags: Uint8Array;
  readonly missing: Uint8Array;
}

/**
 * Moves the cursor to the next cell that is not plain, but not behind row `rows` or the last byte. A few rows per call, so that the
 * engine has seen the end of the function before it makes fast code of the loop. What it counts is kept in variables that no
 * other function sees, so that they can stay in registers.
 */
export function readPlain(cells: PlainCells, cursor: Cursor, rows: number): void {
  const { bytes, view, delimiter, decimal, endsRows } = cells;
  const [powers, length, width] = [powersOfTen, bytes.length, cells.numbers.length];
  const lastFour = length - 4;
  let { at, row, column, rowAt } = cursor;
  while (at < length && column < width && row < rows) {
    const numbers = cells.numbers[column];
    let place = at;
    let byte = bytes[place] ?? newline;
    if (numbers === undefined) {
      const other = cells.others[column];
      if (other === undefined) break;
      place =
        other.kind === 'integer'
          ? readInteger(bytes, at, other, row)
          : readBoolean(bytes, at, other, row);
      if (place < 0) break;
      byte = bytes[place] ?? newline;
    } else {
      const isNegative = byte === minus;
      if (isNegative || byte === plus) byte = bytes[(place += 1)] ?? newline;
      // In 32 bits, which is fast; more than nine digits are read once more.
      let whole = 0;
      let digit = 0;
      const first = place;
      while ((digit = byte - digitZero) >= 0 && digit <= 9) {
        whole = (Math.imul(whole, 10) + digit) | 0;
        byte = bytes[(place += 1)] ?? newline;
      }
      let count = place - first;
      let fraction = 0;
      if (byte === decimal) {
        const point = place;
        place += 1;
        // Four digits at once, where there are four: the low half of each byte is one if the high half is that of all digits.
        if (place <= lastFour) {
          const four = view.getInt32(place, true) ^ 0x30303030;
          if (((four | (four + 0x06060606)) & 0xf0f0f0f0) === 0) {
            const pairs = (Math.imul(four, 10) + (four >>> 8)) & 0x00ff00ff;
            const value = Math.imul(pairs & 0xff, 100) + (pairs >>> 16);
            whole = (Math.imul(whole, 10_000) + value) | 0;
            place += 4;
          }
        }
        byte = bytes[place] ?? newline;
        while ((digit = byte - digitZero) >= 0 && digit <= 9) {
          whole = (Math.imul(whole, 10) + digit) | 0;
          byte = bytes[(place += 1)] ?? newline;
        }
        fraction = place - point - 1;
        count += fraction;
      }
      if (count === 0 || fraction > 22) break;
      const value =
        count <= 9 ? whole / (powers[fraction] ?? 1) : longNumber(bytes, first, place, fraction);
      if (value !== value) break;
      numbers[row] = isNegative ? -value : value;
    }
    if (byte === delimiter) {
      at = place + 1;
      column += 1;
      continue;
    }
    if (byte === carriageReturn) byte = bytes[(place += 1)] ?? 0;
    if (byte !== newline || !endsRows || column + 1 !== width) break;
    at = place + 1;
    row += 1;
    column = 0;
    rowAt = at;
  }
  cursor.at = at;
  cursor.row = row;
  cursor.column = column;
  cursor.rowAt = rowAt;
}

/** Where the integer ends that begins at `from`, or -1 when it is not one of nine digits at most. */
function readInteger(
  bytes: Uint8Array,
  from: number,
  { halves, missing }: PlainColumn,
  row: number,
): number {
  const isNegative = bytes[from] === minus;
  const first = isNegative ? from + 1 : from;
  let at = first;
  let whole = 0;
  for (let digit = 0; (digit = (bytes[at] ?? 0) - digitZero) >= 0 && digit <= 9; at += 1)
    whole = (Math.imul(whole, 10) + digit) | 0;
  if (at === first || at - first > 9) return -1;
  const value = isNegative ? -whole : whole;
  halves[2 * row] = value;
  halves[2 * row + 1] = value >> 31;
  missing[row] = 0;
  return at;
}

/** Where `true`, `false`, `1` or `0` ends, or -1. */
function readBoolean(
  bytes: Uint8Array,
  from: number,
  { flags, missing }: PlainColumn,
  row: number,
): number {
  const first = bytes[from] ?? 0;
  const word = first === wordTrue[0] ? wordTrue : first === wordFalse[0] ? wordFalse : undefined;
  if (word === undefined && first !== digitZero && first !== digitZero + 1) return -1;
  const length = word?.length ?? 1;
  for (let at = 1; at < length; at += 1) if (bytes[from + at] !== word?.[at]) return -1;
  flags[row] = word === wordTrue || first === digitZero + 1 ? 1 : 0;
  missing[row] = 0;
  return from + length;
}

/** Up to 19 digits with at most one point among them; NaN for those that have to be read as text. */
function longNumber(bytes: Uint8Array, from: number, to: number, fraction: number): number {
  let high = 0;
  let low = 0;
  let count = 0;
  for (let at = from; at < to; at += 1) {
    const digit = (bytes[at] ?? 0) - digitZero;
    if (digit < 0 || digit > 9) continue; // the point
    if (count === 0 && digit === 0) continue;
    count += 1;
    if (count <= 15) high = high * 10 + digit;
    else low = low * 10 + digit;
  }
  if (count > 19) return Number.NaN;
  return count <= 15
    ? high / (powersOfTen[fraction] ?? Number.NaN)
    : divideDigits(high, low, count - 15, fraction);
}
