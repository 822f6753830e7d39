/** What anybody may be told of the vault: the parts that need no key, and of an open one who is signed in and where the log stands. */
import type { Session, VaultStatus } from '#shared/contract/vault.ts';
import type { Keychain } from '#platform/keychain.ts';
import { minimumPasswordLength } from '#domain/identity/index.ts';
import { readVaultInfo } from '#domain/vault/index.ts';
import type { OpenVaultState } from './open-state.ts';
import type { PinGuard, RolledBack } from './pin-guard.ts';

/** What the window shows of a log that was changed elsewhere; it stands as broken beside it. */
const unreadableHead = { size: 0, root: '' };

export async function vaultStatus(
  state: OpenVaultState | undefined,
  known: {
    readonly dir: string;
    readonly pins: PinGuard;
    readonly keychain: Keychain;
    readonly sealedBecause: VaultStatus['sealedBecause'];
    readonly lastVerified: NonNullable<VaultStatus['log']>['lastVerified'];
  },
): Promise<VaultStatus> {
  const { dir, pins, keychain, sealedBecause, lastVerified } = known;
  // Before anything is waited for: a seal closes the log.
  const head =
    state === undefined ? undefined : state.log.damaged ? unreadableHead : state.log.head();
  const info = await readVaultInfo(dir);
  return {
    state: state !== undefined ? 'open' : info === undefined ? 'absent' : 'sealed',
    path: dir,
    vaultId: info?.vaultId ?? null,
    profile: info?.profile ?? null,
    formatVersion: info?.formatVersion ?? null,
    session: state === undefined ? null : withoutId(state.session),
    log: head === undefined ? null : { size: head.size, root: head.root, lastVerified },
    sealedBecause,
    pin: info === undefined ? null : pins.state(info.vaultId),
    rolledBack: state?.rolledBack === undefined ? null : rolledBackToWire(state.rolledBack),
    keychain: info?.hasKeychain === true && (await keychain.available()).ok,
    passwordPolicy: { minLength: minimumPasswordLength },
  };
}

function rolledBackToWire({
  refusal,
  kept,
  found,
  restoredFrom,
}: RolledBack): NonNullable<VaultStatus['rolledBack']> {
  return {
    message: refusal.message,
    keptSize: kept.size,
    foundSize: found.size,
    restoredFrom: restoredFrom ?? null,
  };
}

function withoutId({ id: _id, ...session }: OpenVaultState['session']): Session {
  return session;
}
