/** What the holder of the recovery key may do: become an administrator with a new password. The log announces and reports it. */
import { randomBytes } from 'node:crypto';
import { AppError } from '#shared/errors.ts';
import type { User } from '#shared/contract/users.ts';
import type { OpenStores } from './open-state.ts';
import type { RolledBack } from './pin-guard.ts';
import { rememberAct, settleInterrupted } from './unfinished-acts.ts';

export async function recoverAccess(
  stores: OpenStores,
  rolledBack: RolledBack | undefined,
  {
    user,
    newPassword,
    reason,
  }: { readonly user: string; readonly newPassword: string; readonly reason: string },
): Promise<User> {
  const { log, users, vault } = stores;
  if (log.damaged)
    throw new AppError(
      'tampered',
      'The log was changed by something other than Strongroom, so nothing may be changed in this vault. Sign in with a password to verify it, or restore the vault from a copy.',
    );
  if (rolledBack !== undefined)
    throw new AppError(
      rolledBack.refusal.code,
      `${rolledBack.refusal.message} Where no administrator can sign in to accept it, name another folder for the pins, and recover then.`,
    );
  settleInterrupted(stores, user);
  const act = {
    actor: user,
    role: 'administrator',
    session: randomBytes(8).toString('hex'),
    action: 'vault.recover' as const,
  };
  const subject = [{ type: 'user' as const, id: user }];
  const { index } = log.append({ ...act, phase: 'begin', objects: subject, reason });
  const previous = users.find(user);
  const facts = {
    objects: [{ type: 'user' as const, id: previous?.name ?? user }],
    details: { role: act.role, before: previous?.role ?? null },
  };
  const recovered = await users.recover(user, newPassword, (change, row) =>
    rememberAct(vault.catalog, index, { ...facts, change, user: row }),
  );
  log.append({ ...act, ...facts, phase: 'outcome', of: index, outcome: 'ok' });
  return recovered;
}
