/**
 * Erasure: keys are destroyed, then what they opened is removed. It is decided in one transaction of the catalog, together
 * with the rows of the caller; everything after that is completed at the next opening if the program is killed.
 *   1. In the transaction: the wrapped keys are deleted, and what is left to do is written down (`unfinished_erasures`).
 *   2. The write-ahead log is emptied into the database, where deleted content is overwritten, and the database is made anew
 *      from what is in use: no page and no frame of the log holds a wrapped key any more.
 *   3. The files are removed and their folders synced; then the notes of step 1 go.
 * Ciphertext that stays somewhere, in a backup or on a worn-out flash cell, has no key in this vault afterwards.
 */
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory } from '#platform/atomic-file.ts';
import { scrub, type Database } from '#platform/database.ts';
import { step } from '#platform/steps.ts';

/** A step of `catalog.db`. `object`: a file to remove; `scrub`: keys were deleted; `run`: a record in `records.db` to remove. */
export const erasureSchema = `
  CREATE TABLE unfinished_erasures (
    kind TEXT NOT NULL CHECK (kind IN ('object', 'scrub', 'run')),
    id TEXT NOT NULL,
    PRIMARY KEY (kind, id)
  ) STRICT;
`;

export interface DestroyedKeys {
  readonly keys: number;
  /** Plaintext bytes that were under them. */
  readonly bytes: number;
  /** When the oldest of them was made; undefined when there were none. */
  readonly since: string | undefined;
}

/** Inside the caller's transaction. What it leaves to do is done by `finishErasures`. */
export function destroyObjectKeys(catalog: Database, objectIds: readonly string[]): DestroyedKeys {
  const find = catalog.prepare<[string], { size_bytes: number; created_at: string }>(
    "SELECT size_bytes, created_at FROM objects WHERE id = ? AND state = 'live'",
  );
  const remove = catalog.prepare('DELETE FROM objects WHERE id = ?');
  let bytes = 0;
  const dates: string[] = [];
  for (const id of objectIds) {
    const row = find.get(id);
    if (row === undefined) continue;
    remove.run(id);
    leaveToDo(catalog, 'object', id);
    bytes += row.size_bytes;
    dates.push(row.created_at);
  }
  return { keys: dates.length, bytes, since: dates.toSorted()[0] };
}

type Kind = 'object' | 'scrub' | 'run';

/** A note for whoever completes the erasure; the id of a `scrub` only tells one from another. */
export function leaveToDo(
  catalog: Database,
  kind: Kind,
  id = randomBytes(16).toString('hex'),
): void {
  catalog.prepare('INSERT OR IGNORE INTO unfinished_erasures VALUES (?, ?)').run(kind, id);
}

export function leftToDo(catalog: Database, kind: Kind): string[] {
  return catalog
    .prepare<[string], string>('SELECT id FROM unfinished_erasures WHERE kind = ?')
    .pluck()
    .all(kind);
}

/** Takes back these notes and no others: another erasure may have left some in the meantime. */
export function doneWith(catalog: Database, kind: Kind, ids: readonly string[]): void {
  const remove = catalog.prepare('DELETE FROM unfinished_erasures WHERE kind = ? AND id = ?');
  catalog.transaction(() => {
    for (const id of ids) remove.run(kind, id);
  })();
  step(`erase: notes of what was left to do removed (${kind})`);
}

/** Steps 2 and 3. Safe to repeat, and at once over when there is nothing to do. */
export async function finishErasures(dir: string, catalog: Database): Promise<void> {
  const objects = leftToDo(catalog, 'object');
  const scrubs = leftToDo(catalog, 'scrub');
  if (objects.length + scrubs.length === 0) return;
  scrub(catalog);
  step('erase: no copy of the keys is left in the database');
  const folders = new Set<string>();
  for (const id of objects) {
    const folder = join(dir, 'objects', id.slice(0, 2));
    await rm(join(folder, id), { force: true });
    step('erase: a file removed');
    folders.add(folder);
  }
  for (const folder of folders) await syncDirectory(folder);
  step('erase: folders synced');
  doneWith(catalog, 'object', objects);
  doneWith(catalog, 'scrub', scrubs);
}
