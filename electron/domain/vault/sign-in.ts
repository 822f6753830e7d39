/** Trying passwords, and managing the slots of a vault that is open. The one place where failures are counted. */
import { randomBytes } from 'node:crypto';
import { AppError } from '#shared/errors.ts';
import type { Role } from '#shared/roles.ts';
import type { Clock } from '#platform/clock.ts';
import { createQueue } from '#platform/queue.ts';
import { createAttempts, type Attempts } from './attempts.ts';
import { passwordToKey } from './kdf.ts';
import { destroyKeys, purposesByRole, type RootKeys } from './purposes.ts';
import { createRecovery, type Split } from './recovery-shares.ts';
import {
  changePassword,
  createPasswordSlot,
  openPasswordSlot,
  resealSlot,
  slotTag,
  type OpenedKeys,
} from './slots.ts';
import type { HeldVaultFile, PasswordSlot, VaultFile } from './vault-file.ts';

export interface VaultSlots {
  /** Makes a slot for the name, in place of one that the name may have. Returns the slot's id. */
  add(slot: {
    readonly user: string;
    readonly password: string;
    readonly role: Role;
  }): Promise<string>;
  remove(slotId: string): Promise<void>;
  setRole(slotId: string, role: Role): Promise<void>;
  setPassword(slotId: string, password: string): Promise<void>;
  /** A new recovery key in place of the old one: as text, the key or its shares, one on a line. */
  renewRecovery(split: Split | undefined): Promise<string>;
  /** Throws `wrong-password` or `locked`; counts failures as sign-in does. */
  check(user: string, password: string): Promise<void>;
}

export function createSlots(deps: {
  readonly dir: string;
  readonly clock: Clock;
  readonly keys: RootKeys;
  readonly held: HeldVaultFile;
}): VaultSlots {
  const { dir, keys, held } = deps;
  // Tries at the same time must not count as one.
  const inTurn = createQueue();

  function passwordSlot(slotId: string): PasswordSlot {
    const found = held.file().slots.find((slot) => slot.id === slotId);
    if (found?.kind !== 'password')
      throw new AppError('not-found', 'The vault has no such key slot.');
    return found;
  }

  return {
    async add({ user, password, role }) {
      const file = held.file();
      const slot = await createPasswordSlot(file, {
        user,
        password,
        kdf: file.kdf,
        keys,
        holds: purposesByRole[role],
      });
      const tag = slotTag(file, user);
      await held.change((latest) => ({
        slots: [
          ...latest.slots.filter((other) => other.kind === 'recovery' || other.tag !== tag),
          slot,
        ],
      }));
      await createAttempts(dir, deps.clock).forgive(tag);
      return slot.id;
    },
    async remove(slotId) {
      const leaving = held.file().slots.find(({ id }) => id === slotId);
      // Replaced already, by `add`.
      if (leaving === undefined) return;
      const tag = leaving.kind === 'recovery' ? undefined : leaving.tag;
      // The keychain slot of the same person goes with it.
      await held.change(({ slots }) => ({
        slots: slots.filter(
          (slot) => slot.id !== slotId && (slot.kind === 'recovery' || slot.tag !== tag),
        ),
      }));
    },
    async setRole(slotId, role) {
      const { tag } = passwordSlot(slotId);
      await held.change((file) => ({
        slots: file.slots.map((slot) =>
          slot.kind === 'recovery' || slot.tag !== tag
            ? slot
            : resealSlot(file, slot, keys, purposesByRole[role]),
        ),
      }));
    },
    async setPassword(slotId, password) {
      const slot = passwordSlot(slotId);
      const file = held.file();
      const changed = await changePassword(file, slot, { password, kdf: file.kdf, keys });
      await held.change(({ slots }) => ({
        slots: slots.map((other) => (other.id === slotId ? changed : other)),
      }));
      await createAttempts(dir, deps.clock).forgive(slot.tag);
    },
    async renewRecovery(split) {
      const { slot, text } = createRecovery(held.file(), keys, split);
      await held.change(({ slots }) => ({
        slots: [...slots.filter(({ kind }) => kind !== 'recovery'), slot],
      }));
      return text;
    },
    check: (user, password) =>
      inTurn(async () => {
        const file = held.file();
        const attempts = createAttempts(dir, deps.clock);
        const { opened } = await tryPassword({ file, attempts, user, password });
        destroyKeys(opened.keys);
        destroyKeys(opened.next);
        await attempts.forgive(slotTag(file, user));
      }),
  };
}

interface Try {
  readonly file: VaultFile;
  readonly attempts: Attempts;
  readonly user: string;
  readonly password: string;
}

interface Opened {
  readonly slot: PasswordSlot;
  readonly opened: OpenedKeys;
}

/** A sign-in; takes along how many wrong tries the log does not know of yet. */
export async function unlock(entry: Try): Promise<Opened & { readonly failedAttempts: number }> {
  const found = await tryPassword(entry);
  const tag = slotTag(entry.file, entry.user);
  return { ...found, failedAttempts: await entry.attempts.succeeded(tag) };
}

/** The one place that tries a password. An unknown name costs and says the same as a wrong password. */
async function tryPassword(entry: Try): Promise<Opened> {
  const { file, attempts, password } = entry;
  const tag = slotTag(file, entry.user);
  await attempts.refuseIfBlocked(tag);
  const slot = file.slots.find(
    (candidate): candidate is PasswordSlot =>
      candidate.kind === 'password' && candidate.tag === tag,
  );
  const opened = slot === undefined ? undefined : await openPasswordSlot(file, slot, password);
  if (slot === undefined) await passwordToKey(password, file.kdf, randomBytes(16));
  if (slot === undefined || opened === undefined) {
    await attempts.failed(tag);
    throw new AppError('wrong-password', 'The name or the password is not right.');
  }
  return { slot, opened };
}
