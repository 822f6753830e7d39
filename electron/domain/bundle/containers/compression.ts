/** Gzip and Zstandard, in a stream that stops before a small archive unpacks to more than the bound. */
import type { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { gateLimits } from '../limits.ts';
import { GateBreach } from './breach.ts';
import { guarded } from './container.ts';
import { printable } from './names.ts';

export type Compression = 'gzip' | 'zstd';

/** By the first bytes of a file. */
export function compressionOf(head: Buffer): Compression | undefined {
  if (head.length >= 2 && head.readUInt16BE(0) === 0x1f8b) return 'gzip';
  if (head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528) return 'zstd';
  return undefined;
}

/** Throws `corrupt` for damaged data, and a breach for a bomb. */
export async function* decompressed(
  source: Readable,
  compression: Compression,
  name: string,
): AsyncGenerator<Uint8Array> {
  let packed = 0;
  let unpacked = 0;
  const decoder = compression === 'gzip' ? createGunzip() : createZstdDecompress();
  source.on('data', (chunk: Uint8Array) => (packed += chunk.length));
  source.on('error', (error) => decoder.destroy(error));
  source.pipe(decoder);
  try {
    for await (const chunk of guarded(decoder, name)) {
      unpacked += chunk.length;
      if (unpacked > gateLimits.ratioFreeBytes && unpacked > packed * gateLimits.ratio) {
        throw new GateBreach(
          'SR-LIMIT-001',
          printable(name),
          `The archive unpacks to more than ${gateLimits.ratio} times its size.`,
        );
      }
      yield chunk;
    }
  } finally {
    source.destroy();
    decoder.destroy();
  }
}
