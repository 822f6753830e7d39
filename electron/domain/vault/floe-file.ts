/**
 * A FLOE file on disk: header, full inner segments of 1 MiB, one last segment. The reader knows the plaintext's length
 * from the catalog, so the file's length is checked before a byte is decrypted, and each segment knows whether it is last.
 * Works on file descriptors, because an inference child is handed a descriptor and never a path.
 */
import { fstat, read, type Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { AppError } from '#shared/errors.ts';
import { alignmentBytes, createBlockFile } from '#platform/block-file.ts';
import { fillFrom, type Content } from '#platform/content.ts';
import { floeHeaderBytes, floeSegmentOverheadBytes, openFloe } from './floe.ts';
import { objectShape, type Lane, type Sealer } from './sealer.ts';

const readAt = promisify(read);
const stat = promisify<number, Stats>(fstat);

export interface EncryptedFile {
  readonly sizeBytes: number;
  /** SHA-256 of the plaintext, hex. */
  readonly sha256: string;
}

/**
 * Reads, hashes, encrypts and writes in one pass, in the memory of the sealer's lanes. The file is new, and durable when the
 * promise resolves; on failure it is left behind for the caller to remove.
 */
export async function writeFloeFile(options: {
  readonly path: string;
  readonly source: Content;
  /** Zeroed as soon as it has been handed on. */
  readonly key: Uint8Array;
  readonly aad: Uint8Array;
  readonly sealer: Sealer;
  readonly onBytes?: (count: number) => void;
  readonly signal?: AbortSignal;
}): Promise<EncryptedFile> {
  const { sealer, source, key, aad, signal } = options;
  const { lanes } = sealer;
  const { segmentBytes, segmentsPerBlock } = sealer.shape;
  const isAligned = (segmentBytes * segmentsPerBlock) % alignmentBytes === 0;
  const file = await createBlockFile(options.path, isAligned);
  const hash = createHash('sha256');
  /** By lane: its latest block, sealed and written. */
  const stored: Promise<void>[] = lanes.map(() => Promise.resolve());
  let sizeBytes = 0;
  let failure: { readonly error: unknown } | undefined;

  async function store(block: Parameters<Sealer['seal']>[0], sealed: Uint8Array): Promise<void> {
    try {
      const lengthBytes = await sealer.seal(block);
      await file.write({ buffer: sealed, lengthBytes });
    } catch (error) {
      failure ??= { error };
    }
  }

  try {
    await using filler = fillFrom(source);
    sealer.begin({ key, aad });
    const read = async (at: number): Promise<{ number: number; bytes: Uint8Array }> => {
      const number = at % lanes.length;
      await stored[number];
      const plain = laneAt(lanes, number).plain;
      return { number, bytes: plain.subarray(0, await filler.fill(plain)) };
    };
    let current = await read(0);
    for (let at = 1, isLast = false; !isLast; at += 1) {
      signal?.throwIfAborted();
      const { number, bytes } = current;
      const { plain, sealed } = laneAt(lanes, number);
      // The next block is read while this one is hashed; only then it is known whether this one is the last.
      const reading = bytes.length < plain.length ? undefined : read(at);
      reading?.catch(() => undefined); // awaited below
      hash.update(bytes);
      const next = await reading;
      if (failure !== undefined) throw failure.error;
      isLast = next === undefined || next.bytes.length === 0;
      stored[number] = store({ lane: number, lengthBytes: bytes.length, isLast }, sealed);
      sizeBytes += bytes.length;
      options.onBytes?.(bytes.length);
      if (next !== undefined) current = next;
    }
    await Promise.all(stored);
    if (failure !== undefined) throw failure.error;
    await file.finish();
    return { sizeBytes, sha256: hash.digest('hex') };
  } catch (error) {
    await Promise.all(stored);
    await file.close().catch(() => undefined); // the first error is the one that counts
    throw error;
  } finally {
    sealer.end();
  }
}

function laneAt(lanes: readonly Lane[], at: number): Lane {
  const lane = lanes[at];
  if (lane === undefined) throw new RangeError('There is no such lane.');
  return lane;
}

export interface FloeFileReader {
  readonly sizeBytes: number;
  readAll(): Promise<Uint8Array>;
  stream(): AsyncGenerator<Uint8Array, void, undefined>;
  /** The whole plaintext into a file, from its start. */
  writeTo(output: FileHandle): Promise<void>;
  /** Reads `lengthBytes` of plaintext from `offset`; both must lie inside the object. */
  readRange(offset: number, lengthBytes: number): Promise<Uint8Array>;
}

/** `fd` stays the caller's to close. */
export async function openFloeFile(options: {
  readonly fd: number;
  readonly key: Uint8Array;
  readonly aad: Uint8Array;
  readonly sizeBytes: number;
}): Promise<FloeFileReader> {
  const { fd, sizeBytes } = options;
  const header = await readExactly(fd, 0, Buffer.allocUnsafe(floeHeaderBytes));
  const floe = openFloe({ key: options.key, aad: options.aad, header });
  const plainBytes = floe.segmentBytes - floeSegmentOverheadBytes;
  const lastIndex = Math.max(0, Math.ceil(sizeBytes / plainBytes) - 1);
  const { size } = await stat(fd);
  if (size !== floeFileBytes(sizeBytes, floe.segmentBytes)) throw wrongLength();

  const placeOf = (index: number): 'inner' | 'last' => (index === lastIndex ? 'last' : 'inner');

  function sealedSegment(index: number, memory?: Uint8Array): Promise<Uint8Array> {
    const length =
      index === lastIndex
        ? sizeBytes - lastIndex * plainBytes + floeSegmentOverheadBytes
        : floe.segmentBytes;
    const into = memory?.subarray(0, length) ?? Buffer.allocUnsafe(length);
    return readExactly(fd, floeHeaderBytes + index * floe.segmentBytes, into);
  }

  async function segment(index: number): Promise<Uint8Array> {
    return floe.decrypt(await sealedSegment(index), index, placeOf(index));
  }

  async function readRange(offset: number, lengthBytes: number): Promise<Uint8Array> {
    if (offset < 0 || lengthBytes < 0 || offset + lengthBytes > sizeBytes) {
      throw new RangeError('The range lies outside of the object.');
    }
    const result = new Uint8Array(lengthBytes);
    if (lengthBytes === 0) return result;
    const first = Math.floor(offset / plainBytes);
    const last = Math.floor((offset + lengthBytes - 1) / plainBytes);
    // One segment is read while the one before is decrypted.
    const memory = [0, 1].map(() => Buffer.allocUnsafeSlow(floe.segmentBytes));
    let reading = sealedSegment(first, memory[0]);
    for (let index = first; index <= last; index += 1) {
      const sealed = await reading;
      if (index < last) reading = sealedSegment(index + 1, memory[(index + 1 - first) % 2]);
      reading.catch(() => undefined); // awaited in the next round, unless this one fails
      const at = index * plainBytes - offset;
      const whole = sealed.length - floeSegmentOverheadBytes;
      if (at >= 0 && at + whole <= lengthBytes)
        floe.decryptInto(result.subarray(at, at + whole), sealed, index, placeOf(index));
      else {
        const plaintext = floe.decrypt(sealed, index, placeOf(index));
        const from = Math.max(0, -at);
        result.set(plaintext.subarray(from, lengthBytes - at), at + from);
        plaintext.fill(0);
      }
    }
    return result;
  }

  return {
    sizeBytes,
    readRange,
    async readAll() {
      // An empty object still has a last segment that has to be authentic.
      if (sizeBytes === 0) return segment(0);
      return readRange(0, sizeBytes);
    },
    async writeTo(output) {
      // One segment is read, and another written, while the one between them is decrypted.
      const sealed = [0, 1].map(() => Buffer.allocUnsafeSlow(floe.segmentBytes));
      const plain = [0, 1].map(() => Buffer.allocUnsafeSlow(plainBytes));
      let reading = sealedSegment(0, sealed[0]);
      let writing = Promise.resolve();
      for (let index = 0; index <= lastIndex; index += 1) {
        const bytes = await reading;
        if (index < lastIndex) reading = sealedSegment(index + 1, sealed[(index + 1) % 2]);
        reading.catch(() => undefined); // awaited in the next round, unless this one fails
        const length = bytes.length - floeSegmentOverheadBytes;
        const into = plain[index % 2]?.subarray(0, length) ?? Buffer.allocUnsafe(length);
        floe.decryptInto(into, bytes, index, placeOf(index));
        await writing;
        writing = writeFully(output, into, index * plainBytes);
        writing.catch(() => undefined); // likewise
      }
      await writing;
      for (const memory of plain) memory.fill(0);
    },
    async *stream() {
      for (let index = 0; index <= lastIndex; index += 1) yield await segment(index);
    },
  };
}

/** Length of the file that holds `sizeBytes` of plaintext. */
export function floeFileBytes(sizeBytes: number, segmentBytes = objectShape.segmentBytes): number {
  const plainBytes = segmentBytes - floeSegmentOverheadBytes;
  const segments = Math.max(1, Math.ceil(sizeBytes / plainBytes));
  return floeHeaderBytes + segments * floeSegmentOverheadBytes + sizeBytes;
}

async function readExactly(fd: number, position: number, into: Uint8Array): Promise<Uint8Array> {
  for (let done = 0; done < into.length;) {
    const { bytesRead } = await readAt(fd, into, done, into.length - done, position + done);
    if (bytesRead === 0) throw wrongLength();
    done += bytesRead;
  }
  return into;
}

async function writeFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

function wrongLength(): AppError {
  return new AppError('corrupt', 'A stored object does not have the length that was written.');
}
