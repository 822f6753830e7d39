/**
 * What may happen to a version: promotion, approval by a second person, rejection, rollback, retirement. Each act is one
 * transaction over stage, alias interval, request and event, so the history never shows half of it.
 */
import { AppError } from '#shared/errors.ts';
import type { LifecycleResult } from '#shared/contract/models.ts';
import type { Stage } from '#shared/contract/stage.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database.ts';
import { checkTransition } from './stages.ts';
import { resolveVersion } from './resolve.ts';
import { readModel, readVersion, writeEvent, type VersionRow } from './store.ts';

export const productionAlias = 'production';

export interface Act {
  readonly version: string;
  readonly actor: string;
  readonly reason: string;
}

/** What an act did, for its caller and for the log. */
export interface LifecycleOutcome extends LifecycleResult {
  readonly digest: string;
  readonly from: Stage;
  readonly to: Stage;
  /** The version that the production alias named before, such as `credit-risk@1`. */
  readonly previous: string | undefined;
}

export interface Lifecycle {
  promote(
    act: Act & {
      readonly to: 'candidate' | 'approved' | 'production';
      readonly secondPerson: boolean;
    },
  ): LifecycleOutcome;
  approve(act: Act): LifecycleOutcome;
  reject(act: Act): LifecycleOutcome;
  retire(act: Act): LifecycleOutcome;
  /** Throws `conflict` for the version in production. The keys of its files are the caller's to destroy. */
  erase(act: Act): LifecycleOutcome;
  /** The version that a rollback of this model would put back. */
  rollbackTarget(model: string): VersionRow;
  rollback(act: Omit<Act, 'version'> & { readonly model: string }): LifecycleOutcome;
}

export function createLifecycle(db: Database, clock: Clock): Lifecycle {
  const name = (row: VersionRow): string => `${row.model}@${row.version}`;

  function production(modelId: number): VersionRow | undefined {
    const open = db
      .prepare<[number, string], { version: number }>(
        'SELECT version FROM alias_intervals WHERE model_id = ? AND alias = ? AND to_at IS NULL',
      )
      .get(modelId, productionAlias);
    return open === undefined ? undefined : readVersion(db, { modelId, version: open.version });
  }

  function setStage(
    row: VersionRow,
    to: Stage,
    act: { actor: string; reason: string; at: string },
  ): void {
    db.prepare('UPDATE versions SET stage = ? WHERE model_id = ? AND version = ?').run(
      to,
      row.modelId,
      row.version,
    );
    writeEvent(db, row, { ...act, kind: 'stage', from: row.stage, to });
  }

  function closeAlias(row: VersionRow, at: string): void {
    db.prepare(
      'UPDATE alias_intervals SET to_at = ? WHERE model_id = ? AND alias = ? AND to_at IS NULL',
    ).run(at, row.modelId, productionAlias);
  }

  /** Moves the production alias to `row`; the version that had it becomes `approved` again. */
  function enterProduction(
    row: VersionRow,
    act: { actor: string; reason: string; at: string },
  ): VersionRow | undefined {
    const before = production(row.modelId);
    if (before !== undefined) {
      closeAlias(before, act.at);
      setStage(before, 'approved', act);
    }
    setStage(row, 'production', act);
    db.prepare('INSERT INTO alias_intervals VALUES (?, ?, ?, ?, NULL, ?)').run(
      row.modelId,
      productionAlias,
      row.version,
      act.at,
      act.actor,
    );
    writeEvent(db, row, {
      ...act,
      kind: 'alias',
      from: before === undefined ? undefined : name(before),
      to: productionAlias,
    });
    return before;
  }

  function closeRequest(
    row: VersionRow,
    act: { actor: string; reason: string; at: string; to: string },
  ): void {
    db.prepare('DELETE FROM requests WHERE model_id = ? AND version = ?').run(
      row.modelId,
      row.version,
    );
    writeEvent(db, row, { ...act, kind: 'request-closed', from: row.requestTo ?? undefined });
  }

  function outcome(
    row: VersionRow,
    result: {
      status: 'done' | 'pending';
      to: Stage;
      message: string;
      previous?: VersionRow | undefined;
    },
  ): LifecycleOutcome {
    return {
      status: result.status,
      model: row.model,
      version: row.version,
      stage: readVersion(db, row).stage,
      message: result.message,
      digest: row.digest,
      from: row.stage,
      to: result.to,
      previous: result.previous === undefined ? undefined : name(result.previous),
    };
  }

  function enter(
    row: VersionRow,
    to: Stage,
    act: { actor: string; reason: string; at: string },
  ): LifecycleOutcome {
    const previous = to === 'production' ? enterProduction(row, act) : undefined;
    if (to !== 'production') setStage(row, to, act);
    const message = `${name(row)} is ${to === 'production' ? 'in production' : to} now.`;
    return outcome(row, { status: 'done', to, previous, message });
  }

  const inTransaction = <T>(work: () => T): T => db.transaction(work).immediate();

  return {
    promote: ({ version, to, actor, reason, secondPerson }) =>
      inTransaction(() => {
        const row = resolveVersion(db, version);
        const at = clock().toISOString();
        checkTransition(name(row), row.stage, to);
        if (row.requestTo !== null) {
          throw new AppError(
            'conflict',
            `${name(row)} waits for approval already, asked for by ${row.requestedBy}.`,
          );
        }
        if (secondPerson && (to === 'production' || row.stage === 'quarantined')) {
          db.prepare('INSERT INTO requests VALUES (?, ?, ?, ?, ?, ?)').run(
            row.modelId,
            row.version,
            to,
            actor,
            at,
            reason,
          );
          writeEvent(db, row, { at, actor, reason, kind: 'requested', from: row.stage, to });
          return outcome(row, {
            status: 'pending',
            to,
            message: `${name(row)} waits for somebody else to approve it: ${row.stage} to ${to}.`,
          });
        }
        return enter(row, to, { actor, reason, at });
      }),

    approve: ({ version, actor, reason }) =>
      inTransaction(() => {
        const row = resolveVersion(db, version);
        const at = clock().toISOString();
        if (row.requestTo === null) {
          throw new AppError('conflict', `No promotion of ${name(row)} waits for approval.`);
        }
        if (actor === row.requestedBy || actor === row.importedBy) {
          const because =
            actor === row.requestedBy ? 'asked for this promotion' : 'imported this version';
          throw new AppError('forbidden', `You ${because}: somebody else has to approve it.`);
        }
        checkTransition(name(row), row.stage, row.requestTo);
        closeRequest(row, { actor, reason, at, to: 'approved' });
        return enter(row, row.requestTo, { actor, reason, at });
      }),

    reject: ({ version, actor, reason }) =>
      inTransaction(() => {
        const row = resolveVersion(db, version);
        const at = clock().toISOString();
        if (row.requestTo !== null) {
          closeRequest(row, { actor, reason, at, to: 'rejected' });
          return outcome(row, {
            status: 'done',
            to: row.stage,
            message: `The promotion of ${name(row)} is rejected; it stays ${row.stage}.`,
          });
        }
        checkTransition(name(row), row.stage, 'rejected');
        setStage(row, 'rejected', { actor, reason, at });
        return outcome(row, {
          status: 'done',
          to: 'rejected',
          message: `${name(row)} is rejected.`,
        });
      }),

    retire: ({ version, actor, reason }) =>
      inTransaction(() => {
        const row = resolveVersion(db, version);
        const at = clock().toISOString();
        checkTransition(name(row), row.stage, 'retired');
        if (row.stage === 'production') closeAlias(row, at);
        if (row.requestTo !== null) closeRequest(row, { actor, reason, at, to: 'retired' });
        setStage(row, 'retired', { actor, reason, at });
        return outcome(row, { status: 'done', to: 'retired', message: `${name(row)} is retired.` });
      }),

    erase: ({ version, actor, reason }) =>
      inTransaction(() => {
        const row = resolveVersion(db, version);
        const at = clock().toISOString();
        if (row.stage === 'production')
          throw new AppError(
            'conflict',
            `${name(row)} is in production, and nothing was erased. Put another version there or retire it first.`,
          );
        checkTransition(name(row), row.stage, 'erased');
        if (row.requestTo !== null) closeRequest(row, { actor, reason, at, to: 'erased' });
        setStage(row, 'erased', { actor, reason, at });
        return outcome(row, { status: 'done', to: 'erased', message: `${name(row)} is erased.` });
      }),

    rollbackTarget,

    rollback: ({ model, actor, reason }) =>
      inTransaction(() => {
        const row = rollbackTarget(model);
        const at = clock().toISOString();
        if (row.requestTo !== null) closeRequest(row, { actor, reason, at, to: 'production' });
        const previous = enterProduction(row, { actor, reason, at });
        return outcome(row, {
          status: 'done',
          to: 'production',
          previous,
          message: `${name(row)} is back in production${previous === undefined ? '' : `, in place of ${name(previous)}`}.`,
        });
      }),
  };

  /** The version that was in production before the current one first entered it, and may still run. */
  function rollbackTarget(model: string): VersionRow {
    const { modelId, name: modelName } = readModel(db, model);
    const current = production(modelId);
    const intervals = db
      .prepare<[number, string], { version: number }>(
        'SELECT version FROM alias_intervals WHERE model_id = ? AND alias = ? ORDER BY rowid',
      )
      .all(modelId, productionAlias);
    const firstEntry = intervals.findIndex(({ version }) => version === current?.version);
    const earlier = intervals
      .slice(0, firstEntry === -1 ? undefined : firstEntry)
      .toReversed()
      .map(({ version }) => readVersion(db, { modelId, version }))
      .find((row) => row.stage === 'approved');
    if (earlier === undefined) {
      throw new AppError(
        'conflict',
        `${modelName} has no earlier production version to go back to.`,
      );
    }
    return earlier;
  }
}
