/** Trying passwords, and managing the slots of a vault that is open. The one place where failures are counted. */
import { randomBytes } from 'node:crypto';
import { AppError } from '#shared/errors.ts';
import type { Role } from '#shared/roles.ts';
import type { Clock } from '#platform/clock.ts';
import { createQueue } from '#platform/queue.ts';
import { createAttempts, type Attempts } from './attempts.ts';
import { passwordToKey } from './kdf.ts';
import { purposesByRole, vaultFileKey, type RootKeys } from './purposes.ts';
import {
  changePassword,
  createPasswordSlot,
  openPasswordSlot,
  resealSlot,
  slotTag,
} from './slots.ts';
import { writeVaultFile, type PasswordSlot, type VaultFile } from './vault-file.ts';

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
  /** Throws `wrong-password` or `locked`; counts failures as sign-in does. */
  check(user: string, password: string): Promise<void>;
}

export function createSlots(deps: {
  readonly dir: string;
  readonly clock: Clock;
  readonly keys: RootKeys;
  readonly file: VaultFile;
}): VaultSlots {
  const { dir, keys } = deps;
  let file = deps.file;
  // Tries at the same time must not count as one.
  const inTurn = createQueue();

  async function replaceSlots(slots: VaultFile['slots']): Promise<void> {
    const next = { ...file, slots };
    await writeVaultFile(dir, next, vaultFileKey(keys));
    file = next;
  }

  function passwordSlot(slotId: string): PasswordSlot {
    const found = file.slots.find((slot) => slot.id === slotId);
    if (found?.kind !== 'password')
      throw new AppError('not-found', 'The vault has no such key slot.');
    return found;
  }

  return {
    async add({ user, password, role }) {
      const slot = await createPasswordSlot(file, {
        user,
        password,
        kdf: file.kdf,
        keys,
        holds: purposesByRole[role],
      });
      const tag = slotTag(file, user);
      await replaceSlots([
        ...file.slots.filter((other) => other.kind !== 'password' || other.tag !== tag),
        slot,
      ]);
      await createAttempts(dir, deps.clock).forgive(tag);
      return slot.id;
    },
    async remove(slotId) {
      await replaceSlots(file.slots.filter((slot) => slot.id !== slotId));
    },
    async setRole(slotId, role) {
      const changed = resealSlot(file, passwordSlot(slotId), keys, purposesByRole[role]);
      await replaceSlots(file.slots.map((slot) => (slot.id === slotId ? changed : slot)));
    },
    async setPassword(slotId, password) {
      const slot = passwordSlot(slotId);
      const changed = await changePassword(file, slot, { password, kdf: file.kdf, keys });
      await replaceSlots(file.slots.map((other) => (other.id === slotId ? changed : other)));
      await createAttempts(dir, deps.clock).forgive(slot.tag);
    },
    check: (user, password) =>
      inTurn(async () => {
        const attempts = createAttempts(dir, deps.clock);
        const { keys: theirs } = await tryPassword({ file, attempts, user, password });
        for (const key of Object.values(theirs)) key[Symbol.dispose]();
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
  readonly keys: RootKeys;
}

/** A sign-in; takes along how many wrong tries the log does not know of yet. */
export async function unlock(entry: Try): Promise<Opened & { readonly failedAttempts: number }> {
  const opened = await tryPassword(entry);
  const tag = slotTag(entry.file, entry.user);
  return { ...opened, failedAttempts: await entry.attempts.succeeded(tag) };
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
  const keys = slot === undefined ? undefined : await openPasswordSlot(file, slot, password);
  if (slot === undefined) await passwordToKey(password, file.kdf, randomBytes(16));
  if (slot === undefined || keys === undefined) {
    await attempts.failed(tag);
    throw new AppError('wrong-password', 'The name or the password is not right.');
  }
  return { slot, keys };
}
