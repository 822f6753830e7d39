/**
 * What a sign-in writes: failed tries, outcomes that a killed program owes, the sign-in itself, what was repaired or
 * restored.
 */
import type { LogEntry } from '#shared/contract/audit.ts';
import type { User } from '#shared/contract/users.ts';
import { step } from '#platform/steps.ts';
import type { NewEntry } from '#domain/audit/index.ts';
import { readRestoredMark, type RestoredFrom } from '#domain/custody/index.ts';
import type { ActFacts } from './act-facts.ts';
import type { OpenStores } from './open-state.ts';
import { removeUnfinished } from './run-journal.ts';
import { forgetActs, settleInterrupted } from './unfinished-acts.ts';

export interface SignInRecord {
  readonly stores: OpenStores;
  readonly actor: Pick<NewEntry, 'actor' | 'role' | 'session'>;
  readonly user: User;
  readonly failedAttempts: number;
  /** What opened the vault. */
  readonly by: 'password' | 'keychain' | 'recovery';
}

export function recordSignIn(
  who: SignInRecord,
  found: {
    readonly repaired: {
      readonly rolledBack: number;
      readonly swept: number;
      readonly quarantined: number;
    };
    readonly at: string;
    /** The vault comes from a backup, and this is the first sign-in since. */
    readonly restored: RestoredFrom | undefined;
  },
): void {
  const { stores, actor, user, failedAttempts, by } = who;
  const { repaired, restored } = found;
  const event = (entry: Pick<NewEntry, 'action' | 'details' | 'objects' | 'outcome'>): void =>
    void stores.log.append({ ...actor, phase: 'event', ...entry });
  if (failedAttempts > 0) {
    event({
      action: 'vault.sign-in-failed',
      objects: [],
      outcome: 'refused',
      details: { attempts: failedAttempts },
    });
  }
  settleInterrupted(stores, user.name, restored === undefined ? undefined : madeBy(restored));
  event({
    action: 'vault.sign-in',
    objects: [{ type: 'user', id: user.name }],
    outcome: 'ok',
    ...(by === 'password' ? {} : { details: { by } }),
  });
  forgetActs(stores.vault.catalog);
  if (restored !== undefined) {
    const { facts, digest } = restored.manifest;
    const { snapshot, backupId, madeAt, log } = facts;
    const details = { madeAt, restoredAt: restored.restoredAt, logSize: log.size, root: log.root };
    event({ action: 'vault.restore', objects: [backup(restored)], outcome: 'ok', details });
    stores.backups.adopt({
      id: backupId,
      by: stores.log.entry(log.announced).actor,
      at: madeAt,
      snapshot,
      logSize: log.size,
      digest,
    });
  }
  const interrupted = stores.runs.running();
  // The files go first: nobody looks for those of a run that is closed. What can go on keeps them.
  for (const run of interrupted) removeUnfinished(run);
  stores.runs.closeInterrupted(found.at);
  step('sign-in: interrupted runs closed');
  const { rotated } = stores.vault;
  const { rolledBack, swept, quarantined } = repaired;
  const unkept = keptByNoRun(stores);
  for (const runId of unkept) stores.keptData.takeBack(runId);
  const settled = interrupted.length + rotated.length + unkept.length;
  if (settled + rolledBack + swept + quarantined > 0) {
    event({
      action: 'vault.repair',
      objects: [],
      outcome: 'ok',
      details: {
        ...repaired,
        interruptedRuns: interrupted.length,
        ...(rotated.length === 0 ? {} : { rotated }),
        ...(unkept.length === 0 ? {} : { keptDataTakenBack: unkept.length }),
      },
    });
  }
}

/** The backup that a vault was restored from was announced in its log, and was complete only after the log was copied. */
function madeBy(restored: RestoredFrom): ReadonlyMap<number, ActFacts> {
  const { announced } = restored.manifest.facts.log;
  return new Map([
    [announced, { objects: [backup(restored)], details: { state: 'complete', restored: true } }],
  ]);
}

function backup({ manifest }: RestoredFrom): LogEntry['objects'][number] {
  return { type: 'backup', id: String(manifest.facts.snapshot), digest: manifest.digest };
}

/** Data is kept before its run is recorded as done, so a kill between the two leaves some that belongs to no result. */
function keptByNoRun({ runs, keptData }: OpenStores): string[] {
  return keptData.begun().filter((runId) => !runs.isDone(runId));
}

/** The backup that this vault was restored from. Undefined when a sign-in has written it down already, or when no backup of this vault says so. */
export async function restoredFrom({
  vault,
  log,
  backups,
}: OpenStores): Promise<RestoredFrom | undefined> {
  const mark = await readRestoredMark(vault.dir, log.head().verifierKey);
  if (mark === undefined || mark === 'forged') return undefined;
  const known = backups.find(mark.manifest.facts.backupId);
  return known?.state === 'complete' ? undefined : mark;
}
