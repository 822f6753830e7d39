/**
 * Encrypted SQLite: SQLCipher v4 page format, raw 256-bit key, so the `sqlcipher` 4 command line opens the
 * same files. Every database is WAL with synchronous=FULL: a returned commit is on the medium. Deleted
 * content is overwritten (secure_delete) and temporary results stay in memory.
 */
import Sqlite from 'better-sqlite3-multiple-ciphers';
import { AppError } from '#shared/errors.ts';

export type Database = Sqlite.Database;

/** Opens or creates the file; the key (32 bytes) is not kept. A wrong key or damaged page is `corrupt`. */
export function openDatabase(path: string, key: Uint8Array): Database {
  const db = new Sqlite(path);
  try {
    db.pragma("cipher='sqlcipher'");
    db.pragma('legacy=4');
    db.pragma(`key="x'${Buffer.from(key).toString('hex')}'"`);
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('fullfsync = ON');
    db.pragma('foreign_keys = ON');
    db.pragma('secure_delete = ON');
    db.pragma('temp_store = MEMORY');
    db.pragma('trusted_schema = OFF');
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    return db;
  } catch (cause) {
    db.close();
    throw new AppError('corrupt', 'A database of the vault cannot be read with its key.', {
      cause,
    });
  }
}

/** Applies the schema steps that `user_version` says are missing, each in one transaction. */
export function migrate(db: Database, steps: readonly string[]): void {
  const version = db.pragma('user_version', { simple: true }) as number;
  if (version > steps.length) {
    throw new AppError('unsupported', 'This vault was written by a newer version of Strongroom.');
  }
  for (const [index, step] of steps.entries()) {
    if (index < version) continue;
    db.transaction(() => {
      db.exec(step);
      db.pragma(`user_version = ${index + 1}`);
    })();
  }
}

/** The definitions of everything in the database, as text to compare. */
export function schemaOf(db: Database): string {
  return db
    .prepare<[], string>('SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name')
    .pluck()
    .all()
    .join(';\n');
}

/** What `schemaOf` gives for a database that those steps have made. */
export function schemaOfSteps(steps: readonly string[]): string {
  const db = new Sqlite(':memory:');
  try {
    migrate(db, steps);
    return schemaOf(db);
  } finally {
    db.close();
  }
}
