/** Where files may come from and go to: removable drives, the inbox, and a few folders of the user. */
import { access, constants, readdir, readFile, stat, statfs } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { basename, join } from 'node:path';

export interface PlaceFacts {
  readonly path: string;
  readonly label: string;
  readonly kind: 'removable' | 'inbox' | 'folder';
  readonly totalBytes: number | undefined;
  readonly freeBytes: number | undefined;
  readonly readOnly: boolean;
}

export async function readPlaces(inboxDir: string | undefined): Promise<PlaceFacts[]> {
  const removable = (await removableMounts()).map((path) => ({
    path,
    label: basename(path),
    kind: 'removable' as const,
  }));
  const inbox =
    inboxDir === undefined ? [] : [{ path: inboxDir, label: 'Inbox', kind: 'inbox' as const }];
  const folders = ['Documents', 'Downloads', 'Desktop', '']
    .map((name) => join(homedir(), name))
    .map((path) => ({
      path,
      label: path === join(homedir(), '') ? 'Home' : basename(path),
      kind: 'folder' as const,
    }));
  const places = await Promise.all([...removable, ...inbox, ...folders].map(measure));
  return places.filter((place) => place !== undefined);
}

async function measure(
  place: Pick<PlaceFacts, 'path' | 'label' | 'kind'>,
): Promise<PlaceFacts | undefined> {
  try {
    if (!(await stat(place.path)).isDirectory()) return undefined;
    const space = await statfs(place.path);
    const readOnly = await access(place.path, constants.W_OK).then(
      () => false,
      () => true,
    );
    return {
      ...place,
      totalBytes: space.blocks * space.bsize,
      freeBytes: space.bavail * space.bsize,
      readOnly,
    };
  } catch {
    // A drive that was pulled between listing and measuring is simply not there any more.
    return undefined;
  }
}

/** Folders in which the desktop mounts removable media, as far as this system has them. */
async function removableMounts(): Promise<string[]> {
  if (process.platform === 'darwin') return subfolders('/Volumes');
  if (process.platform === 'win32') return [];
  const user = userInfo().username;
  const parents = [`/media/${user}`, `/run/media/${user}`, '/media', '/mnt'];
  const mounted = new Set(await mountPoints());
  const candidates = [...(await Promise.all(parents.map(subfolders))).flat(), ...parents];
  return [...new Set(candidates)].filter((path) => mounted.has(path));
}

async function mountPoints(): Promise<string[]> {
  try {
    const table = await readFile('/proc/self/mounts', 'utf8');
    return table
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '')
      .map((path) =>
        path.replace(/\\([0-7]{3})/g, (_, octal: string) =>
          String.fromCharCode(parseInt(octal, 8)),
        ),
      );
  } catch {
    // Without a mount table (not Linux) no drive can be told from a plain folder.
    return [];
  }
}

async function subfolders(parent: string): Promise<string[]> {
  try {
    const entries = await readdir(parent, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => join(parent, entry.name));
  } catch {
    // The parent does not exist on this system.
    return [];
  }
}
