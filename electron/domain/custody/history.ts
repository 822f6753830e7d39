/**
 * What the vault remembers of its backups: when, by whom, where to, up to which entry of the log. The digests of the pieces
 * that objects are cut into are kept too, because objects never change: what a medium has already is known by name, without
 * reading it or the object.
 */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database.ts';
import type { Piece } from './manifest.ts';

export interface RememberedBackup {
  /** 8 random bytes, hex. */
  readonly id: string;
  readonly startedAt: string;
  readonly startedBy: string;
  /** An unfinished one may hold ciphertext on its media all the same. */
  readonly state: 'unfinished' | 'complete';
  readonly finishedAt: string | undefined;
  /** The folders it was written to, in order; for display. */
  readonly places: readonly string[];
  /** The rest is known once it is complete. */
  readonly snapshot: number | undefined;
  readonly logSize: number | undefined;
  /** Of the manifest, `sha256:` and hex. */
  readonly digest: string | undefined;
}

export interface StoredPiece {
  /** Undefined for what changes from backup to backup. */
  readonly objectId: string | undefined;
  readonly at: number;
  readonly piece: Piece;
}

export interface CompletedBackup {
  readonly snapshot: number;
  readonly logSize: number;
  readonly digest: string;
}

export interface BackupHistory {
  /** Newest first. */
  list(): RememberedBackup[];
  find(id: string): RememberedBackup | undefined;
  /** The backups that were begun before that moment: what is erased afterwards is still in them. */
  backupsBefore(at: string): RememberedBackup[];
  /** Highest number of a snapshot so far; 0 when there is none. */
  lastSnapshot(): number;
  /** The newest one, when it waits for its next medium. */
  unfinished(): RememberedBackup | undefined;
  begin(entry: { readonly by: string; readonly place: string }): RememberedBackup;
  goOn(id: string, place: string): void;
  complete(id: string, facts: CompletedBackup): void;
  /** The one that this vault was restored from: it was complete only after its copy of this list was made. */
  adopt(
    backup: CompletedBackup & { readonly id: string; readonly by: string; readonly at: string },
  ): void;
  /** Digests of the pieces of one object as far as they are known, by their place in it. */
  piecesOf(objectId: string): ReadonlyMap<number, Piece>;
  /** All of them in one transaction, as on a medium of this backup now. */
  rememberPieces(backupId: string, stored: readonly StoredPiece[]): void;
  /** Names of the pieces that an unfinished backup has on all its media. */
  written(backupId: string): ReadonlySet<string>;
}

interface BackupRow {
  readonly id: string;
  readonly started_at: string;
  readonly started_by: string;
  readonly state: RememberedBackup['state'];
  readonly finished_at: string | null;
  readonly places: string;
  readonly snapshot: number | null;
  readonly log_size: number | null;
  readonly digest: string | null;
}

const columns =
  'id, started_at, started_by, state, finished_at, places, snapshot, log_size, digest';

export function createBackupHistory(db: Database, clock: Clock): BackupHistory {
  const select = (rest: string, ...values: string[]): RememberedBackup[] =>
    db
      .prepare<string[], BackupRow>(`SELECT ${columns} FROM backups ${rest}`)
      .all(...values)
      .map(rowToBackup);
  const find = (id: string): RememberedBackup | undefined => select('WHERE id = ?', id)[0];

  return {
    find,
    list: () => select('ORDER BY started_at DESC, rowid DESC'),
    backupsBefore: (at) => select('WHERE started_at < ? ORDER BY started_at DESC, rowid DESC', at),
    lastSnapshot: () =>
      db.prepare<[], number>('SELECT coalesce(max(snapshot), 0) FROM backups').pluck().get() ?? 0,

    unfinished() {
      const [newest] = select('ORDER BY started_at DESC, rowid DESC LIMIT 1');
      return newest?.state === 'unfinished' ? newest : undefined;
    },

    begin({ by, place }) {
      const id = randomBytes(8).toString('hex');
      db.transaction(() => {
        // Of an older one that was never finished, the row stays and the list of pieces goes: nobody goes on with it now.
        db.exec('DELETE FROM written_pieces');
        db.prepare(
          "INSERT INTO backups (id, started_at, started_by, state, places) VALUES (?, ?, ?, 'unfinished', ?)",
        ).run(id, clock().toISOString(), by, JSON.stringify([place]));
      })();
      const begun = find(id);
      if (begun === undefined) throw new Error('A row that was just written is missing.');
      return begun;
    },

    goOn(id, place) {
      const places = find(id)?.places ?? [];
      if (places.at(-1) === place) return;
      db.prepare('UPDATE backups SET places = ? WHERE id = ?').run(
        JSON.stringify([...places, place]),
        id,
      );
    },

    complete(id, { snapshot, logSize, digest }) {
      db.prepare(
        "UPDATE backups SET state = 'complete', finished_at = ?, snapshot = ?, log_size = ?, digest = ? WHERE id = ?",
      ).run(clock().toISOString(), snapshot, logSize, digest, id);
      db.prepare('DELETE FROM written_pieces WHERE backup_id = ?').run(id);
    },

    adopt({ id, by, at, snapshot, logSize, digest }) {
      db.prepare(
        `INSERT OR REPLACE INTO backups (${columns}) VALUES (?, ?, ?, 'complete', ?, '[]', ?, ?, ?)`,
      ).run(id, at, by, at, snapshot, logSize, digest);
    },

    piecesOf: (objectId) =>
      new Map(
        db
          .prepare<[string], Piece & { at: number }>(
            'SELECT at, sha256, bytes FROM object_pieces WHERE object_id = ?',
          )
          .all(objectId)
          .map(({ at, ...piece }) => [at, piece]),
      ),

    rememberPieces(backupId, stored) {
      // Not for an object that was erased meanwhile.
      const digest = db.prepare(
        'INSERT OR REPLACE INTO object_pieces (object_id, at, sha256, bytes) SELECT id, ?, ?, ? FROM objects WHERE id = ?',
      );
      const written = db.prepare(
        'INSERT OR IGNORE INTO written_pieces (backup_id, sha256) VALUES (?, ?)',
      );
      db.transaction(() => {
        for (const { objectId, at, piece } of stored) {
          if (objectId !== undefined) digest.run(at, piece.sha256, piece.bytes, objectId);
          written.run(backupId, piece.sha256);
        }
      })();
    },

    written: (backupId) =>
      new Set(
        db
          .prepare<[string], string>('SELECT sha256 FROM written_pieces WHERE backup_id = ?')
          .pluck()
          .all(backupId),
      ),
  };
}

function rowToBackup(row: BackupRow): RememberedBackup {
  return {
    id: row.id,
    startedAt: row.started_at,
    startedBy: row.started_by,
    state: row.state,
    finishedAt: row.finished_at ?? undefined,
    places: z.array(z.string()).parse(JSON.parse(row.places)),
    snapshot: row.snapshot ?? undefined,
    logSize: row.log_size ?? undefined,
    digest: row.digest ?? undefined,
  };
}
