/** Files that a contained child may read and not write, whoever they belong to. */
import { closeSync, constants, fstatSync, openSync, readdirSync } from 'node:fs';

/** Where a child with a view of its own finds them, on mounts that are read-only, by the numbers of their descriptors. */
export const shownDescriptors = '/descriptors';

/**
 * In a child, before it reads anything: files that were handed over for reading are opened anew where they are read-only. The
 * kernel lets whoever may write to a file open its descriptor again for writing (`/proc/self/fd`), however it was opened first.
 */
export function holdReadOnly(): void {
  // Elsewhere the folder is nobody's of ours.
  if (process.platform !== 'linux') return;
  let shown: readonly string[];
  try {
    shown = readdirSync(shownDescriptors);
  } catch {
    return; // a child without a view of its own
  }
  for (const name of shown) {
    const fd = Number(name);
    const { dev, ino } = fstatSync(fd);
    closeSync(fd);
    const again = openSync(`${shownDescriptors}/${name}`, constants.O_RDONLY);
    const found = fstatSync(again);
    // The lowest free number is the one that was just closed.
    if (again !== fd || found.dev !== dev || found.ino !== ino)
      throw new Error('A file was replaced while it was handed over.');
  }
}
