/** In the core: what is seen of an input before a child reads it. */
import { readdir, realpath, stat, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { AppError } from '#shared/errors.ts';
import { formatOf, magicBytes, type TableFormat } from '#domain/tables/index.ts';
import type { Source } from '../protocol.ts';

interface InputFacts {
  /** Bytes of a file, entries of a folder. */
  readonly size: number;
  readonly mtimeMs: number;
  readonly format: TableFormat;
  /** What a child needs to read it: descriptors to hand over, folders to show. */
  readonly files: readonly number[];
  readonly shows: readonly string[];
  /** `fd`: what the first of `files` is in the child. */
  source(fd: number): Source;
}

export async function factsOf(input: FileHandle, path: string): Promise<InputFacts> {
  const facts = await input.stat();
  const { size, mtimeMs } = facts;
  if (facts.isDirectory()) {
    // Which of the two it is, its reader tells.
    const shown = await realpath(path);
    const { dev, ino } = await stat(shown);
    if (dev !== facts.dev || ino !== facts.ino)
      throw new AppError('io', 'The folder was replaced while it was opened. Try again.');
    return {
      size: (await readdir(shown)).length,
      mtimeMs,
      format: 'images',
      files: [],
      shows: [shown],
      source: () => ({ kind: 'folder', path: shown }),
    };
  }
  if (!facts.isFile())
    throw new AppError('invalid-input', 'The input is neither a file nor a folder.');
  const first = new Uint8Array(magicBytes);
  const { bytesRead } = await input.read(first, 0, first.length, 0);
  return {
    size,
    mtimeMs,
    format: formatOf(first.subarray(0, bytesRead), basename(path)),
    files: [input.fd],
    shows: [],
    source: (fd) => ({ kind: 'plain', fd, sizeBytes: size }),
  };
}
