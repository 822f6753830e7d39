/**
 * One writer per folder: an SQLite file held in exclusive mode. The kernel frees the lock when the holder dies, however it
 * dies, so there is no stale lock to clean up. Not reliable on network file systems.
 */
import Sqlite from 'better-sqlite3-multiple-ciphers';
import { AppError } from '#shared/errors.ts';

export interface Lock {
  release(): void;
}

/** Throws `busy` when another process holds it. */
export function acquireLock(path: string): Lock {
  let db: Sqlite.Database | undefined;
  try {
    db = new Sqlite(path, { timeout: 0 });
    db.pragma('locking_mode = EXCLUSIVE');
    db.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    db?.close();
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    if (code.startsWith('SQLITE_BUSY')) {
      throw new AppError(
        'busy',
        'Another Strongroom has this vault open. Seal it there, or wait until it is done, and try again.',
        { cause },
      );
    }
    if (code === 'SQLITE_FULL') throw cause;
    throw new AppError(
      'io',
      'The vault folder cannot be locked for writing. Check that the medium is writable and the folder is yours.',
      { cause },
    );
  }
  const held = db;
  return { release: () => held.close() };
}
