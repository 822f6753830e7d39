/** From the bytes of a file in whatever encoding to UTF-8, in which everything else works. */
import { isAscii, isUtf8 } from 'node:buffer';
import type { Encoding } from '../table.ts';

const lineBreak = 10;

const marks: readonly (readonly [Encoding, readonly number[]])[] = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
];

/** Bytes of a unit: what a line break takes. */
export function unitBytes(encoding: Encoding): 1 | 2 {
  return encoding === 'utf-16le' || encoding === 'utf-16be' ? 2 : 1;
}

/**
 * From a byte order mark, else from what the bytes could be: every second one zero is UTF-16, valid UTF-8 is UTF-8. What is not
 * valid is UTF-8 with damage if some of it is UTF-8 beyond ASCII, else the Western European code page of Windows.
 */
export function guessEncoding(sample: Uint8Array): Encoding {
  const marked = marks.find(([, mark]) => mark.every((byte, at) => sample[at] === byte))?.[0];
  if (marked !== undefined) return marked;
  const pairs = sample.length >> 1;
  const zeros = [0, 0];
  for (let at = 0; at < pairs * 2; at += 1)
    if (sample[at] === 0) zeros[at & 1] = (zeros[at & 1] ?? 0) + 1;
  const [even = 0, odd = 0] = zeros;
  if (pairs > 0 && even + odd > 0) {
    if (odd > pairs / 2 && even < pairs / 20) return 'utf-16le';
    if (even > pairs / 2 && odd < pairs / 20) return 'utf-16be';
  }
  if (
    isUtf8(withoutCutCharacter(sample)) ||
    /[\u00C2-\u00F4][\u0080-\u00BF]/.test(Buffer.from(sample).toString('latin1'))
  )
    return 'utf-8';
  return 'windows-1252';
}

export function markBytes(sample: Uint8Array, encoding: Encoding): number {
  const mark = marks.find(([marked]) => marked === encoding)?.[1] ?? [];
  return mark.length > 0 && mark.every((byte, at) => sample[at] === byte) ? mark.length : 0;
}

/** Shares memory with `bytes` where nothing has to be done. What is not valid becomes U+FFFD. */
export function toUtf8(bytes: Uint8Array, encoding: Encoding): Buffer {
  if (encoding === 'utf-8') return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (encoding === 'iso-8859-1') return Buffer.from(Buffer.from(bytes).toString('latin1'));
  return Buffer.from(new TextDecoder(encoding, { ignoreBOM: true }).decode(bytes));
}

/** In UTF-8, with a line break behind, so that the last record ends like all others. */
export function prepared(
  source: Uint8Array,
  encoding: Encoding,
): { readonly bytes: Buffer; readonly isAsciiOnly: boolean; readonly damaged: boolean } {
  const text = toUtf8(source, encoding);
  const ended = text.length === 0 || text[text.length - 1] === lineBreak;
  const bytes = ended ? text : Buffer.concat([text, Buffer.of(lineBreak)]);
  const isAsciiOnly = isAscii(bytes);
  const isText =
    isAsciiOnly || (encoding === 'utf-8' ? isUtf8(bytes) : !bytes.includes(replacement));
  return { bytes, isAsciiOnly, damaged: !isText || bytes.includes(0) };
}

/** What stands for bytes that were no text. */
const replacement = Buffer.from('\uFFFD');

export function isDamaged(record: Buffer, encoding: Encoding): boolean {
  return (
    record.includes(0) || (encoding === 'utf-8' ? !isUtf8(record) : record.includes(replacement))
  );
}

/** Without the first bytes of a character that a cut at the end has left. */
export function withoutCutCharacter(sample: Uint8Array): Uint8Array {
  for (let back = 1; back <= Math.min(3, sample.length); back += 1) {
    const byte = sample[sample.length - back] ?? 0;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? sample.subarray(0, sample.length - back) : sample;
    }
    if (byte < 0x80) break;
  }
  return sample;
}
