/** Reading and writing the records of runs, and of what they have left when they did not end. */
import { hash } from 'node:crypto';
import { z } from 'zod';
import { AppError, type ErrorBody } from '#shared/errors.ts';
import { runResult, runState, type RunResult, type RunSummary } from '#shared/contract/runs.ts';
import type { DriftState } from '#shared/contract/monitor.ts';
import { profileSchema, type Profile } from '#domain/monitoring/index.ts';
import type { Database } from '#platform/database.ts';
import { createReferences, type References, type VersionName } from './references.ts';

export interface RunRow extends RunSummary {
  readonly driftState: DriftState | undefined;
  readonly drifted: number;
}

interface FinishedRun {
  readonly result: RunResult;
  /** Text of the signed receipt. */
  readonly receipt: string;
  readonly profile: Profile;
  readonly drift: { readonly state: DriftState; readonly drifted: number } | undefined;
  readonly at: string;
}

interface FailedRun {
  readonly runId: string;
  readonly state: 'failed' | 'cancelled';
  readonly error: ErrorBody;
  readonly at: string;
}

export interface RunStore extends References {
  start(
    run: VersionName & {
      readonly runId: string;
      readonly digest: string;
      readonly at: string;
      readonly actor: string;
      readonly inputName: string;
      readonly outputPath: string;
    },
  ): void;
  finish(run: FinishedRun): void;
  fail(run: FailedRun): void;
  /** How far a run has come, as JSON; it stands until the run has ended otherwise than by a kill. */
  checkpoint(runId: string, journal: string): void;
  /** Of an interrupted run that can go on; throws `conflict` for others. */
  leftBy(runId: string): {
    readonly outputPath: string;
    readonly startedAt: string;
    readonly actor: string;
    readonly journal: string;
  };
  /** Those among them that have left something to go on with. */
  unfinished(
    runIds: readonly string[],
  ): readonly { readonly runId: string; readonly outputPath: string }[];
  /** The interrupted runs that could go on with this output, newest first. */
  interruptedAt(outputPath: string): readonly string[];
  /** An interrupted run goes on. */
  goOn(runId: string): void;
  /** It could not, or was cut off by `error`; it can still. */
  interrupt(runId: string, at: string, error?: ErrorBody): void;
  /** An interrupted run will not go on. */
  giveUp(runId: string): void;
  /** At opening: runs that a killed program left behind. */
  running(): readonly {
    readonly runId: string;
    readonly outputPath: string;
    readonly canGoOn: boolean;
  }[];
  /** They were interrupted. */
  closeInterrupted(at: string): void;
  /** The finished run that the log entry announced. */
  finishedBy(
    logIndex: number,
  ): { readonly result: RunResult; readonly drift: DriftState | undefined } | undefined;
  list(filter: { readonly model: string | undefined; readonly limit: number }): RunSummary[];
  show(runId: string): { readonly summary: RunSummary; readonly result: RunResult | null };
  /** The signed receipt and its digest; throws `not-found` when the run has none. */
  receiptOf(runId: string): { readonly text: string; readonly digest: string };
  profileOf(runId: string): Profile | undefined;
  /** Finished runs with a profile, newest first. */
  finished(version: VersionName): RunRow[];
  /** The newest one that was finished. */
  latest(model: string): RunRow | undefined;
  isRunning(version: VersionName): boolean;
  isDone(runId: string): boolean;
  /** Ended runs that are nobody's reference, oldest first. */
  ended(): { readonly runId: string; readonly since: string }[];
  /** Removes the records; the caller scrubs the database. */
  erase(runIds: readonly string[]): void;
}

export function createRunStore(db: Database): RunStore {
  const select = `SELECT r.*, p.run_id IS NOT NULL AS is_reference, j.run_id IS NOT NULL AS has_journal FROM runs r
    LEFT JOIN reference_profiles p ON p.run_id = r.run_id
    LEFT JOIN run_journals j ON j.run_id = r.run_id`;
  const dropJournal = (runId: string): void =>
    void db.prepare('DELETE FROM run_journals WHERE run_id = ?').run(runId);
  const interruption = JSON.stringify({
    code: 'io',
    message: 'The program ended while this run was going on.',
  });
  const rows = (where: string, ...values: (string | number)[]): RunRow[] =>
    db
      .prepare(`${select} ${where}`)
      .all(...values)
      .map((row) => toRun(runRow.parse(row)));

  function one(runId: string): RunRow {
    const [row] = rows('WHERE r.run_id = ?', runId);
    if (row === undefined) throw new AppError('not-found', 'There is no run with this id.');
    return row;
  }

  return {
    ...createReferences(db),
    start({ runId, model, version, digest, at, actor, inputName, outputPath }) {
      db.prepare(
        `INSERT INTO runs (run_id, model, version, version_digest, state, started_at, actor, input_name, output_path)
         VALUES (?, ?, ?, ?, 'running', ?, ?, ?, ?)`,
      ).run(runId, model, version, digest, at, actor, inputName, outputPath);
    },
    finish: db.transaction(({ result, receipt, profile, drift, at }: FinishedRun) => {
      dropJournal(result.runId);
      db.prepare(
        `UPDATE runs SET state = 'done', finished_at = ?, rows = ?, rejected = ?, seconds = ?, drift_state = ?,
           drifted = ?, result = ?, receipt = ?, profile = ? WHERE run_id = ?`,
      ).run(
        at,
        result.rows,
        result.rejected,
        result.seconds,
        drift?.state ?? null,
        drift?.drifted ?? 0,
        JSON.stringify(result),
        receipt,
        JSON.stringify(profile),
        result.runId,
      );
    }),
    fail: db.transaction(({ runId, state, error, at }: FailedRun) => {
      dropJournal(runId);
      const body = { code: error.code, message: error.message };
      db.prepare('UPDATE runs SET state = ?, finished_at = ?, error = ? WHERE run_id = ?').run(
        state,
        at,
        JSON.stringify(body),
        runId,
      );
    }),
    checkpoint(runId, journal) {
      db.prepare('INSERT OR REPLACE INTO run_journals (run_id, journal) VALUES (?, ?)').run(
        runId,
        journal,
      );
    },
    leftBy(runId) {
      one(runId);
      const left = db
        .prepare<
          [string],
          { outputPath: string; startedAt: string; actor: string; journal: string }
        >(
          `SELECT r.output_path AS outputPath, r.started_at AS startedAt, r.actor, j.journal FROM runs r
             JOIN run_journals j ON j.run_id = r.run_id WHERE r.run_id = ? AND r.state = 'interrupted'`,
        )
        .get(runId);
      if (left !== undefined) return left;
      throw new AppError('conflict', 'There is nothing of this run to go on from. Start it anew.');
    },
    unfinished: (runIds) =>
      db
        .prepare<[string], { runId: string; outputPath: string }>(
          `SELECT r.run_id AS runId, output_path AS outputPath FROM runs r
             JOIN run_journals j ON j.run_id = r.run_id WHERE r.run_id IN (SELECT value FROM json_each(?))`,
        )
        .all(JSON.stringify(runIds)),
    interruptedAt: (outputPath) =>
      db
        .prepare<[string], string>(
          `SELECT r.run_id FROM runs r JOIN run_journals j ON j.run_id = r.run_id
             WHERE r.output_path = ? AND r.state = 'interrupted' ORDER BY r.started_at DESC, r.rowid DESC`,
        )
        .pluck()
        .all(outputPath),
    goOn(runId) {
      db.prepare(
        "UPDATE runs SET state = 'running', finished_at = NULL, error = NULL WHERE run_id = ?",
      ).run(runId);
    },
    interrupt(runId, at, error) {
      const told =
        error === undefined
          ? interruption
          : JSON.stringify({ code: error.code, message: error.message });
      db.prepare(
        "UPDATE runs SET state = 'interrupted', finished_at = ?, error = ? WHERE run_id = ?",
      ).run(at, told, runId);
    },
    giveUp: dropJournal,
    running: () =>
      db
        .prepare<[], { runId: string; outputPath: string; hasJournal: number }>(
          `SELECT r.run_id AS runId, output_path AS outputPath, j.run_id IS NOT NULL AS hasJournal
             FROM runs r LEFT JOIN run_journals j ON j.run_id = r.run_id WHERE state = 'running'`,
        )
        .all()
        .map(({ runId, outputPath, hasJournal }) => ({
          runId,
          outputPath,
          canGoOn: hasJournal === 1,
        })),
    closeInterrupted(at) {
      db.prepare(
        "UPDATE runs SET state = 'interrupted', finished_at = ?, error = ? WHERE state = 'running'",
      ).run(at, interruption);
    },
    finishedBy(logIndex) {
      const row = db
        .prepare<[number], { result: string; drift_state: DriftState | null }>(
          "SELECT result, drift_state FROM runs WHERE state = 'done' AND json_extract(result, '$.logIndex') = ?",
        )
        .get(logIndex);
      if (row === undefined) return undefined;
      return {
        result: runResult.parse(JSON.parse(row.result)),
        drift: row.drift_state ?? undefined,
      };
    },
    list: ({ model, limit }) =>
      (model === undefined
        ? rows('ORDER BY r.started_at DESC, r.rowid DESC LIMIT ?', limit)
        : rows('WHERE r.model = ? ORDER BY r.started_at DESC, r.rowid DESC LIMIT ?', model, limit)
      ).map(toSummary),
    show(runId) {
      const row = one(runId);
      const stored = db
        .prepare<[string], { result: string | null }>('SELECT result FROM runs WHERE run_id = ?')
        .get(runId);
      const text = stored?.result ?? null;
      return {
        summary: toSummary(row),
        result: text === null ? null : runResult.parse(JSON.parse(text)),
      };
    },
    receiptOf(runId) {
      const { state } = one(runId);
      const text = db
        .prepare<[string], string | null>('SELECT receipt FROM runs WHERE run_id = ?')
        .pluck()
        .get(runId);
      if (typeof text === 'string') return { text, digest: `sha256:${hash('sha256', text)}` };
      throw new AppError(
        'not-found',
        state === 'done'
          ? 'This run was made before runs left receipts.'
          : 'Only a finished run has a receipt.',
      );
    },
    profileOf(runId) {
      const stored = db
        .prepare<[string], { profile: string | null }>('SELECT profile FROM runs WHERE run_id = ?')
        .get(runId);
      const text = stored?.profile ?? null;
      return text === null ? undefined : profileSchema.parse(JSON.parse(text));
    },
    finished: ({ model, version }) =>
      rows(
        "WHERE r.model = ? AND r.version = ? AND r.state = 'done' ORDER BY r.started_at DESC, r.rowid DESC",
        model,
        version,
      ),
    latest: (model) =>
      rows(
        "WHERE r.model = ? AND r.state = 'done' ORDER BY r.started_at DESC, r.rowid DESC LIMIT 1",
        model,
      )[0],
    isRunning: ({ model, version }) =>
      rows("WHERE r.model = ? AND r.version = ? AND r.state = 'running'", model, version).length >
      0,
    isDone: (runId) => rows("WHERE r.run_id = ? AND r.state = 'done'", runId).length > 0,
    ended: () =>
      db
        .prepare<[], { runId: string; since: string }>(
          `SELECT run_id AS runId, finished_at AS since FROM runs
           WHERE finished_at IS NOT NULL AND run_id NOT IN (SELECT run_id FROM reference_profiles WHERE run_id IS NOT NULL)
           ORDER BY finished_at, run_id`,
        )
        .all(),
    erase: db.transaction((runIds: readonly string[]) => {
      const remove = db.prepare('DELETE FROM runs WHERE run_id = ?');
      for (const runId of runIds) {
        dropJournal(runId);
        remove.run(runId);
      }
    }),
  };
}

const runRow = z.object({
  run_id: z.string(),
  model: z.string(),
  version: z.number(),
  state: runState,
  started_at: z.string(),
  finished_at: z.string().nullable(),
  actor: z.string(),
  input_name: z.string(),
  rows: z.number(),
  rejected: z.number(),
  seconds: z.number().nullable(),
  drift_state: z.enum(['ok', 'watch', 'act']).nullable(),
  drifted: z.number(),
  error: z.string().nullable(),
  is_reference: z.number(),
  has_journal: z.number(),
});

const runError = z.object({ code: z.string(), message: z.string() });

function toRun(row: z.infer<typeof runRow>): RunRow {
  return {
    runId: row.run_id,
    model: row.model,
    version: row.version,
    state: row.state,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    actor: row.actor,
    inputName: row.input_name,
    rows: row.rows,
    rejected: row.rejected,
    seconds: row.seconds,
    isReference: row.is_reference === 1,
    canGoOn: row.state === 'interrupted' && row.has_journal === 1,
    error: row.error === null ? null : runError.parse(JSON.parse(row.error)),
    driftState: row.drift_state ?? undefined,
    drifted: row.drifted,
  };
}

function toSummary({ driftState: _state, drifted: _drifted, ...summary }: RunRow): RunSummary {
  return summary;
}
