/**
 * Reads a file from the medium itself and not from the memory of the system, which after a write still holds what was meant to
 * be written. Where the file system does not allow it (tmpfs, some network ones), it is read in the ordinary way.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** The types of Node 24 leave it out. */
declare const WebAssembly: {
  readonly Memory: new (size: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
};

const chunkBytes = 1024 * 1024;
const pageBytes = 65_536;

/** The chunks share one buffer: each is valid until the next is asked for. Links are not followed. */
export async function* readUncached(path: string): AsyncGenerator<Uint8Array> {
  const plain = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const direct = constants.O_DIRECT ?? 0;
  // Direct reads need aligned memory, and the memory of WebAssembly begins at a page.
  const buffer = new Uint8Array(new WebAssembly.Memory({ initial: chunkBytes / pageBytes }).buffer);
  let file = await open(path, plain | direct).catch((error: NodeJS.ErrnoException) => {
    if (direct === 0 || error.code !== 'EINVAL') throw error;
    return open(path, plain);
  });
  try {
    const { size } = await file.stat();
    let position = 0;
    while (position < size) {
      const read = await file
        .read(buffer, 0, chunkBytes, position)
        .catch(async (error: NodeJS.ErrnoException) => {
          // Some file systems take the flag and refuse the read.
          if (position > 0 || error.code !== 'EINVAL') throw error;
          await file.close();
          file = await open(path, plain);
          return file.read(buffer, 0, chunkBytes, position);
        });
      if (read.bytesRead === 0) return;
      position += read.bytesRead;
      yield buffer.subarray(0, read.bytesRead);
    }
  } finally {
    await file.close();
  }
}
