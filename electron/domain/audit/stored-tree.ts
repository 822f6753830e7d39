/** The tree as `audit.db` holds it. */
import { AppError } from '#shared/errors.ts';
import type { Database } from '#platform/database.ts';
import type { HashSource } from './merkle.ts';

export function logSize(db: Database): number {
  return db.prepare<[], number>('SELECT coalesce(max(idx) + 1, 0) FROM entries').pluck().get() ?? 0;
}

/** Hashes from the table; a missing one means that somebody took it out. */
export function hashSource(db: Database): HashSource {
  const select = db
    .prepare<[number, number], Uint8Array>('SELECT hash FROM hashes WHERE level = ? AND idx = ?')
    .pluck();
  return (level, index) => {
    const hash = select.get(level, index);
    if (hash === undefined)
      throw new AppError('tampered', 'A hash of the log is missing. Verify the log to see where.');
    return hash;
  };
}
