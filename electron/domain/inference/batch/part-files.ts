/**
 * Names of the files that a run writes, and what is done with them: under names of the run beside the output while it goes on,
 * then under their own, and never over another file.
 */
import { constants, link, lstat, open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AppError } from '#shared/errors.ts';
import { step } from '#platform/steps.ts';
import { mostChildren, slotsEach } from './children.ts';

export const newFile = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;

/** Where a run writes before it is done: beside the output, so that the final rename stays on one file system. */
export function partPathsOf(outputPath: string, runId: string): readonly [string, string] {
  return [partPath(outputPath, runId), partPath(rejectsPathOf(outputPath), runId)];
}

/** The output in another format than CSV, until it is whole. */
export function convertedPathOf(outputPath: string, runId: string): string {
  return partPath(`${outputPath}.converted`, runId);
}

function partPath(path: string, runId: string): string {
  return join(dirname(path), `.${basename(path)}.${runId}.part`);
}

const mostPieces = mostChildren * slotsEach;

/** Files that a run has a name for only for a moment, on some systems as long as it goes on. */
export function piecePathsOf(part: string): readonly string[] {
  return Array.from({ length: mostPieces }, (_, at) => part.replace(/part$/, `${at}.part`));
}

/** `predictions.csv` → `predictions.csv.rejects.csv`. */
export function rejectsPathOf(outputPath: string): string {
  return `${outputPath}.rejects.csv`;
}

export interface Handles extends AsyncDisposable {
  open(path: string, flags: number): Promise<FileHandle>;
  /** A new file that loses its name at once, where the system allows that, and in any case in the end. */
  nameless(path: string): Promise<FileHandle>;
}

export function createHandles(): Handles {
  const handles: FileHandle[] = [];
  const named: string[] = [];
  const handlesOf: Handles = {
    async open(path, flags) {
      // A pipe in the place of a file would keep whoever opens it waiting for ever.
      const handle = await open(path, flags | (constants.O_NONBLOCK ?? 0), 0o600);
      handles.push(handle);
      return handle;
    },
    async nameless(path) {
      const handle = await handlesOf.open(path, newFile);
      await rm(path).catch(() => named.push(path));
      step('run: piece file has no name');
      return handle;
    },
    async [Symbol.asyncDispose]() {
      for (const handle of handles) await handle.close();
      for (const path of named) await rm(path, { force: true });
    },
  };
  return handlesOf;
}

/** Each is tried, whatever becomes of the others; then the first error is thrown. */
export async function removeAll(paths: readonly string[]): Promise<void> {
  const failures: unknown[] = [];
  for (const path of paths) {
    await rm(path, { force: true }).catch((error: unknown) => failures.push(error));
    step('run: part file removed');
  }
  if (failures.length > 0) throw failures[0];
}

/** A run failed, by `cause`, and its unfinished files are still on a medium that went away, or that cannot be written to any more. */
export class PartsLeft extends Error {
  constructor(cause: unknown) {
    super('Unfinished files are left.', { cause });
  }
}

/** Device of the file system that a file is on; undefined where none is. */
export async function deviceOf(path: string): Promise<number | undefined> {
  return (await stat(dirname(path)).catch(() => undefined))?.dev;
}

/** Removes them when their run has failed; whether nothing is left on the device where they were made. */
export async function removeLeft(
  paths: readonly [string, ...string[]],
  device: number | undefined,
): Promise<boolean> {
  try {
    await removeAll(paths);
  } catch {
    return false;
  }
  // Of a medium that went away nothing is found.
  return (await deviceOf(paths[0])) === device;
}

/** A medium that was pulled leaves an empty folder in its place, and that one can be synced too. */
export async function requireThere(path: string): Promise<void> {
  await lstat(path).catch((cause: unknown) => {
    throw new AppError(
      'io',
      'The predictions are no longer where they were written: the medium went away. Plug it in, or choose another folder, and run again.',
      { cause },
    );
  });
}

export async function refuseExisting(path: string): Promise<void> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (found?.isDirectory() === true)
    throw new AppError(
      'conflict',
      'There is a folder of that name, and a result is a file. Choose the name of a new file, in that folder or elsewhere.',
    );
  if (found !== undefined) throw taken(path);
}

/** Gives the finished file its name, and never takes one from another file that came in the meantime. */
export async function publish(part: string, path: string): Promise<void> {
  try {
    await link(part, path);
    step('run: output named');
    await rm(part);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') throw taken(path);
    // Sticks are often formatted in a way that knows no second names.
    await refuseExisting(path);
    await rename(part, path);
  }
}

function taken(path: string): AppError {
  return new AppError(
    'conflict',
    `There is a file ${basename(path)} already, and results never overwrite one. Choose another name.`,
  );
}
