/** Temporary folders that name the process they belong to, so that what a killed process left can be swept by the next one. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** A new folder `<prefix><pid>-<random>` in `place`; folders of the same prefix whose process is gone are removed first. */
export async function createOwnedFolder(place: string, prefix: string): Promise<string> {
  const owned = new RegExp(`^${prefix}(\\d+)-`);
  for (const name of await readdir(place)) {
    const pid = Number(owned.exec(name)?.[1]);
    if (!Number.isNaN(pid) && !isRunning(pid))
      await rm(join(place, name), { recursive: true, force: true }).catch(() => undefined); // another user's
  }
  return mkdtemp(join(place, `${prefix}${process.pid}-`));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
