/**
 * What a refusal is about when the bundle was not read to its end: the files on the medium that it is packed in, read once more
 * for their digests. A medium may lie this time too; all that hangs on it is by which name the refused thing is known.
 */
import { lstat, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { InspectReport } from '#shared/contract/bundles.ts';
import { openBytes } from './containers/byte-source.ts';
import { isReadError } from './containers/container.ts';
import { gateLimits } from './limits.ts';
import { digestOf } from './read-file.ts';

/** Empty for a folder, for more bytes than a bundle may have, and when they cannot be read to their end. */
export async function packedFiles(
  paths: readonly string[],
  options: { readonly signal?: AbortSignal; readonly onBytes?: (count: number) => void },
): Promise<InspectReport['packedIn']> {
  const files: InspectReport['packedIn'] = [];
  let total = 0;
  try {
    for (const path of paths) {
      // Somebody chose a file by its name, a link perhaps; its further parts were chosen by nobody.
      const facts = paths.length === 1 ? await stat(path) : await lstat(path);
      total += facts.size;
      if (!facts.isFile() || total > gateLimits.totalBytes) return [];
      await using source = await openBytes([path]);
      const chunks = source.stream() as AsyncIterable<Uint8Array>;
      const { sha256 } = await digestOf(
        (async function* () {
          for await (const chunk of chunks) {
            options.signal?.throwIfAborted();
            options.onBytes?.(chunk.length);
            yield chunk;
          }
        })(),
      );
      files.push({ path: basename(path), bytes: source.sizeBytes, sha256 });
    }
    return files;
  } catch (error) {
    if (isReadError(error)) return [];
    throw error;
  }
}
