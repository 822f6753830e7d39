/** The entries of a folder, in the order of the bytes of their names; each is one row, and only plain files are opened. */
import { isUtf8 } from 'node:buffer';
import { constants, open, readdir, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '#shared/errors.ts';
import { changedInput } from '../changed.ts';
import type { FolderFile, TableSource } from '../table.ts';

export interface Entry {
  readonly name: string;
  readonly plain: boolean;
  /** Its name is not UTF-8, so nothing could say which file a row is about. */
  readonly unnamed: boolean;
}

const maxEntries = 10_000_000;

export function folderOf({ folder }: TableSource): string {
  if (folder === undefined) throw new AppError('invalid-input', 'This is a file and no folder.');
  return folder;
}

/** Names that begin with a point are left out, as those of what systems leave in folders (`.DS_Store`, `Thumbs.db`, `desktop.ini`). */
export async function entriesOf(folder: string): Promise<Entry[]> {
  const found = await readdir(folder, { withFileTypes: true, encoding: 'buffer' });
  if (found.length > maxEntries)
    throw new AppError('limit', `The folder has more than ${maxEntries} entries.`);
  return found
    .toSorted((a, b) => Buffer.compare(a.name, b.name))
    .map((entry) => ({
      name: entry.name.toString('utf8'),
      plain: entry.isFile(),
      unnamed: !isUtf8(entry.name),
    }))
    .filter(({ name }) => !/^(\.|Thumbs\.db$|desktop\.ini$)/i.test(name));
}

/** Others are rows that say why they cannot be used. */
export function isOpened({ plain, unnamed }: Entry): boolean {
  return plain && !unnamed;
}

/** Never through a link, and never what would keep whoever opens it waiting. */
export async function openEntry(folder: string, name: string): Promise<FileHandle> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const file = await open(join(folder, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(
    (error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' || error.code === 'ELOOP' ? changedInput() : error;
    },
  );
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw changedInput();
}

/** The whole content of an entry as it was counted; throws `io` when it is another one now. */
export async function readEntry(
  folder: string,
  { name, sizeBytes }: FolderFile,
): Promise<Uint8Array> {
  await using file = await openEntry(folder, name);
  const bytes = Buffer.allocUnsafeSlow(sizeBytes + 1);
  let done = 0;
  for (;;) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  if (done !== sizeBytes) throw changedInput();
  return bytes.subarray(0, done);
}
