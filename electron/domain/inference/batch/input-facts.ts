/** In the core: what is seen of an input before a child reads it. */
import { readdir, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { AppError } from '#shared/errors.ts';
import { formatOf, magicBytes, type TableFormat } from '#domain/tables/index.ts';
import type { Source } from '../protocol.ts';

interface InputFacts {
  /** Bytes of a file, entries of a folder. */
  readonly size: number;
  readonly mtimeMs: number;
  readonly format: TableFormat;
  /** `fd` is that of the child. */
  source(fd: number): Source;
}

export async function factsOf(input: FileHandle, path: string): Promise<InputFacts> {
  const facts = await input.stat();
  const { size, mtimeMs } = facts;
  if (facts.isDirectory()) {
    // Which of the two it is, its reader tells.
    const entries = (await readdir(path)).length;
    return {
      size: entries,
      mtimeMs,
      format: 'images',
      source: (fd) => ({ kind: 'folder', fd, path }),
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
    source: (fd) => ({ kind: 'plain', fd, sizeBytes: size }),
  };
}
