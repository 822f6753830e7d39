/** Drives for tests: one that can be pulled out while it is read, so that files that are open fail as those of a real one do, and a small one. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, truncateSync } from 'node:fs';
import { onTestFinished } from 'vitest';

/** Mounts at `path` what is in the folder, read-only. Undefined where nobody may mount: that takes an administrator. */
export function plugIn(path: string, folder: string): { pullOut(): void } | undefined {
  const image = `${folder}.img`;
  mkdirSync(path, { recursive: true });
  try {
    execFileSync('mke2fs', ['-q', '-t', 'ext2', '-d', folder, image, '160M'], { stdio: 'ignore' });
    execFileSync('mount', ['-o', 'ro,loop', image, path], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  let isIn = true;
  const pullOut = (): void => {
    if (!isIn) return;
    isIn = false;
    // An unmount alone waits for whoever has a file open; the bytes go first, so that reading fails.
    truncateSync(image, 0);
    execFileSync('umount', ['-l', path]);
  };
  onTestFinished(pullOut);
  return { pullOut };
}

/** A file system in memory of so much room (`3m`) at a new folder. False where nobody may mount: that takes an administrator. */
export function mountSmallDisk(path: string, size: string): boolean {
  mkdirSync(path, { recursive: true });
  const options = ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path];
  return spawnSync('mount', options).status === 0;
}
