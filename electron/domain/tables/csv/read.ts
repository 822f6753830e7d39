/**
 * Bytes of a segment to columns. Numbers that are written plainly are made from the digits as they pass; everything else takes
 * the way of `cells.ts`. A row gets one entry among the bad ones at most: of the whole row, or the first from the left.
 */
import { isUtf8 } from 'node:buffer';
import { AppError } from '#shared/errors.ts';
import type {
  BadRow,
  Chunk,
  ColumnData,
  ReadOptions,
  RejectCode,
  Segment,
  TableInfo,
  TableReader,
  TableSource,
  WantedColumn,
} from '../table.ts';
import { textToBoolean, textToInteger, textToNumber, type Cell } from './cells.ts';
import { toUtf8 } from './encoding.ts';
import { divideDigits, powersOfTen } from './numbers.ts';
import { closingQuote, maxCellBytes, readRecord } from './record.ts';

const newline = 10;
const carriageReturn = 13;
const plus = 43;
const minus = 45;
const digitZero = 48;

export function openCsvReader(
  source: TableSource,
  info: TableInfo,
  options: ReadOptions,
): TableReader {
  // One for all segments: nothing of it is in a chunk, and collecting megabytes for each would take a tenth of the time.
  let spare: Uint8Array | undefined;
  return {
    async *read(segment) {
      const into = spare;
      spare = undefined;
      const bytes = await source.read(segment.from, segment.to, into);
      if (bytes.length < segment.to - segment.from) throw changed();
      const next = createParser(bytes, segment, info, options);
      for (let chunk = next(); chunk !== undefined; chunk = next()) yield chunk;
      spare = into !== undefined && into.length > bytes.length ? into : bytes;
    },
    close: () => Promise.resolve(),
  };
}

/** Of one cell: bytes `from` to `to`. */
interface CellPlace {
  readonly row: number;
  readonly column: number;
  readonly from: number;
  readonly to: number;
  readonly quoted: boolean;
}

interface Slot {
  readonly want: WantedColumn;
  readonly numbers: Float64Array;
  /** Low and high halves of 64-bit integers. */
  readonly halves: Int32Array;
  readonly integers: BigInt64Array;
  readonly flags: Uint8Array;
  readonly missing: Uint8Array;
  readonly texts: (string | null)[];
}

/**
 * Gives the next chunk each time it is called, until there is none. No generator: the loop over the bytes keeps what it counts in
 * variables of its own, which no other function sees, so that they can stay in registers.
 */
function createParser(
  source: Uint8Array,
  segment: Segment,
  info: TableInfo,
  { wanted, rows: chunkRows, raw }: ReadOptions,
): () => Chunk | undefined {
  const { dialect, columns } = info;
  if (dialect === undefined) throw new Error('Separated values have a dialect.');
  const { bytes: text, damaged } = prepared(source, dialect.encoding);
  const quoteText = dialect.quote ?? '';
  const { decimal } = dialect;
  const slots = wanted.map((want) => createSlot(want, chunkRows));
  const slotsByColumn = columns.map(({ name }) => slots.filter(({ want }) => want.name === name));
  // At full speed: columns that are wanted once, as numbers.
  const fastColumns = slotsByColumn.map((of) =>
    of.length === 1 && of[0]?.want.as === 'number' ? of[0].numbers : undefined,
  );
  let firstRow = segment.firstRow;
  let place = 0;
  let badColumn = 0;
  let badCode: RejectCode | undefined;

  function reject(column: number, code: RejectCode): void {
    if (badCode !== undefined) return;
    badColumn = column;
    badCode = code;
  }

  /** A cell that is not taken at full speed: bytes `from` to `to`. */
  function put(cell: CellPlace): void {
    const { row, column, from, to, quoted } = cell;
    const list = slotsByColumn[column];
    if (list === undefined || list.length === 0) return;
    let value = text.toString('utf8', from, to);
    if (quoted && value.includes(quoteText))
      value = value.replaceAll(quoteText + quoteText, quoteText);
    for (const slot of list) {
      const code = putText(slot, row, value, decimal);
      if (code !== undefined) reject(column, code);
    }
  }

  return () => {
    // Variables of the function around it would be read from memory each time.
    const [bytes, length, fast, powers] = [text, text.length, fastColumns, powersOfTen];
    const delimiter = dialect.delimiter.charCodeAt(0);
    const quote = dialect.quote?.charCodeAt(0) ?? -1;
    const decimalByte = decimal.charCodeAt(0);
    const width = columns.length;
    const bad: BadRow[] = [];
    const rawRows: (readonly string[])[] = [];
    let rows = 0;
    let at = place;
    while (at < length && rows < chunkRows) {
      const start = at;
      let column = 0;
      let problem: RejectCode | undefined;
      badCode = undefined;
      for (;;) {
        const from = at;
        let byte = bytes[at] ?? newline;
        const numbers = column < width ? fast[column] : undefined;
        if (numbers !== undefined && byte !== quote) {
          const negative = byte === minus;
          if (negative || byte === plus) byte = bytes[(at += 1)] ?? newline;
          // In 32 bits, which is fast; more than nine digits are read once more.
          let digit = 0;
          let whole = 0;
          const first = at;
          while ((digit = byte - digitZero) >= 0 && digit <= 9) {
            whole = (Math.imul(whole, 10) + digit) | 0;
            byte = bytes[(at += 1)] ?? newline;
          }
          let count = at - first;
          let fraction = 0;
          if (byte === decimalByte) {
            const point = at;
            byte = bytes[(at += 1)] ?? newline;
            while ((digit = byte - digitZero) >= 0 && digit <= 9) {
              whole = (Math.imul(whole, 10) + digit) | 0;
              byte = bytes[(at += 1)] ?? newline;
            }
            fraction = at - point - 1;
            count += fraction;
          }
          if (
            (byte === delimiter || byte === newline || byte === carriageReturn) &&
            count > 0 &&
            fraction <= 22
          ) {
            const value =
              count <= 9 ? whole / (powers[fraction] ?? 1) : longNumber(bytes, first, at, fraction);
            if (!Number.isNaN(value)) {
              numbers[rows] = negative ? -value : value;
              if (byte === delimiter) {
                at += 1;
                column += 1;
                continue;
              }
              if (byte === newline) {
                at += 1;
                column += 1;
                break;
              }
              if (bytes[at + 1] === newline) {
                at += 2;
                column += 1;
                break;
              }
            }
          }
          at = from;
          byte = bytes[at] ?? newline;
        }
        let end = at;
        let quoted = false;
        if (byte === quote) {
          const close = closingQuote(bytes, at, quote);
          if (close < 0 || close >= length) throw changed();
          quoted = true;
          end = close;
          at = close + 1;
        }
        const behind = at;
        byte = bytes[at] ?? newline;
        while (byte !== delimiter && byte !== newline) {
          if (byte === quote) problem = 'quote';
          byte = bytes[(at += 1)] ?? newline;
        }
        const stop =
          byte === newline && at > behind && bytes[at - 1] === carriageReturn ? at - 1 : at;
        if (!quoted) end = stop;
        else if (stop > behind) problem = 'quote';
        if (end - from > maxCellBytes) problem ??= 'length';
        else if (problem === undefined)
          put({ row: rows, column, from: quoted ? from + 1 : from, to: end, quoted });
        at += 1;
        column += 1;
        if (byte === newline) break;
      }
      const last = at - 1;
      const empty = last === start || (last === start + 1 && bytes[start] === carriageReturn);
      // A blank line is no row.
      if (empty) continue;
      if (problem === undefined && column !== width) problem = 'fields';
      if (problem === undefined && damaged && isDamaged(bytes.subarray(start, last)))
        problem = 'encoding';
      if (problem !== undefined) bad.push({ at: rows, column: null, code: problem });
      else if (badCode !== undefined)
        bad.push({ at: rows, column: columns[badColumn]?.name ?? null, code: badCode });
      if (raw)
        rawRows.push(
          readRecord({ bytes: bytes.subarray(0, last), delimiter, quote }, start)?.fields ?? [],
        );
      rows += 1;
    }
    place = at;
    if (at >= length && firstRow + rows !== segment.firstRow + segment.rows) throw changed();
    if (rows === 0) return undefined;
    const chunk = {
      firstRow,
      rows,
      columns: slots.map((slot) => columnOf(slot, rows)),
      bad,
      raw: raw ? rawRows : undefined,
    };
    firstRow += rows;
    return chunk;
  };
}

/** In UTF-8, with a line break behind, so that the last record ends like all others. */
function prepared(
  source: Uint8Array,
  encoding: Parameters<typeof toUtf8>[1],
): { readonly bytes: Buffer; readonly damaged: boolean } {
  const text = toUtf8(source, encoding);
  const ended = text.length === 0 || text[text.length - 1] === newline;
  const bytes = ended ? text : Buffer.concat([text, Buffer.of(newline)]);
  const damaged = encoding === 'utf-8' ? !isUtf8(bytes) : bytes.includes(replacement);
  return { bytes, damaged };
}

/** What stands for bytes that were no text. */
const replacement = Buffer.from('\uFFFD');

function isDamaged(record: Uint8Array): boolean {
  return !isUtf8(record) || Buffer.from(record).includes(replacement);
}

/** Beyond it a float is infinite: halfway to where the next one would be. */
const greatestFloat = 2 ** 128 - 2 ** 103 - 2 ** 80;

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

function createSlot(want: WantedColumn, rows: number): Slot {
  const integers = new BigInt64Array(want.as === 'integer' ? rows : 0);
  return {
    want,
    numbers: new Float64Array(want.as === 'number' ? rows : 0),
    integers,
    halves: new Int32Array(integers.buffer),
    flags: new Uint8Array(want.as === 'boolean' ? rows : 0),
    missing: new Uint8Array(want.as === 'integer' || want.as === 'boolean' ? rows : 0),
    texts: want.as === 'text' ? Array.from({ length: rows }, () => null) : [],
  };
}

function putText(
  slot: Slot,
  row: number,
  text: string,
  decimal: '.' | ',',
): RejectCode | undefined {
  switch (slot.want.as) {
    case 'text':
      slot.texts[row] = text === '' ? null : text;
      return undefined;
    case 'number': {
      const cell = textToNumber(text, decimal);
      slot.numbers[row] = cell === 'missing' || 'code' in cell ? Number.NaN : cell.value;
      if (slot.want.float === true && Math.abs(slot.numbers[row] ?? 0) > greatestFloat)
        return 'range';
      return codeOf(cell);
    }
    case 'integer': {
      const cell = textToInteger(text, decimal);
      slot.missing[row] = cell === 'missing' ? 1 : 0;
      slot.integers[row] = cell === 'missing' || 'code' in cell ? 0n : cell.value;
      return codeOf(cell);
    }
    case 'boolean': {
      const cell = textToBoolean(text);
      slot.missing[row] = cell === 'missing' ? 1 : 0;
      slot.flags[row] = cell !== 'missing' && 'value' in cell && cell.value ? 1 : 0;
      return codeOf(cell);
    }
    case 'bytes':
      return 'text';
  }
}

function codeOf(cell: Cell<unknown>): RejectCode | undefined {
  return cell !== 'missing' && 'code' in cell ? cell.code : undefined;
}

function columnOf(slot: Slot, rows: number): ColumnData {
  const missing = slot.missing.subarray(0, rows);
  switch (slot.want.as) {
    case 'number':
      return { kind: 'number', values: slot.numbers.subarray(0, rows) };
    case 'integer':
      return { kind: 'integer', values: slot.integers.subarray(0, rows), missing };
    case 'boolean':
      return { kind: 'boolean', values: slot.flags.subarray(0, rows), missing };
    case 'text':
      return { kind: 'text', values: slot.texts.slice(0, rows) };
    case 'bytes':
      return { kind: 'bytes', values: [] };
  }
}

function changed(): AppError {
  return new AppError(
    'io',
    'The input changed while it was read, so its predictions mean nothing and were not kept. Try again with a file that nobody writes to.',
  );
}
