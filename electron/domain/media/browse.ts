/** Listing a folder for a person who looks for a file. */
import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '#shared/errors.ts';

const maximumEntries = 5000;

export interface BrowsedEntry {
  readonly path: string;
  readonly name: string;
  readonly kind: 'folder' | 'file';
  readonly sizeBytes: number | undefined;
  readonly modifiedAt: Date | undefined;
}

/** Folders first, then files, by name; hidden names and special files are left out. */
export async function readFolder(path: string): Promise<{
  readonly parent: string | undefined;
  readonly entries: readonly BrowsedEntry[];
}> {
  const names = await readdir(path).catch((cause: unknown) => {
    throw new AppError('io', 'This folder cannot be read. Was the drive taken out?', { cause });
  });
  const visible = names.filter((name) => !name.startsWith('.')).slice(0, maximumEntries);
  const entries = await Promise.all(visible.map((name) => describe(path, name)));
  const parent = dirname(path);
  return {
    parent: parent === path ? undefined : parent,
    entries: entries
      .filter((entry) => entry !== undefined)
      .toSorted((a, b) =>
        a.kind === b.kind ? a.name.localeCompare(b.name, 'en') : a.kind === 'folder' ? -1 : 1,
      ),
  };
}

async function describe(folder: string, name: string): Promise<BrowsedEntry | undefined> {
  const path = join(folder, name);
  try {
    const facts = await stat(path);
    if (!facts.isDirectory() && !facts.isFile()) return undefined;
    return {
      path,
      name,
      kind: facts.isDirectory() ? 'folder' : 'file',
      sizeBytes: facts.isFile() ? facts.size : undefined,
      modifiedAt: facts.mtime,
    };
  } catch {
    // A dangling link or a file that has just gone is not offered.
    return undefined;
  }
}
