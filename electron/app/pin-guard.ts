/**
 * Holds the vault against the pin that this computer keeps of it: checked at sign-in before anything is written, moved on after
 * every act and at a seal. A vault that is older than its pin is only looked at until an administrator accepts it.
 */
import { AppError } from '#shared/errors.ts';
import type { VaultStatus } from '#shared/contract/vault.ts';
import type { Check } from '#domain/audit/index.ts';
import { compareWithKept } from '#domain/audit/index.ts';
import { createPins, type Pin, type RestoredFrom } from '#domain/custody/index.ts';
import { isInside } from '#platform/paths.ts';
import type { OpenStores } from './open-state.ts';

export interface RolledBack {
  /** What every act is refused with. */
  readonly refusal: AppError;
  readonly kept: { readonly size: number; readonly root: string };
  readonly found: { readonly size: number; readonly root: string };
  /** When the backup was made that the vault was restored from; undefined for any other way back. */
  readonly restoredFrom: string | undefined;
}

export interface PinGuard {
  /** Before a sign-in writes anything. Undefined when log and pin agree, and when there is no pin. */
  check(stores: OpenStores, restored: RestoredFrom | undefined): RolledBack | undefined;
  /** The pin follows the log. A pin that cannot be written stops nothing; `state` says so. */
  keep(stores: OpenStores, how: 'durable' | 'quick'): void;
  /** The vault is sealed: what its sign-in found counts no longer. */
  forget(): void;
  /** The checkpoint to verify the log with, when there is one. */
  text(vaultId: string): string | undefined;
  state(vaultId: string | undefined): NonNullable<VaultStatus['pin']>;
  /** For `doctor`. */
  describe(vaultId: string | undefined): Check;
}

export function createPinGuard(dir: string | undefined, vaultDir: string): PinGuard {
  const pins = dir === undefined || isInside(dir, vaultDir) ? undefined : createPins(dir);
  /** What was found at the last sign-in: the pin that is written then must not hide it. */
  let found: Pin['state'] | undefined;
  let isWritable = true;

  function state(vaultId: string | undefined): NonNullable<VaultStatus['pin']> {
    if (pins === undefined) return { state: 'off', size: null };
    if (vaultId === undefined) return { state: 'missing', size: null };
    const pin = pins.read(vaultId);
    if (!isWritable) return { state: 'unreadable', size: null };
    return { state: found ?? pin.state, size: pin.state === 'kept' ? pin.size : null };
  }

  return {
    check({ vault, log }, restored) {
      const pin = pins?.read(vault.id);
      found = pin?.state;
      if (pin?.state !== 'kept') return undefined;
      const head = log.head();
      const standing = compareWithKept(vault.audit, pin.text, head.verifierKey);
      if (standing === 'extends') return undefined;
      const restoredFrom = restored?.manifest.facts.madeAt;
      return {
        // Who restores a backup has done nothing wrong, and nobody else has done anything.
        refusal: new AppError(
          restoredFrom === undefined ? 'tampered' : 'conflict',
          refusalText(standing, { pin, head, restoredFrom }),
        ),
        kept: { size: pin.size, root: pin.root },
        found: { size: head.size, root: head.root },
        restoredFrom,
      };
    },

    keep({ vault, log }, how) {
      if (pins === undefined || log.damaged) return;
      try {
        pins.write(vault.id, log.head().checkpoint, how);
        isWritable = true;
      } catch {
        isWritable = false; // said by `state` and `doctor`
      }
    },

    forget() {
      found = undefined;
    },

    text(vaultId) {
      const pin = pins?.read(vaultId);
      return pin?.state === 'kept' ? pin.text : undefined;
    },

    state,

    describe(vaultId) {
      const pin = state(vaultId);
      const place = pins?.dir ?? '';
      const detail = {
        kept: `The newest checkpoint of the vault, over ${pin.size} entries, is kept in ${place}.`,
        missing: `No checkpoint of this vault was kept in ${place} before it was opened: an older copy put in its place would not be noticed.`,
        unreadable: `The checkpoint in ${place} cannot be read or written: an older copy of the vault would not be noticed.`,
        off: 'No checkpoints are kept outside the vault: the place for them is the vault itself, or none.',
      }[pin.state];
      return { name: 'pins', ok: pin.state !== 'unreadable', detail };
    },
  };
}

function refusalText(
  standing: 'shorter' | 'different',
  {
    pin,
    head,
    restoredFrom,
  }: {
    readonly pin: { readonly size: number };
    readonly head: { readonly size: number };
    readonly restoredFrom: string | undefined;
  },
): string {
  const what =
    restoredFrom !== undefined
      ? `This vault was restored from the backup of ${minuteOf(restoredFrom)}: its log has ${head.size} entries, and this computer has seen ${pin.size}.`
      : standing === 'shorter'
        ? `This vault is an older copy: its log has ${head.size} entries, and this computer has seen ${pin.size}.`
        : `The log of this vault, of ${head.size} entries, is not the one that this computer has seen ${pin.size} entries of.`;
  return `${what} It can be read, verified and reported on. Nothing is changed in it until an administrator accepts it with a reason.`;
}

/** `2031-05-01 14:00 UTC`: people read it, in a window or a terminal. */
function minuteOf(time: string): string {
  return `${time.slice(0, 16).replace('T', ' ')} UTC`;
}
