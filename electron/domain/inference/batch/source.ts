/** In the child: the input, a plain file, an encrypted one or a folder. */
import { read } from 'node:fs';
import { promisify } from 'node:util';
import type { TableSource } from '#domain/tables/index.ts';
import type { Source } from '../protocol.ts';
import { openSealed } from '../sealed-file.ts';

const readAt = promisify(read);

export async function openSource(source: Source): Promise<TableSource> {
  if (source.kind === 'sealed') {
    const file = await openSealed(source.file);
    const { sizeBytes } = file;
    return {
      sizeBytes,
      fd: undefined,
      read: (from, to) => {
        const end = Math.min(to, sizeBytes);
        return file.readRange(Math.min(from, end), Math.max(0, end - from));
      },
    };
  }
  if (source.kind === 'folder')
    return {
      sizeBytes: 0,
      fd: undefined,
      read: () => Promise.resolve(new Uint8Array()),
      folder: source.path,
    };
  const { fd, sizeBytes } = source;
  return {
    sizeBytes,
    fd,
    async read(from, to, into) {
      const length = Math.max(0, Math.min(to, sizeBytes) - from);
      const bytes =
        into !== undefined && into.length >= length
          ? into.subarray(0, length)
          : Buffer.allocUnsafeSlow(length);
      let done = 0;
      while (done < bytes.length) {
        const { bytesRead } = await readAt(fd, bytes, done, bytes.length - done, from + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return bytes.subarray(0, done);
    },
  };
}
