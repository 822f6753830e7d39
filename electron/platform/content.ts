/**
 * The bytes of a file in order, as whoever reads a medium hands them on. A chunk is good until the next one is asked for: who
 * keeps it makes a copy. `readInto` is the quicker way, for content that lies on a medium as it is: no chunk is made, the
 * caller's buffer is filled. A reader uses the one or the other.
 */
import type { FileHandle } from 'node:fs/promises';

export interface Content extends AsyncIterable<Uint8Array> {
  /**
   * Fills the buffer from its start, at least in part; resolves with the number of bytes, 0 at the end only. What was filled
   * must stay as it is until the next call resolves.
   */
  readInto?(buffer: Uint8Array): Promise<number>;
}

const chunkBytes = 1024 * 1024;

/** From where the file stands; it stays the caller's to close. */
export function contentOf(file: FileHandle): Content {
  return {
    readInto: async (buffer) => (await file.read(buffer, 0, buffer.length, null)).bytesRead,
    async *[Symbol.asyncIterator]() {
      yield* file.createReadStream({ highWaterMark: chunkBytes, autoClose: false });
    },
  };
}

/** The same content, seen by `observe` as it passes, whose promise says when it has done with the chunk. What it throws ends the reading. */
export function observed(
  content: Content,
  observe: (chunk: Uint8Array) => Promise<void> | void,
): Content {
  let taken: Promise<void> | void;
  const readInto = content.readInto?.bind(content);
  return {
    ...(readInto === undefined
      ? {}
      : {
          async readInto(buffer: Uint8Array) {
            const count = await readInto(buffer);
            await taken;
            if (count > 0) taken = observe(buffer.subarray(0, count));
            return count;
          },
        }),
    async *[Symbol.asyncIterator]() {
      for await (const chunk of content) {
        taken = observe(chunk);
        yield chunk;
        await taken;
      }
    },
  };
}

export interface Filler extends AsyncDisposable {
  /** Fills the whole buffer unless the content ends before; resolves with the number of bytes. */
  fill(buffer: Uint8Array): Promise<number>;
}

/** Must be disposed of, so that the source knows that nobody reads on. */
export function fillFrom(content: Content): Filler {
  const iterator = content.readInto === undefined ? content[Symbol.asyncIterator]() : undefined;
  let rest = new Uint8Array();
  async function copyInto(buffer: Uint8Array): Promise<number> {
    while (rest.length === 0) {
      const next = await iterator?.next();
      if (next === undefined || next.done === true) return 0;
      rest = next.value as Uint8Array<ArrayBuffer>;
    }
    const part = rest.subarray(0, buffer.length);
    buffer.set(part);
    rest = rest.subarray(part.length);
    return part.length;
  }
  return {
    async fill(buffer) {
      let filled = 0;
      while (filled < buffer.length) {
        const free = buffer.subarray(filled);
        const count = await (content.readInto?.(free) ?? copyInto(free));
        if (count === 0) break;
        filled += count;
      }
      return filled;
    },
    async [Symbol.asyncDispose]() {
      await iterator?.return?.();
    },
  };
}
