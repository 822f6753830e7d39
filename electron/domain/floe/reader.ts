/**
 * Reads a FLOE file: header, full inner segments of 1 MiB, one last segment. The reader knows the plaintext's length
 * from the catalog, so the file's length is checked before a byte is decrypted, and each segment knows whether it is last.
 * Works on file descriptors, because an inference child is handed a descriptor and never a path.
 */
import { fstat, read, type Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { AppError } from '#shared/errors.ts';
import { floeHeaderBytes, floeSegmentOverheadBytes, openFloe } from './floe.ts';
import { objectShape } from './writer.ts';

const readAt = promisify(read);
const stat = promisify<number, Stats>(fstat);

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
