/**
 * Drives for tests: small ones, and such as can be pulled out while they are in use, so that files that are open fail as those of
 * a real one do. Tests that need them are left out where nobody may mount.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, truncateSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { canMount } from './can-mount.ts';

export const hasDrives =
  canMount && existsSync('/dev/loop-control') && spawnSync('mke2fs', ['-V']).status === 0;

interface Drive {
  pullOut(): void;
}

/** Mounts at `path` what is in the folder, read-only. */
export function plugIn(path: string, folder: string): Drive {
  const image = `${folder}.img`;
  mkdirSync(path, { recursive: true });
  execFileSync('mke2fs', ['-q', '-t', 'ext2', '-d', folder, image, '160M'], { stdio: 'ignore' });
  execFileSync('mount', ['-o', 'ro,loop', image, path], { stdio: 'ignore' });
  // An unmount alone waits for whoever has a file open; the bytes go first, so that reading fails.
  return pulledBy(path, () => truncateSync(image, 0));
}

/** Mounts at `path` the drive of that image, which is blank at first and keeps what is written to it. */
export function plugInWritable(path: string, image: string): Drive {
  mkdirSync(path, { recursive: true });
  if (!existsSync(image))
    execFileSync('mke2fs', ['-q', '-t', 'ext2', image, '64M'], { stdio: 'ignore' });
  execFileSync('mount', ['-o', 'loop', image, path], { stdio: 'ignore' });
  return pulledBy(path, () => undefined);
}

function pulledBy(path: string, before: () => void): Drive {
  let isIn = true;
  const pullOut = (): void => {
    if (!isIn) return;
    isIn = false;
    before();
    execFileSync('umount', ['-l', path]);
  };
  onTestFinished(pullOut);
  return { pullOut };
}

/** A file system in memory of so much room (`3m`) at a new folder. */
export function mountSmallDisk(path: string, size: string): void {
  mkdirSync(path, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path]);
}
