/** What a sign-in writes: failed tries, outcomes that a killed program owes, the sign-in itself, and what was repaired. */
import { rmSync } from 'node:fs';
import type { User } from '#shared/contract/users.ts';
import type { NewEntry } from '#domain/audit/index.ts';
import { partPathsOf } from '#domain/inference/index.ts';
import type { OpenStores } from './open-state.ts';
import { settleInterrupted } from './unfinished-acts.ts';

export function recordSignIn(
  who: {
    readonly stores: OpenStores;
    readonly actor: Pick<NewEntry, 'actor' | 'role' | 'session'>;
    readonly user: User;
    readonly failedAttempts: number;
  },
  found: {
    readonly repaired: {
      readonly rolledBack: number;
      readonly swept: number;
      readonly quarantined: number;
    };
    readonly at: string;
  },
): void {
  const { stores, actor, user, failedAttempts } = who;
  const { repaired } = found;
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
  settleInterrupted(stores, user.name);
  event({ action: 'vault.sign-in', objects: [{ type: 'user', id: user.name }], outcome: 'ok' });
  const interrupted = stores.runs.closeInterrupted(found.at);
  for (const run of interrupted)
    for (const part of partPathsOf(run.outputPath, run.runId)) rmSync(part, { force: true });
  const { rotated } = stores.vault;
  const { rolledBack, swept, quarantined } = repaired;
  if (interrupted.length + rolledBack + swept + quarantined + rotated.length > 0) {
    event({
      action: 'vault.repair',
      objects: [],
      outcome: 'ok',
      details: {
        ...repaired,
        interruptedRuns: interrupted.length,
        ...(rotated.length === 0 ? {} : { rotated }),
      },
    });
  }
}
