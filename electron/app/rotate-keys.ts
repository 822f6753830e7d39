/** Rotation as an act: what it will have done is remembered in the catalog first, so that a kill leaves no false story. */
import { AppError } from '#shared/errors.ts';
import type { InputOf, ResultOf } from '#shared/rpc.ts';
import { purpose, type keys } from '#shared/contract/keys.ts';
import type { ActFacts } from './act-facts.ts';
import type { CallContext } from './handler.ts';
import type { OpenVaultState } from './open-state.ts';
import type { Operations } from './operations.ts';
import type { Sessions } from './sessions.ts';

type Rotate = typeof keys.rotate;

export async function rotateKeys(
  { open, settle }: CallContext,
  input: InputOf<Rotate>,
  deps: { readonly sessions: Sessions; readonly operations: Operations },
): Promise<ResultOf<Rotate>> {
  open();
  if (deps.operations.running())
    throw new AppError(
      'busy',
      'Work is running that uses the keys. Nothing was changed; wait for its end, or cancel it, and try again.',
    );
  const rotated = purpose.options.filter((name) => input.purposes.includes(name));
  await deps.sessions.rotate(rotated, (epochs) => settle(rotationFacts(rotated, epochs)));
  const { vault, log } = open();
  return { rotated, epochs: { ...vault.epochs() }, verifierKey: log.head().verifierKey };
}

function rotationFacts(
  purposes: readonly string[],
  epochs: Readonly<Record<string, number>>,
): ActFacts {
  return { details: { epochs: Object.fromEntries(purposes.map((name) => [name, epochs[name]])) } };
}

/** Whether a rotation that was remembered has come to pass, or will with the next slot that holds the key. */
export function hasRotated(
  { details }: ActFacts,
  vault: Pick<OpenVaultState['vault'], 'epochs'>,
): boolean {
  const reached: Readonly<Record<string, number>> = vault.epochs();
  return Object.entries(details?.['epochs'] ?? {}).every(
    ([purpose, epoch]) => (reached[purpose] ?? 0) >= Number(epoch),
  );
}
