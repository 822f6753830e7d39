/**
 * Notices that something was plugged in or taken out, by looking at what is cheap to look at: the mount table on Linux, the
 * folder of volumes on macOS, the drive letters on Windows.
 */
import { readdir, readFile, stat } from 'node:fs/promises';

const intervalMs = 1500;

export interface MediaWatch {
  stop(): void;
}

/** `onChange` is called once for each change, never for what was there at the start. */
export function watchMedia(
  onChange: () => void,
  look: () => Promise<string> = mountedMedia,
): MediaWatch {
  let known: string | undefined;
  let looking = false;
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    void look()
      .then((seen) => {
        if (known !== undefined && seen !== known) onChange();
        known = seen;
      })
      .finally(() => (looking = false));
  }, intervalMs);
  // A watch keeps no process alive.
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

async function mountedMedia(): Promise<string> {
  try {
    if (process.platform === 'linux') return await readFile('/proc/self/mountinfo', 'utf8');
    if (process.platform === 'darwin') return (await readdir('/Volumes')).sort().join('\n');
    if (process.platform === 'win32') return await driveLetters();
  } catch {
    // What cannot be looked at does not change.
  }
  return '';
}

async function driveLetters(): Promise<string> {
  const letters = [...'DEFGHIJKLMNOPQRSTUVWXYZ'].map((letter) => `${letter}:\\`);
  const there = await Promise.all(
    letters.map((path) =>
      stat(path).then(
        () => path,
        () => '',
      ),
    ),
  );
  return there.join('');
}
