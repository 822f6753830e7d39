/** A tar in a stream: the files in their order; folders are only counted, and anything else is refused. */
import { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { gateLimits } from '../limits.ts';
import { GateBreach } from './breach.ts';
import { damageOf, guarded, type Files } from './container.ts';
import { checkPath, printable } from './names.ts';

/** Shared by the tars of one container, so that many small ones are held to one bound. */
export interface FolderCount {
  folders: number;
}

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
      const { name: path, type } = entry.header;
      if (type === 'directory') {
        count.folders += 1;
        if (count.folders > gateLimits.entries)
          throw new GateBreach(
            'SR-LIMIT-001',
            printable(name),
            'The archive has too many folders.',
          );
        checkPath(path.replace(/\/+$/, '').replace(/^\.\//, '') || 'x');
        entry.resume();
      } else if (type === 'file' || type === 'contiguous-file') {
        yield {
          path: path.replace(/^\.\//, ''),
          content: guarded(entry as AsyncIterable<Uint8Array>, name),
        };
      } else {
        throw new GateBreach(
          'SR-PATH-002',
          printable(path),
          'The entry is a link or a special file.',
        );
      }
    }
  } catch (error) {
    throw damageOf(error, name);
  } finally {
    input.destroy();
    tar.destroy();
  }
}
