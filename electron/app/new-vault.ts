/** A vault that comes into being: keys, policy, first administrator and the first entry of the log, or nothing. */
import type { PolicyState } from '#shared/contract/policy.ts';
import type { Clock } from '#platform/clock.ts';
import { step } from '#platform/steps.ts';
import { createVault, type KdfChoice, type OpenVault } from '#domain/vault/index.ts';
import { createOpenStores, vaultSchema } from './open-state.ts';
import { rememberSize } from './seen-log.ts';

export interface NewVault {
  readonly user: string;
  readonly password: string;
  readonly profile: 'standard' | 'fips';
  readonly policy: PolicyState['name'];
  readonly recoveryShares?: { readonly threshold: number; readonly shares: number } | undefined;
}

/** `session` is the id of the one that begins with it. */
export function makeVault(
  { user, password, profile, policy, recoveryShares }: NewVault,
  deps: {
    readonly dir: string;
    readonly clock: Clock;
    readonly host: string;
    readonly kdf: KdfChoice | undefined;
    readonly session: string;
  },
): Promise<{ readonly vault: OpenVault; readonly recoveryKey: string }> {
  const { dir, clock, kdf, session } = deps;
  const fill = (vault: OpenVault): void => {
    const stores = createOpenStores(vault, deps);
    stores.policy.start(policy);
    step('init: policy written');
    const { name, role } = stores.users.addFirst(user, vault.slotId);
    step('init: first user written');
    stores.log.append({
      actor: name,
      role,
      session,
      phase: 'event',
      action: 'vault.create',
      objects: [
        { type: 'vault', id: vault.id },
        { type: 'user', id: user },
      ],
      outcome: 'ok',
      details: { profile, policy, ...(recoveryShares === undefined ? {} : { recoveryShares }) },
    });
    rememberSize(vault, stores.log.head().size);
  };
  return createVault({
    dir,
    user,
    password,
    profile,
    clock,
    recoveryShares,
    schema: vaultSchema,
    fill,
    ...(kdf === undefined ? {} : { kdf }),
  });
}
