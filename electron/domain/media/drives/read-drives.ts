/** The removable drives of this system. What cannot be read is not there: a list of drives is an offer, not a proof. */
import { execFile } from 'node:child_process';
import { readFile, realpath } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Drive, DriveSystem } from './drive.ts';
import { linuxDrives } from './linux.ts';
import { macosDrives } from './macos.ts';
import { windowsDrives } from './windows.ts';

const run = promisify(execFile);

const thisSystem: DriveSystem = {
  text: (path) => readFile(path, 'utf8').catch(() => undefined),
  realPath: (path) => realpath(path).catch(() => undefined),
  run: (program, args) =>
    run(program, [...args], {
      timeout: 10_000,
      maxBuffer: 4 * 1024 * 1024,
      windowsHide: true,
    }).then(
      ({ stdout }) => stdout,
      () => undefined,
    ),
};

export async function readDrives(
  platform: NodeJS.Platform = process.platform,
  system: DriveSystem = thisSystem,
): Promise<Drive[]> {
  if (platform === 'linux') return linuxDrives(system);
  if (platform === 'darwin') return macosDrives(system);
  return platform === 'win32' ? windowsDrives(system) : [];
}
