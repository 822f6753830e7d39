/** The bytes of one file, or of several that are one after the other: read in a stream or at any offset. */
import { constants, open, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { AppError } from '#shared/errors.ts';

const chunkBytes = 1024 * 1024;

export interface ByteSource extends AsyncDisposable {
  /** Of the first file, for messages. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Shorter than asked for at the end of the source. */
  read(offset: number, length: number): Promise<Buffer>;
  /** From `start` up to, not including, `end`. */
  stream(range?: { readonly start: number; readonly end: number }): Readable;
}

interface Piece {
  readonly file: FileHandle;
  readonly start: number;
  readonly end: number;
}

/** Keeps the files open, so that what was looked at is what is read. */
export async function openBytes(paths: readonly string[]): Promise<ByteSource> {
  const pieces: Piece[] = [];
  const close = async (): Promise<void> => {
    for (const { file } of pieces) await file.close();
  };
  let sizeBytes = 0;
  try {
    for (const path of paths) {
      const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
      const start = sizeBytes;
      pieces.push({ file, start, end: start });
      const facts = await file.stat();
      if (!facts.isFile())
        throw new AppError('invalid-input', 'This is neither a file nor a folder.');
      sizeBytes += facts.size;
      pieces[pieces.length - 1] = { file, start, end: sizeBytes };
    }
  } catch (error) {
    await close();
    throw error;
  }

  /** The piece-wise ranges that make up a range of the whole. */
  const within = (start: number, end: number): Piece[] =>
    pieces
      .filter((piece) => piece.end > start && piece.start < end)
      .map(({ file, start: from, end: to }) => ({
        file,
        start: Math.max(start, from) - from,
        end: Math.min(end, to) - from,
      }));

  // A file's own read stream closes the file when it is destroyed, and more is to be read.
  async function* chunks(start: number, end: number): AsyncGenerator<Uint8Array> {
    for (const piece of within(start, end))
      for (let at = piece.start; at < piece.end;) {
        const buffer = Buffer.allocUnsafeSlow(Math.min(chunkBytes, piece.end - at));
        const { bytesRead } = await piece.file.read(buffer, 0, buffer.length, at);
        if (bytesRead === 0) return;
        at += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
  }

  return {
    name: basename(paths[0] ?? ''),
    sizeBytes,
    async read(offset, length) {
      const buffer = Buffer.alloc(Math.max(0, Math.min(length, sizeBytes - offset)));
      let done = 0;
      for (const { file, start, end } of within(offset, offset + buffer.length)) {
        for (let at = start; at < end;) {
          const { bytesRead } = await file.read(buffer, done, end - at, at);
          if (bytesRead === 0) return buffer.subarray(0, done);
          at += bytesRead;
          done += bytesRead;
        }
      }
      return buffer;
    },
    stream({ start, end } = { start: 0, end: sizeBytes }) {
      return Readable.from(chunks(start, end), { objectMode: false, highWaterMark: chunkBytes });
    },
    [Symbol.asyncDispose]: close,
  };
}
