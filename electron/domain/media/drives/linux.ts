/**
 * Linux: what is mounted is in `/proc/self/mountinfo` (proc_pid_mountinfo(5)), what carries it in `/sys/dev/block`, and its
 * label in the udev database. Nothing of it needs a right.
 */
import { basename } from 'node:path';
import type { Drive, DriveSystem } from './drive.ts';

interface Mount {
  /** `major:minor`. */
  readonly device: string;
  readonly path: string;
  readonly fileSystem: string;
  readonly readOnly: boolean;
}

/** Where desktops and people mount what they plug in, whatever carries it. */
const mediaFolder = /^\/(media(\/[^/]+){1,2}|run\/media(\/[^/]+){1,2}|mnt(\/[^/]+)?)$/;

export async function linuxDrives(system: DriveSystem): Promise<Drive[]> {
  const mounts = parseMounts((await system.text('/proc/self/mountinfo')) ?? '');
  const drives = await Promise.all(mounts.map((mount) => driveAt(mount, system)));
  return drives.filter((drive) => drive !== undefined);
}

async function driveAt(mount: Mount, system: DriveSystem): Promise<Drive | undefined> {
  const carrier = await system.realPath(`/sys/dev/block/${mount.device}`);
  const isMedia = mediaFolder.test(mount.path);
  if (carrier === undefined ? !isMedia : !isMedia && !(await isRemovable(carrier, system)))
    return undefined;
  const facts = parseUdev((await system.text(`/run/udev/data/b${mount.device}`)) ?? '');
  const locked = carrier === undefined ? undefined : await system.text(`${carrier}/ro`);
  return {
    path: mount.path,
    label: facts.get('ID_FS_LABEL') ?? (isMedia ? basename(mount.path) : undefined),
    fileSystem: facts.get('ID_FS_TYPE') ?? mount.fileSystem,
    readOnly: mount.readOnly || locked?.trim() === '1',
  };
}

/** By the disk's own flag, or because it hangs on USB, or is a card; a partition asks the disk above it. */
async function isRemovable(carrier: string, system: DriveSystem): Promise<boolean> {
  if (/\/(usb\d+|mmc_host)\//.test(carrier)) return true;
  const own = await system.text(`${carrier}/removable`);
  const above = own ?? (await system.text(`${carrier}/../removable`));
  return above?.trim() === '1';
}

/** Fields 3, 5, 6 and, after ` - `, the type. One mount for each path: the one on top. */
function parseMounts(table: string): Mount[] {
  const mounts = new Map<string, Mount>();
  for (const line of table.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [, , device, , path, options] = before.split(' ');
    const [type, , superOptions = ''] = after.split(' ');
    if (device === undefined || path === undefined || options === undefined || type === undefined)
      continue;
    const readOnly = [options, superOptions].some((list) => list.split(',').includes('ro'));
    mounts.set(plain(path), { device, path: plain(path), fileSystem: type, readOnly });
  }
  return [...mounts.values()];
}

/** Octal escapes stand for bytes of UTF-8. */
function plain(text: string): string {
  return decoded(text, /\\([0-7]{3})/g, 8);
}

function parseUdev(database: string): Map<string, string> {
  const facts = new Map<string, string>();
  for (const line of database.split('\n')) {
    const match = /^E:([A-Z_]+)=(.*)$/.exec(line);
    if (match !== null) facts.set(match[1] ?? '', match[2] ?? '');
  }
  // The plain form has "_" for what is no letter; the encoded one has the name itself.
  const encoded = facts.get('ID_FS_LABEL_ENC');
  if (encoded !== undefined)
    facts.set('ID_FS_LABEL', decoded(encoded, /\\x([0-9a-f]{2})/gi, 16).trim());
  if (facts.get('ID_FS_LABEL') === '') facts.delete('ID_FS_LABEL');
  return facts;
}

function decoded(text: string, escape: RegExp, base: number): string {
  const bytes = Buffer.from(text, 'utf8')
    .toString('latin1')
    .replace(escape, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, base)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
