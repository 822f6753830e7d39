/** Makes a folder in a place that somebody chose. */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * The folder with the parents that are missing; one that is there stays as it is. Node's own `recursive` tries for ever
 * where a parent exists and still nothing can be made in it (`/proc`, a folder that was deleted while it was open), and calls a
 * medium that is read-only missing. Here the error is that of the system.
 */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    if (await isFolder(path)) return;
    const parent = dirname(path);
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!missing || parent === path || (await isFolder(parent))) throw error;
    await makeFolder(parent, mode);
    await makeFolder(path, mode);
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false, // not there, or not to be looked at
  );
}
