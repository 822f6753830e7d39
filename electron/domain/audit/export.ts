/**
 * The log as files for somebody else's tools: a static tlog-tiles tree with its checkpoint, the verifier key, and the same
 * entries once more as JSON Lines for people and SIEMs.
 */
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Database } from '#platform/database.ts';
import { makeFolder } from '#platform/make-folder.ts';
import type { AuditLog } from './log.ts';
import { hashSource } from './stored-tree.ts';
import { entriesToBundle, tilePath, tilesOf, tileWidth } from './tiles.ts';

export const exportNames = {
  checkpoint: 'checkpoint',
  verifierKey: 'verifier-key',
  keyHistory: 'key-history',
  lines: 'entries.jsonl',
} as const;

/** Writes into `dir`, which must not exist yet. */
export async function exportLog(
  source: { readonly db: Database; readonly log: AuditLog },
  dir: string,
  options: {
    readonly onProgress?: (done: number, total: number) => void;
    readonly signal?: AbortSignal;
  } = {},
): Promise<{ readonly entries: number; readonly root: string }> {
  const { size, root, checkpoint, verifierKey } = source.log.head();
  const keyHistory = source.log.keyHistory();
  const hashes = hashSource(source.db);
  const texts = source.db
    .prepare<[number, number], string>(
      'SELECT json FROM entries WHERE idx >= ? AND idx < ? ORDER BY idx',
    )
    .pluck();
  await mkdir(dir);
  try {
    await writeFiles();
    return { entries: size, root };
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }

  async function writeFiles(): Promise<void> {
    await using lines = await open(join(dir, exportNames.lines), 'wx');
    const tiles = tilesOf(size);
    for (const [done, tile] of tiles.entries()) {
      options.signal?.throwIfAborted();
      const { level, index, width } = tile;
      const first = index * tileWidth;
      let bytes: Uint8Array;
      if (level === 'entries') {
        const entries = texts.all(first, first + width);
        await lines.appendFile(entries.map((text) => `${text}\n`).join(''));
        bytes = entriesToBundle(entries.map((text) => Buffer.from(text)));
      } else {
        bytes = Buffer.concat(
          Array.from({ length: width }, (_, at) => hashes(level * 8, first + at)),
        );
      }
      const path = join(dir, tilePath(tile));
      await makeFolder(dirname(path));
      await writeFile(path, bytes);
      options.onProgress?.(done + 1, tiles.length);
    }
    await writeFile(join(dir, exportNames.verifierKey), `${verifierKey}\n`);
    // Only once there is one: the folder of a log with its first key is as it always was.
    if (keyHistory !== '') await writeFile(join(dir, exportNames.keyHistory), keyHistory);
    await writeFile(join(dir, exportNames.checkpoint), checkpoint);
    await lines.sync();
  }
}
