/**
 * How long the log was when the vault was last opened or sealed, kept in both other databases: one of the three that was put
 * back from an older copy is then found without anything from outside. A copy of the whole vault put back is not; that takes
 * a checkpoint kept elsewhere. The catalog also remembers that a verification found the log broken.
 */
import { AppError } from '#shared/errors.ts';
import type { Database } from '#platform/database.ts';
import { step } from '#platform/steps.ts';
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

/** Acts that leave a row in `done_acts` in their own transaction, where it stays until the next sign-in. */
const leavingRows = [
  'trust.add',
  'trust.remove',
  'policy.set',
  'bundle.import',
  'model.promote',
  'model.approve',
  'model.reject',
  'model.rollback',
  'model.retire',
  'reasons.propose',
  'reasons.approve',
];

/**
 * What both databases know of the log: the size they were told, and the announcements of acts whose work they hold. One that
 * lacks the work of an act which the log calls done has lost its last writes, so what it knows counts for nothing.
 */
export function readMemory({
  catalog,
  records,
  audit,
}: Databases & { readonly audit: Database }): LogMemory {
  const acts = numbers(catalog, 'SELECT log_index FROM done_acts');
  const runs = records
    .prepare<[], string>("SELECT result FROM runs WHERE state = 'done' ORDER BY rowid DESC LIMIT 1")
    .pluck()
    .all()
    .map(announcedBy);
  const isLost = doneBy(audit, leavingRows).some((announced) => !acts.includes(announced));
  return {
    sizes: [
      isLost ? 0 : Math.max(readRow(catalog).size, ...acts.map((index) => index + 1)),
      Math.max(readRow(records).size, ...runs.map((index) => index + 1)),
    ],
    broken: readRow(catalog).broken === 1,
  };
}

/** Log index in the result of a run. Pages of two states in one file give a text that is none. */
function announcedBy(result: string): number {
  try {
    const { logIndex } = JSON.parse(result) as { logIndex: unknown };
    if (typeof logIndex === 'number') return logIndex;
  } catch {
    // The same as a result without it.
  }
  throw new AppError(
    'corrupt',
    'What a database of the vault says of a run cannot be read: the file is damaged. Restore the vault from a backup.',
  );
}

/** Announcements of the acts that, as the log says, were done since the last sign-in. */
function doneBy(audit: Database, actions: readonly string[]): number[] {
  try {
    return numbers(
      audit,
      `SELECT json_extract(json, '$.of') FROM entries
       WHERE idx > (SELECT coalesce(max(idx), -1) FROM entries WHERE action IN ('vault.create', 'vault.sign-in'))
         AND json_extract(json, '$.outcome') = 'ok' AND json_extract(json, '$.phase') = 'outcome'
         AND action IN (${actions.map((action) => `'${action}'`).join(', ')})`,
    );
  } catch {
    // A log that cannot be read says so itself, when it is opened.
    return [];
  }
}

function numbers(db: Database, sql: string): number[] {
  return db.prepare<[], number>(sql).pluck().all();
}

export function rememberSize({ catalog, records }: Databases, size: number): void {
  for (const db of [catalog, records]) {
    db.prepare(
      'INSERT INTO seen_log (only, size) VALUES (0, ?) ON CONFLICT (only) DO UPDATE SET size = excluded.size',
    ).run(size);
    step('log: size remembered');
  }
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
