/** The SHA-256 of a whole file, for formats whose places are known before it is read through. */
import { createHash } from 'node:crypto';
import type { TableSource } from './table.ts';

const blockBytes = 2 ** 20;

/** Hex. */
export async function digestOf(source: TableSource): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; ;) {
    const block = await source.read(at, at + blockBytes);
    hash.update(block);
    at += block.length;
    if (block.length < blockBytes) return hash.digest('hex');
  }
}
