/**
 * One record of separated values after RFC 4180, the careful way: for headers, and for rows whose every field is wanted. A
 * quote opens a field only as its first character; two of them inside stand for one.
 */
import type { RejectCode } from '../table.ts';

/** Bytes of one cell beyond which its row is rejected. */
export const maxCellBytes = 2 ** 20;

const newline = 10;
const carriageReturn = 13;

/** Bytes in UTF-8 and how they are divided; delimiter and quote as codes, no quote as -1. */
export interface RecordBytes {
  readonly bytes: Buffer;
  readonly delimiter: number;
  readonly quote: number;
}

export interface ParsedRecord {
  readonly fields: readonly string[];
  /** Behind the line break. */
  readonly end: number;
  readonly problem: Extract<RejectCode, 'quote' | 'length'> | undefined;
}

/** The record at `at`, or undefined when the bytes end inside of quotes. The end of the bytes ends a record. */
export function readRecord(
  { bytes, delimiter, quote }: RecordBytes,
  at: number,
): ParsedRecord | undefined {
  const fields: string[] = [];
  let problem: ParsedRecord['problem'];
  let from = at;
  for (;;) {
    let text = '';
    let scan = from;
    if (bytes[from] === quote) {
      const close = closingQuote(bytes, from, quote);
      if (close < 0) return undefined;
      const mark = String.fromCharCode(quote);
      text = bytes.toString('utf8', from + 1, close).replaceAll(mark + mark, mark);
      scan = close + 1;
    }
    let stop = scan;
    while (stop < bytes.length && bytes[stop] !== delimiter && bytes[stop] !== newline) {
      if (bytes[stop] === quote) problem ??= 'quote';
      stop += 1;
    }
    const last = stop === bytes.length || bytes[stop] === newline;
    const to = last && stop > scan && bytes[stop - 1] === carriageReturn ? stop - 1 : stop;
    if (scan > from && to > scan) problem ??= 'quote';
    if (to - from > maxCellBytes) problem ??= 'length';
    fields.push(text + bytes.toString('utf8', scan, to));
    if (last) return { fields, end: Math.min(stop + 1, bytes.length), problem };
    from = stop + 1;
  }
}

/** Where the quote that is open at `from` closes, or -1. */
export function closingQuote(bytes: Uint8Array, from: number, quote: number): number {
  let at = bytes.indexOf(quote, from + 1);
  while (at >= 0 && bytes[at + 1] === quote) at = bytes.indexOf(quote, at + 2);
  return at;
}
