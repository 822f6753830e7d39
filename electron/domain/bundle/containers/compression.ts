/** Gzip and Zstandard, in a stream that stops before a small archive unpacks to more than the bound. */
import { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from 'node:zlib';
import { gateLimits } from '../limits.ts';
import { GateBreach } from './breach.ts';
import { guarded } from './container.ts';
import { printable } from './names.ts';

export type Compression = 'gzip' | 'zstd';

type Decoder = Gunzip | ZstdDecompress;
type Chunks = AsyncGenerator<Uint8Array, void, undefined>;

/** By the first bytes of a file. */
export function compressionOf(head: Buffer): Compression | undefined {
  if (head.length >= 2 && head.readUInt16BE(0) === 0x1f8b) return 'gzip';
  if (head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528) return 'zstd';
  // Frames to be skipped, which pzstd and seekable archives begin with (RFC 8878 §3.1.2).
  if (head.length >= 4 && head.readUInt32LE(0) >>> 4 === 0x184d2a5) return 'zstd';
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
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source as AsyncIterable<Uint8Array>) {
      packed += chunk.length;
      yield chunk;
    }
  }
  try {
    const plain = compression === 'gzip' ? gunzipped(counted()) : unframed(counted(), name);
    for await (const chunk of guarded(plain, name)) {
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
  }
}

/** Members one after the other are one stream (RFC 1952 §2.2); after the last there may be zeros, and nothing else. */
function gunzipped(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return through(source, createGunzip());
}

/** Frames one after the other are one stream (RFC 8878 §3), and the decoder ends with a frame: each has a decoder of its own. */
async function* unframed(source: AsyncIterable<Uint8Array>, name: string): Chunks {
  const input = source[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array();
  for (let frames = 0; ; frames += 1) {
    while (rest.length === 0) {
      const next = await input.next();
      if (next.done === true) return;
      rest = next.value;
    }
    if (frames > gateLimits.frames)
      throw new GateBreach('SR-LIMIT-001', printable(name), 'The archive has too many frames.');
    const decoder = createZstdDecompress();
    /** What the decoder was given and may have left, and how many bytes it was given before that. */
    const given: Uint8Array[] = [rest];
    let used = 0;
    async function* feed(first: Uint8Array): Chunks {
      yield first;
      for (let next = await input.next(); next.done !== true; next = await input.next()) {
        const whole = given[0]?.length ?? 0;
        if (given.length > 1 && used + whole <= decoder.bytesWritten) {
          given.shift();
          used += whole;
        }
        given.push(next.value);
        yield next.value;
      }
    }
    const chunks = feed(rest);
    yield* through(chunks, decoder);
    // It may be waiting for a chunk that the next frame begins in.
    await chunks.return();
    const left = given.length === 1 ? given[0] : Buffer.concat(given);
    rest = left?.subarray(decoder.bytesWritten - used) ?? rest;
  }
}

async function* through(source: AsyncIterable<Uint8Array>, decoder: Decoder): Chunks {
  const input = Readable.from(source, { objectMode: false });
  input.on('error', (error) => decoder.destroy(error));
  input.pipe(decoder);
  try {
    yield* decoder as AsyncIterable<Uint8Array>;
  } finally {
    input.destroy();
    decoder.destroy();
  }
}
