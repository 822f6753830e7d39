/**
 * A FLOE file on disk: header, full inner segments of 1 MiB, one last segment. The reader knows the plaintext's length
 * from the catalog, so the file's length is checked before a byte is decrypted, and each segment knows whether it is last.
 * Works on file descriptors, because an inference child is handed a descriptor and never a path.
 */
import { fstat, read, type Stats } from 'node:fs';
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { AppError } from '#shared/errors.ts';
import {
  createFloeEncryptor,
  floeHeaderBytes,
  floeSegmentOverheadBytes,
  openFloe,
} from './floe.ts';

export const objectSegmentBytes = 1024 * 1024;

const readAt = promisify(read);
const stat = promisify<number, Stats>(fstat);

export interface EncryptedFile {
  readonly sizeBytes: number;
  /** SHA-256 of the plaintext, hex. */
  readonly sha256: string;
}

/** Hashes and encrypts `source` in one pass, in bounded memory. The caller syncs and closes the file. */
export async function writeFloeFile(options: {
  readonly file: FileHandle;
  readonly source: AsyncIterable<Uint8Array>;
  readonly key: Uint8Array;
  readonly aad: Uint8Array;
  readonly segmentBytes?: number;
  readonly onBytes?: (count: number) => void;
  readonly signal?: AbortSignal;
}): Promise<EncryptedFile> {
  const { file, key, aad } = options;
  const encryptor = createFloeEncryptor({
    key,
    aad,
    segmentBytes: options.segmentBytes ?? objectSegmentBytes,
  });
  const hash = createHash('sha256');
  const pending = Buffer.allocUnsafe(encryptor.segmentPlainBytes);
  let filled = 0;
  let sizeBytes = 0;
  let position = 0;
  // One write is under way while the next segment is read, hashed and encrypted.
  let writing: Promise<void> = Promise.resolve();

  async function put(bytes: Uint8Array): Promise<void> {
    const at = position;
    position += bytes.length;
    await writing;
    writing = writeFully(file, bytes, at);
    writing.catch(() => undefined); // observed by the next `await writing`
  }

  await put(encryptor.header);
  for await (const chunk of options.source) {
    options.signal?.throwIfAborted();
    hash.update(chunk);
    sizeBytes += chunk.length;
    for (let offset = 0; offset < chunk.length;) {
      if (filled === pending.length) {
        await put(encryptor.encrypt(pending, 'inner'));
        filled = 0;
      }
      const count = Math.min(pending.length - filled, chunk.length - offset);
      pending.set(chunk.subarray(offset, offset + count), filled);
      filled += count;
      offset += count;
    }
    options.onBytes?.(chunk.length);
  }
  await put(encryptor.encrypt(pending.subarray(0, filled), 'last'));
  await writing;
  pending.fill(0);
  return { sizeBytes, sha256: hash.digest('hex') };
}

export interface FloeFileReader {
  readonly sizeBytes: number;
  readAll(): Promise<Uint8Array>;
  stream(): AsyncGenerator<Uint8Array, void, undefined>;
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
  const header = await readExactly(fd, 0, floeHeaderBytes);
  const floe = openFloe({ key: options.key, aad: options.aad, header });
  const plainBytes = floe.segmentBytes - floeSegmentOverheadBytes;
  const lastIndex = Math.max(0, Math.ceil(sizeBytes / plainBytes) - 1);
  const { size } = await stat(fd);
  if (size !== floeFileBytes(sizeBytes, floe.segmentBytes)) throw wrongLength();

  async function segment(index: number): Promise<Uint8Array> {
    const last = index === lastIndex;
    const length = last
      ? sizeBytes - lastIndex * plainBytes + floeSegmentOverheadBytes
      : floe.segmentBytes;
    const bytes = await readExactly(fd, floeHeaderBytes + index * floe.segmentBytes, length);
    return floe.decrypt(bytes, index, last ? 'last' : 'inner');
  }

  async function readRange(offset: number, lengthBytes: number): Promise<Uint8Array> {
    if (offset < 0 || lengthBytes < 0 || offset + lengthBytes > sizeBytes) {
      throw new RangeError('The range lies outside of the object.');
    }
    const result = new Uint8Array(lengthBytes);
    for (let done = 0; done < lengthBytes;) {
      const index = Math.floor((offset + done) / plainBytes);
      const from = offset + done - index * plainBytes;
      const plaintext = await segment(index);
      const part = plaintext.subarray(from, from + lengthBytes - done);
      result.set(part, done);
      done += part.length;
      plaintext.fill(0);
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
    async *stream() {
      for (let index = 0; index <= lastIndex; index += 1) yield await segment(index);
    },
  };
}

/** Length of the file that holds `sizeBytes` of plaintext. */
export function floeFileBytes(sizeBytes: number, segmentBytes = objectSegmentBytes): number {
  const plainBytes = segmentBytes - floeSegmentOverheadBytes;
  const segments = Math.max(1, Math.ceil(sizeBytes / plainBytes));
  return floeHeaderBytes + segments * floeSegmentOverheadBytes + sizeBytes;
}

async function writeFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

async function readExactly(fd: number, position: number, lengthBytes: number): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafe(lengthBytes);
  for (let done = 0; done < lengthBytes;) {
    const { bytesRead } = await readAt(fd, buffer, done, lengthBytes - done, position + done);
    if (bytesRead === 0) throw wrongLength();
    done += bytesRead;
  }
  return buffer;
}

function wrongLength(): AppError {
  return new AppError('corrupt', 'A stored object does not have the length that was written.');
}
