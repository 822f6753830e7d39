/**
 * Bytes of a segment to columns. Short plain numbers are taken by `vector.ts`, what else is written plainly by `plain.ts`;
 * everything else takes the way of `cells.ts`. A row gets one entry among the bad ones at most: of the whole row, or the first
 * from the left.
 */
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
import { isDamaged, prepared } from './encoding.ts';
import { readPlain, type Cursor, type PlainCells, type PlainColumn } from './plain.ts';
import { closingQuote, maxCellBytes, readRecord } from './record.ts';
import { createVectorReader, type VectorReader } from './vector.ts';

const newline = 10;
const carriageReturn = 13;
const rowsAtOnce = 64;

export function openCsvReader(
  source: TableSource,
  info: TableInfo,
  options: ReadOptions,
): TableReader {
  const wants = new Map<string, WantedColumn | 'twice'>();
  for (const want of options.wanted) wants.set(want.name, wants.has(want.name) ? 'twice' : want);
  const isNumber = info.columns.map(({ name }) => {
    const want = wants.get(name);
    return typeof want === 'object' && want.as === 'number';
  });
  // One for all segments: collecting megabytes for each would take a tenth of the time.
  let spare: VectorReader | undefined;
  return {
    async *read(segment) {
      const vector = spare ?? createVectorReader(isNumber, options.rows);
      spare = undefined;
      const length = segment.to - segment.from;
      const bytes = await source.read(segment.from, segment.to, vector.room(length));
      if (bytes.length < length) throw changed();
      const next = createParser({ bytes, vector }, segment, info, options);
      for (let chunk = next(); chunk !== undefined; chunk = next()) yield chunk;
      spare = vector;
    },
    close: () => Promise.resolve(),
  };
}

interface Slot {
  readonly want: WantedColumn;
  readonly numbers: Float64Array;
  readonly integers: BigInt64Array;
  readonly flags: Uint8Array;
  readonly missing: Uint8Array;
  readonly texts: (string | null)[];
}

/** Gives the next chunk each time it is called, until there is none. */
function createParser(
  source: { readonly bytes: Uint8Array; readonly vector: VectorReader },
  segment: Segment,
  info: TableInfo,
  { wanted, rows: chunkRows, raw }: ReadOptions,
): () => Chunk | undefined {
  const { dialect, columns } = info;
  if (dialect === undefined) throw new Error('Separated values have a dialect.');
  const { bytes, isAsciiOnly, damaged } = prepared(source.bytes, dialect.encoding);
  const { length } = bytes;
  // Where it is the same it is faster.
  const asText = isAsciiOnly ? 'latin1' : 'utf8';
  const quoteText = dialect.quote ?? '';
  const delimiter = dialect.delimiter.charCodeAt(0);
  const quote = dialect.quote?.charCodeAt(0) ?? -1;
  const { decimal, encoding } = dialect;
  const width = columns.length;
  const marks = { delimiter, decimal: decimal.charCodeAt(0) };
  const vector = source.vector.over(bytes, marks);
  const placeByName = new Map(columns.map(({ name }, at) => [name, at]));
  const slots = wanted.map((want) =>
    createSlot(want, chunkRows, vector.numbers[placeByName.get(want.name) ?? -1]),
  );
  const slotsByColumn = columns.map(({ name }) => slots.filter(({ want }) => want.name === name));
  const plain: PlainCells = {
    bytes,
    view: new DataView(bytes.buffer, bytes.byteOffset, length),
    ...marks,
    // Those that are wanted once.
    numbers: slotsByColumn.map((of) =>
      of.length === 1 && of[0]?.want.as === 'number' ? of[0].numbers : undefined,
    ),
    others: slotsByColumn.map((of) => (of.length === 1 && of[0] ? plainColumn(of[0]) : undefined)),
    endsRows: !raw && !damaged,
  };
  const isVector = plain.endsRows && vector.numbers.some((numbers) => numbers !== undefined);
  const cursor: Cursor = { at: 0, row: 0, column: 0, rowAt: 0 };
  let firstRow = segment.firstRow;
  let bad: BadRow[] = [];
  let rawRows: (readonly string[])[] = [];

  /** What is wrong with the whole row counts more than what is wrong with a cell of it. */
  function reject(column: string | null, code: RejectCode): void {
    const last = bad.at(-1);
    const known = last?.at === cursor.row ? last : undefined;
    if (known !== undefined && (column !== null || known.column === null)) return;
    if (known !== undefined) bad.pop();
    bad.push({ at: cursor.row, column, code });
  }

  function put(from: number, to: number, quoted: boolean): void {
    const list = slotsByColumn[cursor.column];
    if (list === undefined || list.length === 0) return;
    let value = bytes.toString(asText, from, to);
    if (quoted && value.includes(quoteText))
      value = value.replaceAll(quoteText + quoteText, quoteText);
    for (const slot of list) {
      const code = putText(slot, cursor.row, value, decimal);
      if (code !== undefined) reject(slot.want.name, code);
    }
  }

  /** One cell, whatever it is, and the end of its row if it is the last. */
  function readCell(): void {
    const from = cursor.at;
    let at = from;
    let byte = bytes[at];
    let end = at;
    const quoted = byte === quote;
    if (quoted) {
      end = closingQuote(bytes, at, quote);
      if (end < 0) throw changed();
      at = end + 1;
    }
    const behind = at;
    byte = bytes[at];
    let strayQuote = false;
    while (byte !== delimiter && byte !== newline) {
      if (byte === quote) strayQuote = true;
      byte = bytes[(at += 1)];
    }
    const stop = byte === newline && at > behind && bytes[at - 1] === carriageReturn ? at - 1 : at;
    if (!quoted) end = stop;
    if (strayQuote || stop > (quoted ? behind : stop)) reject(null, 'quote');
    else if (end - from > maxCellBytes) reject(null, 'length');
    else put(quoted ? from + 1 : from, end, quoted);
    cursor.at = at + 1;
    cursor.column += 1;
    if (byte === newline) endRow(at);
  }

  function endRow(last: number): void {
    const { rowAt, column } = cursor;
    cursor.rowAt = cursor.at;
    cursor.column = 0;
    // A blank line is no row.
    if (last === rowAt || (last === rowAt + 1 && bytes[rowAt] === carriageReturn)) return;
    if (column !== width) reject(null, 'fields');
    else if (damaged && isDamaged(bytes.subarray(rowAt, last), encoding)) reject(null, 'encoding');
    if (raw)
      rawRows.push(
        readRecord({ bytes: bytes.subarray(0, last), delimiter, quote }, rowAt)?.fields ?? [],
      );
    cursor.row += 1;
  }

  return () => {
    cursor.row = 0;
    bad = [];
    rawRows = [];
    while (cursor.at < length && cursor.row < chunkRows) {
      const upTo = Math.min(chunkRows, cursor.row + rowsAtOnce);
      const from = cursor.row;
      if (isVector) vector.read(cursor, upTo);
      // Where that took no whole row, columns of other kinds stand between, and many rows at once are quicker.
      const isRest = isVector && cursor.row > from;
      readPlain(plain, cursor, isRest ? Math.min(upTo, cursor.row + 1) : upTo);
      if (cursor.at < length && cursor.row < upTo) readCell();
    }
    const rows = cursor.row;
    if (cursor.at >= length && firstRow + rows !== segment.firstRow + segment.rows) throw changed();
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

/** Beyond it a float is infinite: halfway to where the next one would be. */
const greatestFloat = 2 ** 128 - 2 ** 103 - 2 ** 80;

function createSlot(want: WantedColumn, rows: number, numbers: Float64Array | undefined): Slot {
  return {
    want,
    numbers: numbers ?? new Float64Array(want.as === 'number' ? rows : 0),
    integers: new BigInt64Array(want.as === 'integer' ? rows : 0),
    flags: new Uint8Array(want.as === 'boolean' ? rows : 0),
    missing: new Uint8Array(want.as === 'integer' || want.as === 'boolean' ? rows : 0),
    texts: want.as === 'text' ? Array.from({ length: rows }, () => null) : [],
  };
}

function plainColumn({ want, integers, flags, missing }: Slot): PlainColumn | undefined {
  const kind = want.as;
  if (kind !== 'integer' && kind !== 'boolean') return undefined;
  return { kind, halves: new Int32Array(integers.buffer), flags, missing };
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
      return {
        kind: 'number',
        values: slot.numbers.subarray(0, rows),
        fitsFloat: slot.want.float === true,
      };
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
