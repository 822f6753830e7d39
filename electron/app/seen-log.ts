/**
 * How long the log was when the vault was last opened or sealed, kept in the catalog: an `audit.db` that was put back from an
 * older copy is then found without a checkpoint from outside. A copy of the whole vault put back is not; that takes one.
 */
import type { Database } from '#platform/database.ts';

/** A step of `catalog.db`. */
export const seenLogSchema: readonly string[] = [
  'CREATE TABLE seen_log (only INTEGER PRIMARY KEY CHECK (only = 0), size INTEGER NOT NULL) STRICT;',
];

export function readSeenSize(catalog: Database): number {
  return catalog.prepare<[], number>('SELECT size FROM seen_log').pluck().get() ?? 0;
}

export function rememberSize(catalog: Database, size: number): void {
  catalog.prepare('INSERT OR REPLACE INTO seen_log VALUES (0, ?)').run(size);
}
