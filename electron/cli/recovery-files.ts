/** Recovery keys leave the program once: their files are there, with room, before the key is made. */
import { open, rm, type FileHandle } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { AppError } from '#shared/errors.ts';
import { isInside } from '#platform/paths.ts';

/** A key or share in its groups, and the end of the line. */
const fileLength = 100;

export interface RecoverySplit {
  readonly threshold: number;
  readonly shares: number;
}

/** `2of3`: any two of three shares. */
export function splitOf(text: string): RecoverySplit {
  const match = /^(\d{1,3})of(\d{1,3})$/.exec(text);
  if (match === null)
    throw new AppError('invalid-input', `"${text.slice(0, 40)}" is not a split such as 2of3.`);
  return { threshold: Number(match[1]), shares: Number(match[2]) };
}

/** One file for the key; for shares `<file>.1`, `<file>.2` …, each for another keeper. */
export function recoveryFiles(file: string, split: RecoverySplit | undefined): string[] {
  if (split === undefined) return [file];
  return Array.from({ length: split.shares }, (_, at) => `${file}.${at + 1}`);
}

/**
 * Makes the files, then the key by `make`, then writes a line of its text into each. When `make` fails, no file is left; files that
 * are there already stay as they are.
 */
export async function writeRecovery<T extends { readonly recoveryKey: string }>(
  files: readonly string[],
  vaultDir: string,
  make: () => Promise<T>,
): Promise<T> {
  const handles: FileHandle[] = [];
  try {
    for (const file of files) {
      handles.push(await reserve(file, vaultDir));
    }
  } catch (error) {
    await giveUp(handles, files);
    throw error;
  }
  let made: T;
  try {
    made = await make();
  } catch (error) {
    await giveUp(handles, files);
    throw error;
  }
  for (const [at, line] of made.recoveryKey.split('\n').entries()) {
    await handles[at]?.write(`${line}\n`.padEnd(fileLength), 0);
    await handles[at]?.sync();
    await handles[at]?.close();
  }
  return made;
}

async function giveUp(handles: readonly FileHandle[], files: readonly string[]): Promise<void> {
  for (const [at, handle] of handles.entries()) {
    await handle.close();
    await rm(files[at] ?? '', { force: true });
  }
}

async function reserve(file: string, vaultDir: string): Promise<FileHandle> {
  if (isInside(dirname(resolve(file)), vaultDir))
    throw new AppError(
      'invalid-input',
      'The recovery key must not be kept in the vault that it opens. Choose another place.',
    );
  const handle = await open(file, 'wx', 0o600).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EEXIST') throw cause;
    throw new AppError(
      'conflict',
      `There is a file ${file} already, and it stays as it is. Choose another name for the recovery key.`,
      { cause },
    );
  });
  // Its room too: a medium that is full says so now, and not when the key has no other place.
  await handle.write(' '.repeat(fileLength), 0);
  await handle.sync();
  return handle;
}

/** For one JSON document: the key, or its shares. */
export function recoveryOf(
  recoveryKey: string,
): { readonly recoveryKey: string } | { readonly recoveryShares: readonly string[] } {
  const lines = recoveryKey.split('\n');
  return lines.length === 1 ? { recoveryKey } : { recoveryShares: lines };
}

export function paperText(recoveryKey: string): string {
  const lines = recoveryKey.split('\n');
  const what =
    lines.length === 1
      ? 'Recovery key, shown this once; write it down and keep it away from this machine:'
      : 'Shares of the recovery key, shown this once; write each on its own paper and give them to different people:';
  return `${what}\n\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

export function filesText(files: readonly string[]): string {
  return files.length === 1
    ? `The recovery key is in ${files[0]}. Keep it away from this machine.`
    : `The shares of the recovery key are in ${files.join(', ')}. Give each to somebody else, and keep them away from this machine.`;
}
