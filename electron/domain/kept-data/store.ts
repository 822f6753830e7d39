/** What is kept of which run, and the acts that destroy it. Every act is part of the caller's catalog transaction. */
import { AppError } from '#shared/errors.ts';
import type { KeptData } from '#shared/contract/runs.ts';
import { leaveToDo, type OpenVault, type StagedObject } from '#domain/vault/index.ts';
import type { RowKeys } from './sealed-rows.ts';
import { createSubjects, type SubjectKey } from './subjects.ts';

export interface KeptFile {
  readonly name: 'input' | 'predictions' | 'rows';
  readonly objectId: string;
  readonly bytes: number;
  readonly sha256: string;
}

interface ErasedKeys {
  readonly keys: number;
  readonly files: number;
  readonly bytes: number;
  readonly rows: number;
  /** When the oldest of the keys was made. */
  readonly since: string | undefined;
}

export interface KeptDataStore {
  /** Before the first key is made: what a killed program leaves behind is known by it. */
  begin(run: {
    readonly runId: string;
    readonly subject: string | undefined;
    readonly at: string;
  }): void;
  /** Keys for the rows of one run, remembered between batches. */
  rowKeys(runId: string): RowKeys & Disposable;
  /** In the transaction that makes the objects live. */
  complete(
    runId: string,
    kept: {
      readonly files: readonly { readonly name: KeptFile['name']; readonly object: StagedObject }[];
      readonly rows: number;
      readonly leftOut: number;
    },
  ): void;
  find(runId: string): KeptData | undefined;
  files(runId: string): KeptFile[];
  keyOf(keyId: string): Uint8Array | undefined;
  /** Runs with something kept, oldest first. */
  list(): { readonly runId: string; readonly since: string; readonly bytes: number }[];
  /** Runs that hold rows of the person. Throws `not-found`. */
  of(subject: string): {
    readonly key: SubjectKey;
    readonly runs: { readonly runId: string; readonly rows: number; readonly since: string }[];
  };
  /** Undefined when nothing is kept of the run, or no more. */
  eraseRun(runId: string, at: string): ErasedKeys | undefined;
  /** Throws `not-found`, and `busy` while rows are being written. */
  eraseSubject(subject: string): ErasedKeys & { readonly key: SubjectKey; readonly runs: string[] };
  /** Runs that keep something or were about to. */
  begun(): string[];
  /** Takes back what a run has kept that did not end well. */
  takeBack(runId: string): void;
  /** The rest of what `eraseRun` leaves, when the record of the run goes too. */
  forget(runId: string): void;
}

/** People whose keys are held in memory while rows are written. */
const rememberedKeys = 8192;

export function createKeptData({
  catalog,
  objects,
  dataKeys,
}: Pick<OpenVault, 'catalog' | 'objects' | 'dataKeys'>): KeptDataStore {
  const subjects = createSubjects(catalog, dataKeys);

  function files(runId: string): KeptFile[] {
    return catalog
      .prepare<[string], KeptFile>(
        'SELECT name, object_id AS objectId, size_bytes AS bytes, sha256 FROM kept_files WHERE run_id = ? ORDER BY name',
      )
      .all(runId);
  }

  function destroy(runId: string): Omit<ErasedKeys, 'rows'> {
    const { keys, bytes, since } = objects.destroyKeys(
      files(runId).map(({ objectId }) => objectId),
    );
    catalog.prepare('DELETE FROM kept_subjects WHERE run_id = ?').run(runId);
    const people = subjects.destroyUnused();
    leaveToDo(catalog, 'scrub');
    return { keys: keys + people, files: keys, bytes, since };
  }

  function of(subject: string): ReturnType<KeptDataStore['of']> {
    const key = subjects.find(subject);
    if (key === undefined)
      throw new AppError('not-found', 'Nothing is kept on this person in this vault.');
    const runs = catalog
      .prepare<[string], { runId: string; rows: number; since: string }>(
        `SELECT k.run_id AS runId, k.rows, d.kept_at AS since FROM kept_subjects k JOIN kept_data d USING (run_id)
         WHERE k.key_id = ? ORDER BY d.kept_at, k.run_id`,
      )
      .all(key.id);
    return { key, runs };
  }

  return {
    begin({ runId, subject, at }) {
      if (subject !== undefined) subjects.prepare();
      catalog
        .prepare(
          "INSERT INTO kept_data (run_id, state, subject_column, kept_at) VALUES (?, 'writing', ?, ?)",
        )
        .run(runId, subject ?? null, at);
    },

    rowKeys(runId) {
      const known = new Map<string, SubjectKey>();
      const forget = (): void => {
        for (const { key } of known.values()) key.fill(0);
        known.clear();
      };
      const count = catalog.prepare(
        `INSERT INTO kept_subjects VALUES (?, ?, ?)
         ON CONFLICT (key_id, run_id) DO UPDATE SET rows = rows + excluded.rows`,
      );
      const keysFor = catalog.transaction((people: readonly string[]): SubjectKey[] => {
        const rowsByKey = new Map<string, number>();
        const found = people.map((person) => {
          const key = known.get(person) ?? subjects.findOrCreate(person);
          known.set(person, key);
          rowsByKey.set(key.id, (rowsByKey.get(key.id) ?? 0) + 1);
          return key;
        });
        for (const [id, rows] of rowsByKey) count.run(id, runId, rows);
        return found;
      });
      return {
        keysFor(people) {
          if (known.size > rememberedKeys) forget();
          return keysFor(people);
        },
        [Symbol.dispose]: forget,
      };
    },

    complete(runId, kept) {
      const insert = catalog.prepare('INSERT INTO kept_files VALUES (?, ?, ?, ?, ?)');
      for (const { name, object } of kept.files)
        insert.run(runId, name, object.objectId, object.sizeBytes, object.sha256);
      catalog
        .prepare("UPDATE kept_data SET state = 'kept', rows = ?, left_out = ? WHERE run_id = ?")
        .run(kept.rows, kept.leftOut, runId);
    },

    find(runId) {
      const row = catalog
        .prepare<[string], KeptRow>('SELECT * FROM kept_data WHERE run_id = ?')
        .get(runId);
      if (row === undefined || row.state === 'writing') return undefined;
      const people = catalog
        .prepare<[string], number>('SELECT count(*) FROM kept_subjects WHERE run_id = ?')
        .pluck()
        .get(runId);
      return {
        state: row.state,
        keptAt: row.kept_at,
        erasedAt: row.erased_at,
        subject: row.subject_column,
        subjects: row.subject_column === null ? null : (people ?? 0),
        rows: row.rows,
        leftOut: row.left_out,
        erasedRows: row.erased_rows,
        bytes: files(runId).reduce((sum, { bytes }) => sum + bytes, 0),
      };
    },

    files,
    keyOf: (keyId) => dataKeys.open(keyId),

    list: () =>
      catalog
        .prepare<[], { runId: string; since: string; bytes: number }>(
          `SELECT run_id AS runId, kept_at AS since, (SELECT coalesce(sum(size_bytes), 0) FROM kept_files f WHERE f.run_id = d.run_id) AS bytes
           FROM kept_data d WHERE state = 'kept' ORDER BY kept_at, run_id`,
        )
        .all(),

    of,

    eraseRun(runId, at) {
      const row = catalog
        .prepare<[string], KeptRow>("SELECT * FROM kept_data WHERE run_id = ? AND state = 'kept'")
        .get(runId);
      if (row === undefined) return undefined;
      const erased = destroy(runId);
      catalog
        .prepare(
          "UPDATE kept_data SET state = 'erased', erased_at = ?, erased_rows = rows WHERE run_id = ?",
        )
        .run(at, runId);
      return { ...erased, rows: row.rows - row.erased_rows };
    },

    eraseSubject(subject) {
      const writing = catalog
        .prepare<[], number>("SELECT count(*) FROM kept_data WHERE state = 'writing'")
        .pluck()
        .get();
      if (writing !== 0)
        throw new AppError('busy', 'Rows are being kept by a run. Try again when it is done.');
      const { key, runs } = of(subject);
      const lessen = catalog.prepare(
        'UPDATE kept_data SET erased_rows = erased_rows + ? WHERE run_id = ?',
      );
      for (const { runId, rows } of runs) lessen.run(rows, runId);
      catalog.prepare('DELETE FROM kept_subjects WHERE key_id = ?').run(key.id);
      catalog.prepare('DELETE FROM subjects WHERE key_id = ?').run(key.id);
      const keys = dataKeys.destroy([key.id]);
      leaveToDo(catalog, 'scrub');
      return {
        key,
        keys,
        files: 0,
        bytes: 0,
        rows: runs.reduce((sum, { rows }) => sum + rows, 0),
        since: runs[0]?.since,
        runs: runs.map(({ runId }) => runId),
      };
    },

    begun: () =>
      catalog
        .prepare<[], string>("SELECT run_id FROM kept_data WHERE state <> 'erased'")
        .pluck()
        .all(),

    takeBack: catalog.transaction((runId: string) => {
      destroy(runId);
      catalog.prepare('DELETE FROM kept_files WHERE run_id = ?').run(runId);
      catalog.prepare('DELETE FROM kept_data WHERE run_id = ?').run(runId);
    }),

    forget(runId) {
      catalog.prepare('DELETE FROM kept_files WHERE run_id = ?').run(runId);
      catalog.prepare('DELETE FROM kept_data WHERE run_id = ?').run(runId);
    },
  };
}

interface KeptRow {
  readonly state: 'writing' | 'kept' | 'erased';
  readonly subject_column: string | null;
  readonly rows: number;
  readonly left_out: number;
  readonly erased_rows: number;
  readonly kept_at: string;
  readonly erased_at: string | null;
}
