/** One pass over the bytes: the SHA-256, and where lines end. A line break is never part of a JSON text, so nothing is parsed. */
import { createHash } from 'node:crypto';
import type { Segment, TableInfo, TableSource } from '../table.ts';

const blockBytes = 2 ** 20;
const mostBytes = 8 * 2 ** 20;
const leastBytes = 256 * 1024;
const newline = 10;

/** Lines of nothing but blanks are no rows. */
export async function* splitJsonLines(
  source: TableSource,
  info: TableInfo,
): AsyncGenerator<Segment, string, undefined> {
  const segmentBytes = Math.min(mostBytes, Math.max(leastBytes, Math.ceil(source.sizeBytes / 32)));
  const hash = createHash('sha256');
  let index = 0;
  let firstRow = 1;
  let rows = 0;
  let from = info.bodyFrom;
  /** Of the line that is open: something else than blanks was seen. */
  let filled = false;
  let reading = source.read(0, blockBytes);
  for (let at = 0; ;) {
    const block = await reading;
    const next = at + block.length;
    const ended = block.length < blockBytes;
    if (!ended) {
      reading = source.read(next, next + blockBytes);
      reading.catch(() => undefined); // awaited in the next round, unless somebody has lost interest
    }
    let hashed = 0;
    let place = Math.min(block.length, Math.max(0, info.bodyFrom - at));
    while (place < block.length) {
      const found = block.indexOf(newline, place);
      const end = found < 0 ? block.length : found;
      filled ||= hasInk(block, place, end);
      if (found < 0) break;
      if (filled) rows += 1;
      filled = false;
      place = end + 1;
      const to = at + place;
      if (rows === 0 || to - from < segmentBytes) continue;
      hash.update(block.subarray(hashed, place));
      hashed = place;
      yield { index, firstRow, rows, from, to, sha256: hash.copy().digest('hex') };
      index += 1;
      firstRow += rows;
      rows = 0;
      from = to;
    }
    hash.update(block.subarray(hashed));
    at = next;
    if (!ended) continue;
    if (filled) rows += 1;
    const sha256 = hash.digest('hex');
    if (rows > 0) yield { index, firstRow, rows, from, to: at, sha256 };
    return sha256;
  }
}

/** Mostly the first byte tells. */
function hasInk(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at];
    if (byte !== 32 && byte !== 13 && byte !== 9) return true;
  }
  return false;
}
