/** Unlocking with the keychain of the computer: for oneself, with the password once, and off until then. */
import { AppError } from '#shared/errors.ts';
import type { InputOf, ResultOf } from '#shared/rpc.ts';
import type { keys } from '#shared/contract/keys.ts';
import type { Keychain } from '#platform/keychain.ts';
import type { Check } from '#domain/audit/index.ts';
import type { CallContext } from './handler.ts';
import type { Sessions } from './sessions.ts';

export async function keychainState(
  { open }: CallContext,
  keychain: Keychain,
): Promise<ResultOf<typeof keys.keychain>> {
  const { vault, session } = open();
  const { ok, reason } = await keychain.available();
  return { available: ok, reason, enabled: vault.slots.hasKeychain(session.user) };
}

export async function setKeychain(
  context: CallContext,
  { enabled, password }: InputOf<typeof keys.setKeychain>,
  deps: { readonly keychain: Keychain; readonly sessions: Sessions },
): Promise<ResultOf<typeof keys.keychain>> {
  const { keychain, sessions } = deps;
  const { vault, session } = context.open();
  context.note({ objects: [{ type: 'user', id: session.user }], details: { enabled } });
  const settled = (change: string): void => context.settleSlot({ change });
  const { ok, reason } = await keychain.available();
  if (enabled && !ok) throw new AppError('unavailable', reason);
  await sessions.checkPassword(session.user, password);
  if (enabled) await vault.slots.addKeychain(session.user, keychain, settled);
  else await vault.slots.removeKeychain(session.user, keychain, settled);
  return keychainState(context, keychain);
}

/** What `doctor` says. A host without a keychain is no fault. */
export async function describeKeychain(keychain: Keychain): Promise<Check> {
  return { name: 'keychain', ok: true, detail: (await keychain.available()).reason };
}
