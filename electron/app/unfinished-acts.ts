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
import { runFacts, runSubject, type ActFacts, type SlotFacts } from './act-facts.ts';

/** A step of `catalog.db`. */
export const doneActsSchema: readonly string[] = [
  'CREATE TABLE done_acts (log_index INTEGER PRIMARY KEY, facts TEXT NOT NULL) STRICT;',
];

/** To be called inside the transaction that does the act; for a rotation or a key slot before it, since no transaction covers both. */
export function rememberAct(
  catalog: Database,
  logIndex: number,
  facts: ActFacts | SlotFacts,
): void {
  catalog
    .prepare('INSERT INTO done_acts (log_index, facts) VALUES (?, ?)')
    .run(logIndex, JSON.stringify(facts));
}

/** The rows of users whose key slots were changed by a program that was killed then. Before anybody is looked up by a slot. */
export function settleSlots({ log, vault, users }: OpenStores): void {
  if (log.damaged) return;
  const find = remembered(vault.catalog);
  for (const { index } of log.unfinished()) {
    const { change, user } = find(index) ?? {};
    if (user === undefined) continue;
    if (change === undefined || vault.slots.hasHappened(change)) users.apply(user);
  }
}

type Remembered = ActFacts & Partial<SlotFacts>;

function remembered(catalog: Database): (logIndex: number) => Remembered | undefined {
  const find = catalog
    .prepare<[number], string>('SELECT facts FROM done_acts WHERE log_index = ?')
    .pluck();
  return (logIndex) => {
    const facts = find.get(logIndex);
    return facts === undefined ? undefined : (JSON.parse(facts) as Remembered);
  };
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
  const find = remembered(vault.catalog);
  for (const begin of log.unfinished()) {
    const told = known.get(begin.index);
    const facts = find(begin.index);
    const run = begin.action === 'run.score' ? runs.finishedBy(begin.index) : undefined;
    if (told !== undefined) report(begin, [told]);
    else if (facts !== undefined) settle(begin, facts);
    else if (run !== undefined) report(begin, [runSubject(run.result), runFacts(run)]);
    else report(begin, []);
  }

  function settle(begin: LogEntry, facts: Remembered): void {
    report(begin, hasHappened(begin, facts) ? [facts] : []);
  }

  function hasHappened({ action }: LogEntry, facts: Remembered): boolean {
    // A rotation is remembered before it begins, because it changes the key of the memory itself.
    if (action === 'keys.rotate') return hasRotated(facts, vault);
    return facts.change === undefined || vault.slots.hasHappened(facts.change);
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
