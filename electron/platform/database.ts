/**
 * Encrypted SQLite: SQLCipher v4 page format, raw 256-bit key, so the `sqlcipher` 4 command line opens the
 * same files. Every database is WAL with synchronous=FULL: a returned commit is on the medium. Deleted
 * content is overwritten (secure_delete) and temporary results stay in memory.
 */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import Sqlite from 'better-sqlite3-multiple-ciphers';
import { AppError } from '#shared/errors.ts';
import { step } from './steps.ts';

export type Database = Sqlite.Database;

/**
 * Opens the file, or creates it where `place` says so; the key (32 bytes) is not kept. A wrong key or damaged page is
 * `corrupt`; what the system says of the medium is passed on as it is.
 */
export function openDatabase(path: string, key: Uint8Array, place: 'new' | 'existing'): Database {
  if (place === 'existing' && !existsSync(path)) {
    throw new AppError(
      'tampered',
      `The file ${basename(path)} is missing from the vault folder. Restore it from a copy of the vault.`,
    );
  }
  const db = new Sqlite(path);
  try {
    db.pragma("cipher='sqlcipher'");
    db.pragma('legacy=4');
    const text = rawKey(key);
    // The package has this method, and types only for the one it is made from.
    (db as Database & { key(text: Buffer): number }).key(text);
    text.fill(0);
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
    if (isOfMedium(cause) || codeOf(cause).startsWith('SQLITE_BUSY')) throw cause;
    throw new AppError('corrupt', 'A database of the vault cannot be read with its key.', {
      cause,
    });
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : '';

/** What the system says of the medium, which keeps its name. */
const isOfMedium = (error: unknown): boolean =>
  /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN)/.test(codeOf(error));

/** Throws `busy` while a statement of this connection is still being read; what the system says of the medium is passed on. */
export function requireUnused(db: Database): void {
  try {
    db.pragma('journal_mode = DELETE');
    db.pragma('journal_mode = WAL');
  } catch (cause) {
    if (isOfMedium(cause)) throw cause;
    throw new AppError(
      'busy',
      'The vault is at work. Nothing was changed; try again when that has ended.',
      { cause },
    );
  }
}

/** Reads every page that is in use. Throws `corrupt` when one is not what was written. */
export function requireSound(db: Database): void {
  let found: unknown;
  try {
    found = db.pragma('quick_check(1)', { simple: true });
  } catch (cause) {
    if (isOfMedium(cause)) throw cause;
    found = cause;
  }
  if (found !== 'ok')
    throw new AppError(
      'corrupt',
      'A database of the vault is damaged. Nothing was changed; restore the vault from a backup.',
    );
}

/** Brings everything into the one file, so that it can be copied; throws as `openDatabase` does. */
export function foldWriteAheadLog(path: string, key: Uint8Array): void {
  const db = openDatabase(path, key, 'existing');
  try {
    db.pragma('journal_mode = DELETE');
  } finally {
    db.close();
  }
}

/** Encrypts a database anew under another key (32 bytes). A kill on the way destroys it: for copies only. */
export function rekeyFile(path: string, from: Uint8Array, to: Uint8Array): void {
  const db = openDatabase(path, from, 'existing');
  try {
    // The caller syncs the finished file; on the way nothing of it is worth keeping.
    db.pragma('journal_mode = MEMORY');
    db.pragma('synchronous = OFF');
    const text = rawKey(to);
    (db as Database & { rekey(text: Buffer): number }).rekey(text);
    text.fill(0);
  } finally {
    db.close();
  }
}

/** `x'<hex>'`, which tells the cipher that this is the key itself. As bytes, because a string could not be wiped. */
function rawKey(key: Uint8Array): Buffer {
  const digits = '0123456789abcdef';
  const text = Buffer.alloc(2 * key.length + 3);
  text.write("x'", 0);
  for (const [at, byte] of key.entries()) {
    text[2 + 2 * at] = digits.charCodeAt(byte >> 4);
    text[3 + 2 * at] = digits.charCodeAt(byte & 15);
  }
  text.write("'", text.length - 1);
  return text;
}

/** Applies the schema steps that `user_version` says are missing, each in one transaction. */
export function migrate(
  db: Database,
  steps: readonly string[],
  place: 'new' | 'existing' = 'new',
): void {
  const version = db.pragma('user_version', { simple: true }) as number;
  if (place === 'existing' && version === 0 && steps.length > 0)
    throw new AppError(
      'tampered',
      'A database of the vault was emptied. Restore it from a copy of the vault.',
    );
  if (version > steps.length) {
    throw new AppError('unsupported', 'This vault was written by a newer version of Strongroom.');
  }
  try {
    for (const [index, sql] of steps.entries()) {
      if (index < version) continue;
      db.transaction(() => {
        db.exec(sql);
        db.pragma(`user_version = ${index + 1}`);
      })();
      step('database: tables made');
    }
  } catch (cause) {
    if (codeOf(cause) !== 'SQLITE_ERROR') throw cause;
    throw new AppError(
      'tampered',
      'The tables of a database do not fit the version that it names: it was changed by something other than Strongroom.',
      { cause },
    );
  }
}

/**
 * Leaves no copy of what was deleted. `secure_delete` overwrites a deleted cell where it stands. What it misses: copies that
 * stayed behind in a page when SQLite moved cells elsewhere, so the file is made anew from what is in use; and the
 * write-ahead log, which holds the pages as they were, so it is emptied, before that too: the pages that the new file does not
 * need are then overwritten where they lie. Throws `busy` when something else reads the database.
 */
export function scrub(db: Database): void {
  if (db.pragma('secure_delete', { simple: true }) !== 1)
    throw new AppError('internal', 'A database of the vault does not overwrite what is deleted.');
  emptyWriteAheadLog(db);
  db.exec('VACUUM');
  emptyWriteAheadLog(db);
}

function emptyWriteAheadLog(db: Database): void {
  const [left] = db.pragma('wal_checkpoint(TRUNCATE)') as { readonly busy: number }[];
  if (left?.busy !== 0) throw new AppError('busy', 'The database is being read by something else.');
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
