/**
 * Turns content into a FLOE file in one pass on two threads: this one reads, encrypts and writes, the other hashes. The next
 * block is read, and the ones before are written, while one is hashed and encrypted.
 */
import { createHash } from 'node:crypto';
import { alignedMemory, alignmentBytes, createBlockFile } from '#platform/block-file.ts';
import { fillFrom, type Content } from '#platform/content.ts';
import { createHasher, type Hasher } from '#platform/hasher.ts';
import { floeHeaderBytes, floeSegmentOverheadBytes } from './floe.ts';
import { createBlockSealer } from './blocks.ts';

export interface WriterShape {
  readonly segmentBytes: number;
  readonly segmentsPerBlock: number;
  /** Blocks of plaintext in memory: at least three. */
  readonly laneCount: number;
}

export const objectShape: WriterShape = {
  segmentBytes: 1024 * 1024,
  segmentsPerBlock: 2,
  laneCount: 5,
};

export interface EncryptedFile {
  readonly sizeBytes: number;
  /** SHA-256 of the plaintext, hex. */
  readonly sha256: string;
}

/** Its memory and its thread are kept for the next file; one file at a time. */
export interface FloeWriter {
  readonly hasher: Hasher;
  /**
   * The file is new, and durable when the promise resolves; on failure it is left behind for the caller to remove. What
   * source and system say is passed on; `unavailable` when the thread has died.
   */
  write(options: {
    readonly path: string;
    readonly source: Content;
    /** Zeroed as soon as what is needed has been derived from it. */
    readonly key: Uint8Array;
    readonly aad: Uint8Array;
    readonly onBytes?: (count: number) => void;
    readonly signal?: AbortSignal;
  }): Promise<EncryptedFile>;
}

/** Blocks of the file that are written at the same time: each takes a thread of the pool, and of four one is left for reading. */
const blocksAtOnce = 3;

export function createFloeWriter(
  options: { readonly shape?: WriterShape; readonly threadEntry?: URL } = {},
): FloeWriter {
  const shape = options.shape ?? objectShape;
  const { segmentBytes, segmentsPerBlock, laneCount } = shape;
  const blockBytes = segmentBytes * segmentsPerBlock;
  const hasher = createHasher({
    laneBytes: segmentsPerBlock * (segmentBytes - floeSegmentOverheadBytes),
    laneCount,
    ...(options.threadEntry === undefined ? {} : { entry: options.threadEntry }),
  });
  // Behind a block there is room for what spills over.
  const blocks = Array.from({ length: blocksAtOnce }, () =>
    alignedMemory(blockBytes + floeHeaderBytes),
  );

  return {
    hasher,
    async write({ path, source, key, aad, onBytes, signal }) {
      const file = await createBlockFile(path, blockBytes % alignmentBytes === 0);
      const sealer = createBlockSealer({ ...shape, key, aad });
      key.fill(0);
      /** By lane: its latest block is hashed. By place: what was sealed there is written. */
      const hashed = hasher.lanes.map(() => Promise.resolve());
      const written = blocks.map(() => Promise.resolve());
      /** Lanes that plaintext was put in. */
      const used = new Set<Uint8Array>();
      let reading: Promise<Uint8Array> | undefined;
      let failure: { readonly error: unknown } | undefined;
      const watched = (work: Promise<void>): Promise<void> =>
        work.catch((error: unknown) => {
          failure ??= { error };
        });

      try {
        await using filler = fillFrom(source);
        let isShort = false;
        const read = async (at: number): Promise<Uint8Array> => {
          const lane = inRing(hasher.lanes, at);
          // A file that grows while it is read ends where it ended first.
          if (isShort) return lane.subarray(0, 0);
          used.add(lane);
          const count = await filler.fill(lane);
          isShort = count < lane.length;
          return lane.subarray(0, count);
        };
        let bytes = await read(0);
        let next = await read(1);
        // What fits into one block is not worth the way to the thread.
        const single = next.length === 0 ? createHash('sha256').update(bytes) : undefined;
        let sizeBytes = 0;
        for (let at = 0, isLast = false; !isLast; at += 1) {
          signal?.throwIfAborted();
          isLast = next.length === 0;
          const lane = at % laneCount;
          const place = at % blocksAtOnce;
          if (single === undefined) hashed[lane] = watched(hasher.update(lane, bytes.length));
          await hashed[(at + 2) % laneCount];
          reading = isLast ? undefined : read(at + 2);
          reading?.catch(() => undefined); // awaited below
          await written[place];
          if (failure !== undefined) throw failure.error;
          const buffer = inRing(blocks, place);
          const lengthBytes = sealer.seal(bytes, isLast, buffer);
          written[place] = watched(file.write({ buffer, lengthBytes }));
          sizeBytes += bytes.length;
          onBytes?.(bytes.length);
          bytes = next;
          next = (await reading) ?? next;
        }
        await Promise.all([...hashed, ...written]);
        if (failure !== undefined) throw failure.error;
        const sha256 = single?.digest('hex') ?? (await hasher.digest());
        await file.finish();
        return { sizeBytes, sha256 };
      } catch (error) {
        // Nothing may be under way in the memory that the next file gets.
        await Promise.all([...hashed, ...written, reading?.catch(() => undefined)]);
        await file.close().catch(() => undefined); // the first error is the one that counts
        throw error;
      } finally {
        sealer.destroy();
        hasher.rest();
        for (const lane of used) lane.fill(0);
      }
    },
  };
}

function inRing<T>(ring: readonly T[], index: number): T {
  const found = ring[index % ring.length];
  if (found === undefined) throw new RangeError('A ring is not empty.');
  return found;
}
