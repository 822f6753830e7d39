/**
 * A new file that is written in large blocks and is durable when `finish` resolves. Where the system can (Linux), it is written
 * past the page cache (O_DIRECT): that takes a third of the processor time, and leaves the cache to files that are read again.
 * Elsewhere the blocks go through the cache, one after the other, and are pushed to the medium as they come, so that the last
 * sync has little left to do.
 */
import { constants, open, type FileHandle } from 'node:fs/promises';

/** Blocks for such a file lie in memory, and begin in the file, at multiples of this. */
export const alignmentBytes = 4096;
const syncEveryBytes = 64 * 1024 * 1024;
const directFlag = (constants.O_DIRECT as number | undefined) ?? 0;

export interface BlockFile {
  /** The buffer must reach to the next multiple of the alignment, and stay as it is until the promise resolves. */
  write(block: { readonly buffer: Uint8Array; readonly lengthBytes: number }): Promise<void>;
  /** Cuts off what the last block is padded with, syncs and closes. */
  finish(): Promise<void>;
  close(): Promise<void>;
}

/** Memory for a `BlockFile`: at least that long, whole pages, at the start of one, which ordinary buffers are not. */
export function alignedMemory(sizeBytes: number): Uint8Array {
  const bytes = padded(sizeBytes);
  return new Uint8Array(new ArrayBuffer(bytes, { maxByteLength: bytes }));
}

/** Throws what the file system says, `EEXIST` for a name that is taken. `aligned` says that the blocks will be. */
export async function createBlockFile(path: string, aligned: boolean): Promise<BlockFile> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  let direct = aligned && directFlag !== 0;
  let file: FileHandle;
  try {
    file = await open(path, direct ? flags | directFlag : flags, 0o600);
  } catch (error) {
    if (!direct || !isRefusal(error)) throw error;
    direct = false;
    // Some systems make the file before they find that they do not know the flag.
    file = await open(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
  }
  let sizeBytes = 0;
  let unsynced = 0;
  let queue: Promise<void> = Promise.resolve();
  let first: Promise<void> | undefined;

  async function put(buffer: Uint8Array, lengthBytes: number, at: number): Promise<void> {
    for (let done = 0; done < lengthBytes;) {
      const { bytesWritten } = await file.write(buffer, done, lengthBytes - done, at + done);
      done += bytesWritten;
      // After a short write the next one has to begin at a multiple again.
      if (direct && done < lengthBytes) done -= done % alignmentBytes;
    }
  }

  /** Whether the flag that was taken can be kept shows with the first write. */
  async function putFirst(buffer: Uint8Array, lengthBytes: number): Promise<void> {
    try {
      await put(buffer, padded(lengthBytes), 0);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      direct = false;
      await file.close();
      file = await open(path, constants.O_WRONLY);
      await putThroughCache(buffer, lengthBytes, 0);
    }
  }

  async function putThroughCache(
    buffer: Uint8Array,
    lengthBytes: number,
    at: number,
  ): Promise<void> {
    await put(buffer, lengthBytes, at);
    unsynced += lengthBytes;
    if (unsynced < syncEveryBytes) return;
    unsynced = 0;
    await file.datasync();
  }

  return {
    async write({ buffer, lengthBytes }) {
      const at = sizeBytes;
      sizeBytes += lengthBytes;
      if (direct) {
        if (first === undefined) return (first = putFirst(buffer, lengthBytes));
        await first;
        if (direct) return put(buffer, padded(lengthBytes), at);
      }
      // Writers of one file only get in each other's way.
      queue = queue.then(() => putThroughCache(buffer, lengthBytes, at));
      return queue;
    },
    async finish() {
      await queue;
      await file.truncate(sizeBytes);
      await file.sync();
      await file.close();
    },
    close: () => file.close(),
  };
}

function padded(lengthBytes: number): number {
  return Math.ceil(lengthBytes / alignmentBytes) * alignmentBytes;
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EINVAL';
}
