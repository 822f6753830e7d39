/** Durable file steps: what these functions have returned from survives a power cut (POSIX). */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { step } from './steps.ts';

/** Replaces `path` in one step: readers see the old bytes or the new ones, never a mixture. */
export async function writeFileAtomic(
  path: string,
  bytes: Uint8Array,
  mode = 0o600,
): Promise<void> {
  const temporary = join(
    dirname(path),
    `.${basename(path)}.${randomBytes(6).toString('hex')}.part`,
  );
  const file = await open(
    temporary,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL,
    mode,
  );
  try {
    await file.writeFile(bytes);
    await file.sync();
    await file.close();
    step(`${basename(path)}: written aside`);
    await rename(temporary, path);
    step(`${basename(path)}: replaced`);
  } catch (error) {
    await file.close().catch(() => undefined); // already closed is fine: the first error is the one that counts
    await unlink(temporary).catch(() => undefined); // gone already when the rename succeeded
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** Makes what was written to a file durable. */
export async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes renames and new names in a directory durable. Windows has no such call. */
export async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
