/**
 * How long the log was when the vault was last opened or sealed, kept in both other databases: one of the three that was put
 * back from an older copy is then found without anything from outside. A copy of the whole vault put back is not; that takes
 * a checkpoint kept elsewhere. The catalog also remembers that a verification found the log broken.
 */
import type { Database } from '#platform/database.ts';
import type { LogMemory } from '#domain/audit/index.ts';

/** A step of `catalog.db` and of `records.db`. */
export const seenLogSchema: readonly string[] = [
  `CREATE TABLE seen_log (
     only INTEGER PRIMARY KEY CHECK (only = 0),
     size INTEGER NOT NULL,
     broken INTEGER NOT NULL DEFAULT 0 CHECK (broken IN (0, 1))
   ) STRICT;`,
];

interface Databases {
  readonly catalog: Database;
  readonly records: Database;
}

export function readMemory({ catalog, records }: Databases): LogMemory {
  return {
    sizes: [catalog, records].map((db) => readRow(db).size),
    broken: readRow(catalog).broken === 1,
  };
}

export function rememberSize({ catalog, records }: Databases, size: number): void {
  for (const db of [catalog, records])
    db.prepare(
      'INSERT INTO seen_log (only, size) VALUES (0, ?) ON CONFLICT (only) DO UPDATE SET size = excluded.size',
    ).run(size);
}

export function rememberVerdict({ catalog }: Databases, status: 'intact' | 'broken'): void {
  catalog.prepare('UPDATE seen_log SET broken = ?').run(status === 'broken' ? 1 : 0);
}

function readRow(db: Database): { readonly size: number; readonly broken: number } {
  const row = db
    .prepare<[], { size: number; broken: number }>('SELECT size, broken FROM seen_log')
    .get();
  return row ?? { size: 0, broken: 0 };
}
