/** Where files may come from and go to: removable drives, the inbox, and a few folders of the user. */
import { access, constants, stat, statfs } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { readDrives } from './drives/read-drives.ts';

export interface PlaceFacts {
  readonly path: string;
  readonly label: string;
  readonly kind: 'removable' | 'inbox' | 'folder';
  /** Of a removable drive. */
  readonly fileSystem: string | undefined;
  readonly totalBytes: number | undefined;
  readonly freeBytes: number | undefined;
  readonly readOnly: boolean;
}

const plainFolder = { fileSystem: undefined, readOnly: false } as const;

export async function readPlaces(inboxDir: string | undefined): Promise<PlaceFacts[]> {
  const removable = (await readDrives()).map(({ path, label, fileSystem, readOnly }) => ({
    path,
    label: label ?? unnamed(path),
    kind: 'removable' as const,
    fileSystem,
    readOnly,
  }));
  const inbox =
    inboxDir === undefined
      ? []
      : [{ ...plainFolder, path: inboxDir, label: 'Inbox', kind: 'inbox' as const }];
  const folders = ['Documents', 'Downloads', 'Desktop', '']
    .map((name) => join(homedir(), name))
    .map((path) => ({
      ...plainFolder,
      path,
      label: path === join(homedir(), '') ? 'Home' : basename(path),
      kind: 'folder' as const,
    }));
  const places = await Promise.all([...removable, ...inbox, ...folders].map(measure));
  // An inbox may lie where a drive or a folder is: one place, under its first name.
  return places
    .filter((place) => place !== undefined)
    .filter(({ path }, at, all) => all.findIndex((other) => other.path === path) === at);
}

async function measure(
  place: Omit<PlaceFacts, 'totalBytes' | 'freeBytes'>,
): Promise<PlaceFacts | undefined> {
  try {
    if (!(await stat(place.path)).isDirectory()) return undefined;
    const space = await statfs(place.path);
    const isWritable = await access(place.path, constants.W_OK).then(
      () => true,
      () => false,
    );
    return {
      ...place,
      totalBytes: space.blocks * space.bsize,
      freeBytes: space.bavail * space.bsize,
      readOnly: place.readOnly || !isWritable,
    };
  } catch {
    // A drive that was pulled between listing and measuring is simply not there any more.
    return undefined;
  }
}

/** A drive letter, or the last part of where it is mounted. */
function unnamed(path: string): string {
  return /^[A-Z]:/.exec(path)?.[0] ?? (basename(path) || path);
}
