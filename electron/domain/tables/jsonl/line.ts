/** One line of JSON Lines: bytes to an object, or to the reason why not. */
import { isUtf8 } from 'node:buffer';
import { hasNameTwice } from '#platform/json-names.ts';
import type { RejectCode } from '../table.ts';

/** Bytes of one line beyond which its row is rejected without being looked at. */
export const maxLineBytes = 2 ** 20;

const newline = 10;
const blanks: ReadonlySet<number> = new Set([9, 13, 32]);

export type JsonRecord = Readonly<Record<string, unknown>>;

/** Of the line that begins at `from`: its line break, or the end of the bytes. */
export function lineEnd(bytes: Buffer, from: number): number {
  const found = bytes.indexOf(newline, from);
  return found < 0 ? bytes.length : found;
}

export function isBlank(bytes: Uint8Array, from: number, to: number): boolean {
  let at = from;
  while (at < to && blanks.has(bytes[at] ?? 0)) at += 1;
  return at === to;
}

export function parseLine(bytes: Buffer, from: number, to: number): JsonRecord | RejectCode {
  if (to - from > maxLineBytes) return 'length';
  const text = bytes.toString('utf8', from, to);
  // Damage becomes U+FFFD, which may as well stand in a text.
  if (text.includes('\uFFFD') && !isUtf8(bytes.subarray(from, to))) return 'encoding';
  try {
    const value: unknown = JSON.parse(text);
    if (!isRecord(value)) return 'json';
    return hasNameTwice(text, value) ? 'twice' : value;
  } catch {
    return 'json';
  }
}

/**
 * The same object with its numbers as the texts that stand in the line: JSON has integers beyond 2^53, numbers of JavaScript have not.
 */
export function digitsOf(bytes: Buffer, from: number, to: number): JsonRecord {
  const value: unknown = JSON.parse(
    bytes.toString('utf8', from, to),
    (_key, parsed: unknown, context?: { readonly source?: string }) =>
      typeof parsed === 'number' ? (context?.source ?? parsed) : parsed,
  );
  return isRecord(value) ? value : {};
}

function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
