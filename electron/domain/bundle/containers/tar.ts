/** A tar, in a stream or by its index: folders are only counted, and anything but them and files is refused. */
import { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { gateLimits } from '../limits.ts';
import { GateBreach } from './breach.ts';
import type { ByteSource } from './byte-source.ts';
import { damageOf, guarded, signaturesFirst, type Files } from './container.ts';
import { checkPath, plainPath, printable } from './names.ts';
import { isOfSparse, type TarEntry } from './tar-index.ts';

/** Shared by the tars of one container, so that many small ones are held to one bound. */
export interface FolderCount {
  folders: number;
}

/** In their order. */
export async function* tarFiles(
  source: AsyncIterable<Uint8Array>,
  name: string,
  count: FolderCount = { folders: 0 },
): Files {
  const tar = extract();
  const input = source instanceof Readable ? source : Readable.from(source, { objectMode: false });
  input.on('error', (error) => tar.destroy(error));
  input.pipe(tar);
  try {
    for await (const entry of tar) {
      const { name: path, type, pax } = entry.header;
      // Some readers give every entry that name or size; this library passes over it.
      if (['path', 'size'].some((field) => field in (globalRecords(tar) ?? {})))
        throw new GateBreach(
          'SR-BUNDLE-006',
          printable(name),
          'A header for all entries names a path or a size, which readers take in two ways. Pack it anew.',
        );
      // The name and the bytes of such an entry are a description; readers that know no sparse files take them as they are.
      if (Object.keys(pax ?? {}).some(isOfSparse))
        throw new GateBreach(
          'SR-PATH-002',
          printable(path),
          'The entry is a sparse file. Pack it without --sparse.',
        );
      if (type === 'directory') {
        checkFolder(path, name, count);
      } else if (type === 'file' || type === 'contiguous-file') {
        yield {
          path: plainPath(path),
          content: guarded(entry as AsyncIterable<Uint8Array>, name),
        };
      } else {
        throw new GateBreach(
          'SR-PATH-002',
          printable(path),
          'The entry is a link or a special file.',
        );
      }
      entry.resume(); // what was left unread
    }
  } catch (error) {
    throw damageOf(error, name);
  } finally {
    input.destroy();
    tar.destroy();
  }
}

/** By offset, signatures first. */
export async function* indexedTarFiles(source: ByteSource, entries: readonly TarEntry[]): Files {
  const count: FolderCount = { folders: 0 };
  for (const { path, isFolder } of entries) if (isFolder) checkFolder(path, source.name, count);
  const files = entries
    .filter(({ isFolder }) => !isFolder)
    .map((entry) => ({ ...entry, path: plainPath(entry.path) }))
    .toSorted((a, b) => signaturesFirst(a.path, b.path));
  for (const { path, start, sizeBytes } of files)
    yield {
      path,
      content: guarded(source.stream({ start, end: start + sizeBytes }), source.name),
    };
}

/** What the library has read of headers for all entries (POSIX pax, type g). */
function globalRecords(tar: object): object | undefined {
  return (tar as { readonly _paxGlobal?: object | null })._paxGlobal ?? undefined;
}

function checkFolder(path: string, archive: string, count: FolderCount): void {
  count.folders += 1;
  if (count.folders > gateLimits.entries)
    throw new GateBreach('SR-LIMIT-001', printable(archive), 'The archive has too many folders.');
  // `tar -C FOLDER -cf FILE .` begins with the folder itself.
  const folder = plainPath(path).replace(/\/+$/, '');
  if (folder !== '' && folder !== '.') checkPath(folder);
}
