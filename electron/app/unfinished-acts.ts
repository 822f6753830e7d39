/**
 * Acts that the program did and could not report, because it was killed between the act and its outcome. An act on the catalog
 * leaves what its outcome will say in the same transaction; a run leaves its result. The next sign-in writes the missing
 * outcomes before anything else, so that log and catalog never tell two stories.
 */
import { AppError } from '#shared/errors.ts';
import type { LogEntry } from '#shared/contract/audit.ts';
import type { Database } from '#platform/database.ts';
import { step } from '#platform/steps.ts';
import type { OpenStores } from './open-state.ts';
import { hasRotated } from './rotate-keys.ts';
import { runFacts, runSubject, type ActFacts } from './act-facts.ts';

/** A step of `catalog.db`. */
export const doneActsSchema: readonly string[] = [
  'CREATE TABLE done_acts (log_index INTEGER PRIMARY KEY, facts TEXT NOT NULL) STRICT;',
];

/** To be called inside the transaction that does the act. */
export function rememberAct(catalog: Database, logIndex: number, facts: ActFacts): void {
  catalog
    .prepare('INSERT INTO done_acts (log_index, facts) VALUES (?, ?)')
    .run(logIndex, JSON.stringify(facts));
}

/** Once a sign-in stands in the log nobody asks for what came before it. */
export function forgetActs(catalog: Database): void {
  catalog.exec('DELETE FROM done_acts');
  step('sign-in: settled acts forgotten');
}

/**
 * Writes the outcome of every act that has none; `settledBy` is who signs in now. `known` has what is told from elsewhere, by
 * the index of the announcement.
 */
export function settleInterrupted(
  stores: OpenStores,
  settledBy: string,
  known: ReadonlyMap<number, ActFacts> = new Map(),
): void {
  const { log, vault, runs } = stores;
  const remembered = vault.catalog
    .prepare<[number], string>('SELECT facts FROM done_acts WHERE log_index = ?')
    .pluck();
  for (const begin of log.unfinished()) {
    const told = known.get(begin.index);
    const facts = remembered.get(begin.index);
    const run = begin.action === 'run.score' ? runs.finishedBy(begin.index) : undefined;
    if (told !== undefined) report(begin, [told]);
    else if (facts !== undefined) settle(begin, JSON.parse(facts) as ActFacts);
    else if (run !== undefined) report(begin, [runSubject(run.result), runFacts(run)]);
    else report(begin, []);
  }

  function settle(begin: LogEntry, facts: ActFacts): void {
    // A rotation is remembered before it begins, because it changes the key of the memory itself.
    const isDone = begin.action !== 'keys.rotate' || hasRotated(facts, vault);
    report(begin, isDone ? [facts] : []);
  }

  /** Facts that the log does not take are left out: they must not keep anybody from signing in. */
  function report(begin: LogEntry, facts: readonly ActFacts[]): void {
    try {
      append(begin, facts);
    } catch (error) {
      if (!(error instanceof AppError) || facts.length === 0) throw error;
      append(begin, [{}]);
    }
  }

  function append(
    { index, actor, role, session, action }: LogEntry,
    facts: readonly ActFacts[],
  ): void {
    log.append({
      actor,
      role,
      session,
      phase: 'outcome',
      action,
      of: index,
      objects: facts.flatMap(({ objects }) => objects ?? []),
      ...(facts.length === 0 ? { outcome: 'error', code: 'interrupted' } : { outcome: 'ok' }),
      details: { ...Object.assign({}, ...facts.map(({ details }) => details)), settledBy },
    });
  }
}
