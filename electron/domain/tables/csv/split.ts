/**
 * One pass over the bytes: the SHA-256, and where records end. It looks at line breaks and quotes only, by search and not byte
 * by byte, and keeps no more than a block in memory, whatever a quote swallows.
 */
import { createHash } from 'node:crypto';
import { AppError } from '#shared/errors.ts';
import type { Segment, TableInfo, TableSource } from '../table.ts';
import { unitBytes } from './encoding.ts';

const mostBytes = 8 * 2 ** 20;
const leastBytes = 256 * 1024;
/** A segment is read in one piece, and holds whole records. */
const mostRecordBytes = 256 * 2 ** 20;
const newline = 10;
const carriageReturn = 13;

/** `sizes` are for tests; those of the product depend on the size of the file alone. */
export async function* splitCsv(
  source: TableSource,
  info: TableInfo,
  sizes: {
    readonly blockBytes: number;
    readonly segmentBytes: number;
    readonly recordBytes?: number;
  } = {
    blockBytes: 2 ** 20,
    // Small files are divided too, so that both cores have something to do.
    segmentBytes: Math.min(mostBytes, Math.max(leastBytes, Math.ceil(source.sizeBytes / 32))),
  },
): AsyncGenerator<Segment, string, undefined> {
  const { blockBytes, segmentBytes, recordBytes = mostRecordBytes } = sizes;
  const { dialect, bodyFrom } = info;
  if (dialect === undefined) throw new Error('Separated values have a dialect.');
  const unit = unitBytes(dialect.encoding);
  const scanner = createScanner(dialect.delimiter, dialect.quote, recordBytes / unit);
  const hash = createHash('sha256');
  let index = 0;
  let from = bodyFrom;
  let rowsBefore = 0;
  let hashed = 0;
  // Fresh memory for each block costs more than to look for line breaks in it.
  const buffers = [Buffer.allocUnsafeSlow(blockBytes), Buffer.allocUnsafeSlow(blockBytes)];
  let reading = source.read(0, blockBytes, buffers[0]);
  for (let at = 0, turn = 1; ; turn += 1) {
    const block = await reading;
    const next = at + block.length;
    const skip = Math.min(block.length, Math.max(0, bodyFrom - at));
    const units = toUnits(block.subarray(skip), dialect.encoding);
    const end = (place: number): number => at + skip + place * unit;
    scanner.begin(units);
    // The next block is read while this one is looked at; the one before is not needed any more.
    const ended = block.length < blockBytes;
    if (!ended) {
      reading = source.read(next, next + blockBytes, buffers[turn % 2]);
      reading.catch(() => undefined); // awaited in the next round, unless somebody has lost interest
    }
    while (scanner.nextRecord()) {
      const to = end(scanner.place());
      if (to - from < segmentBytes) continue;
      hash.update(block.subarray(hashed - at, to - at));
      hashed = to;
      const rows = scanner.rows() - rowsBefore;
      yield { index, firstRow: rowsBefore + 1, rows, from, to, sha256: hash.copy().digest('hex') };
      index += 1;
      from = to;
      rowsBefore += rows;
    }
    hash.update(block.subarray(hashed - at));
    hashed = next;
    at = next;
    if (ended) break;
  }
  scanner.end();
  const rows = scanner.rows() - rowsBefore;
  const sha256 = hash.digest('hex');
  if (rows > 0) yield { index, firstRow: rowsBefore + 1, rows, from, to: hashed, sha256 };
  return sha256;
}

type Units = Uint8Array | Uint16Array;

/** Wide encodings as numbers of this machine, which counts from the low byte as all that the program runs on. */
function toUnits(bytes: Uint8Array, encoding: string): Units {
  if (encoding !== 'utf-16le' && encoding !== 'utf-16be') return bytes;
  const even = Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % 2)));
  const own = new Uint16Array(even.length / 2);
  const view = Buffer.from(own.buffer);
  view.set(even);
  if (encoding === 'utf-16be') view.swap16();
  return own;
}

interface Scanner {
  /** Throws `limit` when the record that is open has grown too long. */
  begin(units: Units): void;
  /** Goes to the end of the next record that ends in these units; false when there is none. */
  nextRecord(): boolean;
  /** Behind the line break of that record. */
  place(): number;
  /** So far; blank lines are none. */
  rows(): number;
  /** The input is over. Throws `corrupt` inside of quotes. */
  end(): void;
}

/** Its state goes on from one block to the next. */
function createScanner(
  delimiterText: string,
  quoteText: string | null,
  mostUnits: number,
): Scanner {
  const delimiter = delimiterText.charCodeAt(0);
  const quote = quoteText?.charCodeAt(0) ?? -1;
  let units: Units = new Uint8Array();
  let at = 0;
  let nextQuote = -1;
  let rows = 0;
  let inQuotes = false;
  /** A quote was the last unit of a block: the next one tells whether it closes. */
  let undecided = false;
  /** The last two units of what came before; a file begins like a line. */
  let before: readonly [number, number] = [newline, newline];
  /** Of the record that is open, in the blocks before. */
  let carried = 0;
  let recordFrom = 0;

  const unitAt = (place: number): number =>
    place >= 0 ? (units[place] ?? -1) : place === -1 ? before[1] : before[0];
  const findQuote = (from: number): number => {
    const found = quote < 0 ? -1 : units.indexOf(quote, from);
    return found < 0 ? units.length : found;
  };

  /** From inside of quotes to behind the one that closes them; false when it is not in this block. */
  function leaveQuotes(): boolean {
    for (;;) {
      if (undecided) {
        if (at >= units.length) return false;
        undecided = false;
        if (unitAt(at) !== quote) break;
        at += 1;
      }
      const close = findQuote(at);
      if (close === units.length) return false;
      at = close + 1;
      undecided = true;
    }
    inQuotes = false;
    nextQuote = findQuote(at);
    return true;
  }

  function endRecord(behind: number): void {
    const length = carried + behind - 1 - recordFrom;
    const blank = length === 0 || (length === 1 && unitAt(behind - 2) === carriageReturn);
    if (!blank) rows += 1;
    carried = 0;
    recordFrom = behind;
    at = behind;
  }

  return {
    begin(next) {
      const last = units.length;
      if (last > 0) {
        before = [unitAt(last - 2), unitAt(last - 1)];
        carried += last - recordFrom;
        if (carried > mostUnits)
          throw new AppError(
            'limit',
            `Row ${rows + 1} is longer than any row may be. A quote that is opened in it and closed much later may have taken in the rows behind it.`,
          );
      }
      units = next;
      at = 0;
      recordFrom = 0;
      nextQuote = inQuotes ? units.length : findQuote(0);
    },
    nextRecord() {
      for (;;) {
        if (inQuotes && !leaveQuotes()) return false;
        const found = units.indexOf(newline, at);
        const lineEnd = found < 0 ? units.length : found;
        while (nextQuote < lineEnd) {
          const previous = unitAt(nextQuote - 1);
          const opens = previous === delimiter || nextQuote - recordFrom + carried === 0;
          if (opens) break;
          nextQuote = findQuote(nextQuote + 1);
        }
        if (nextQuote < lineEnd) {
          at = nextQuote + 1;
          inQuotes = true;
          undecided = false;
          continue;
        }
        if (found < 0) return false;
        endRecord(found + 1);
        return true;
      }
    },
    place: () => at,
    rows: () => rows,
    end() {
      // A quote at the very end closes.
      if (inQuotes && !undecided)
        throw new AppError(
          'corrupt',
          `A quote is opened in row ${rows + 1} and never closed. Correct the file and try again.`,
        );
      if (carried + units.length - recordFrom > 0) endRecord(units.length + 1);
    },
  };
}
