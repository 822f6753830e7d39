/** Trying passwords, and managing the slots of a vault that is open. The one place where failures are counted. */
import { randomBytes } from 'node:crypto';
import { AppError } from '#shared/errors.ts';
import type { Role } from '#shared/roles.ts';
import type { Clock } from '#platform/clock.ts';
import type { Keychain } from '#platform/keychain.ts';
import { createQueue } from '#platform/queue.ts';
import { step } from '#platform/steps.ts';
import { createAttempts, type Attempts } from './attempts.ts';
import { passwordToKey } from './kdf.ts';
import { destroyKeys, purposesByRole, type RootKeys } from './purposes.ts';
import { createRecovery, type Split } from './recovery-shares.ts';
import {
  changePassword,
  createKeychainSlot,
  createPasswordSlot,
  openKeychainSlot,
  openPasswordSlot,
  resealSlot,
  heldBy,
  slotTag,
  type OpenedKeys,
} from './slots.ts';
import type { HeldVaultFile, PasswordSlot, Slot, VaultFile } from './vault-file.ts';

/**
 * Called when a change is ready and before it is in `vault.json`. `change` says what it will be, for `hasHappened`; whoever
 * writes it down can tell after a kill whether it came to pass.
 */
export type BeforeChange = (change: string, slotId: string) => void;

export interface VaultSlots {
  /** Makes a slot for the name, in place of one that the name may have. Returns the slot's id. */
  add(
    slot: { readonly user: string; readonly password: string; readonly role: Role },
    before?: BeforeChange,
  ): Promise<string>;
  remove(slotId: string, before?: BeforeChange): Promise<void>;
  setRole(slotId: string, role: Role, before?: BeforeChange): Promise<void>;
  setPassword(slotId: string, password: string, before?: BeforeChange): Promise<void>;
  hasKeychain(user: string): boolean;
  /** A second way in for the person, with a secret that the keychain alone keeps. */
  addKeychain(
    user: string,
    keychain: Pick<Keychain, 'store'>,
    before?: BeforeChange,
  ): Promise<void>;
  removeKeychain(
    user: string,
    keychain: Pick<Keychain, 'remove'>,
    before?: BeforeChange,
  ): Promise<void>;
  /** A new recovery key in place of the old one: as text, the key or its shares, one on a line. */
  renewRecovery(split: Split | undefined, before?: BeforeChange): Promise<string>;
  hasHappened(change: string): boolean;
  /** Throws `wrong-password` or `locked`; counts failures as sign-in does. */
  check(user: string, password: string): Promise<void>;
}

/** A new slot or password has a new key pair, another role other keys; a rotation changes neither. */
function changeTo(slot: Slot): string {
  return `${slot.id} ${slot.publicKey} ${heldBy(slot).join()}`;
}

function removalOf(slotId: string): string {
  return `${slotId} removed`;
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

  /** What has changed stands, whatever becomes of the count: a name that is blocked is free again after a while. */
  const forgive = (tag: string): Promise<void> =>
    createAttempts(dir, deps.clock)
      .forgive(tag)
      .catch(() => undefined);

  function passwordSlot(slotId: string): PasswordSlot {
    const found = held.file().slots.find((slot) => slot.id === slotId);
    if (found?.kind !== 'password')
      throw new AppError('not-found', 'The vault has no such key slot.');
    return found;
  }

  return {
    async add({ user, password, role }, before) {
      const file = held.file();
      const slot = await createPasswordSlot(file, {
        user,
        password,
        kdf: file.kdf,
        keys,
        holds: purposesByRole[role],
      });
      const tag = slotTag(file, user);
      before?.(changeTo(slot), slot.id);
      await held.change((latest) => ({
        slots: [
          ...latest.slots.filter((other) => other.kind === 'recovery' || other.tag !== tag),
          slot,
        ],
      }));
      await forgive(tag);
      return slot.id;
    },
    async remove(slotId, before) {
      const leaving = held.file().slots.find(({ id }) => id === slotId);
      // Replaced already, by `add`.
      if (leaving === undefined) return;
      const tag = leaving.kind === 'recovery' ? undefined : leaving.tag;
      before?.(removalOf(slotId), slotId);
      // The keychain slot of the same person goes with it.
      await held.change(({ slots }) => ({
        slots: slots.filter(
          (slot) => slot.id !== slotId && (slot.kind === 'recovery' || slot.tag !== tag),
        ),
      }));
    },
    async setRole(slotId, role, before) {
      const slot = passwordSlot(slotId);
      const { tag } = slot;
      before?.(changeTo(resealSlot(held.file(), slot, keys, purposesByRole[role])), slotId);
      await held.change((file) => ({
        slots: file.slots.map((slot) =>
          slot.kind === 'recovery' || slot.tag !== tag
            ? slot
            : resealSlot(file, slot, keys, purposesByRole[role]),
        ),
      }));
    },
    async setPassword(slotId, password, before) {
      const slot = passwordSlot(slotId);
      const file = held.file();
      const changed = await changePassword(file, slot, { password, kdf: file.kdf, keys });
      before?.(changeTo(changed), slotId);
      // Whoever could use the keychain of a computer must show the new password once more.
      await held.change(({ slots }) => ({
        slots: slots
          .filter((other) => other.kind !== 'keychain' || other.tag !== slot.tag)
          .map((other) => (other.id === slotId ? changed : other)),
      }));
      await forgive(slot.tag);
    },
    hasKeychain: (user) => keychainSlots(held.file(), slotTag(held.file(), user)).length > 0,
    async addKeychain(user, keychain, before) {
      const file = held.file();
      const tag = slotTag(file, user);
      const password = file.slots.find(
        (slot): slot is PasswordSlot => slot.kind === 'password' && slot.tag === tag,
      );
      if (password === undefined)
        throw new AppError('not-found', 'The vault has no such key slot.');
      const secret = randomBytes(32);
      const slot = createKeychainSlot(file, secret, { password, keys });
      await keychain.store(slot.id, secret).finally(() => secret.fill(0));
      step('keychain: secret stored');
      before?.(changeTo(slot), slot.id);
      await held.change(({ slots }) => ({
        slots: [...slots.filter((other) => other.kind !== 'keychain' || other.tag !== tag), slot],
      }));
    },
    async removeKeychain(user, keychain, before) {
      const tag = slotTag(held.file(), user);
      const leaving = keychainSlots(held.file(), tag);
      for (const { id } of leaving) before?.(removalOf(id), id);
      await held.change(({ slots }) => ({
        slots: slots.filter((slot) => slot.kind !== 'keychain' || slot.tag !== tag),
      }));
      step('keychain: slot removed');
      for (const { id } of leaving) await keychain.remove(id);
    },
    async renewRecovery(split, before) {
      const { slot, text } = createRecovery(held.file(), keys, split);
      before?.(changeTo(slot), slot.id);
      await held.change(({ slots }) => ({
        slots: [...slots.filter(({ kind }) => kind !== 'recovery'), slot],
      }));
      return text;
    },
    hasHappened: (change) => {
      const { slots } = held.file();
      const id = change.slice(0, change.indexOf(' '));
      const slot = slots.find((candidate) => candidate.id === id);
      return change === (slot === undefined ? removalOf(id) : changeTo(slot));
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

/** Opens with what the keychain of this computer has. An unknown name says the same as one without a keychain slot. */
export async function unlockWithKeychain(entry: {
  readonly file: VaultFile;
  readonly attempts: Attempts;
  readonly user: string;
  readonly keychain: Pick<Keychain, 'load'>;
}): Promise<Opened & { readonly failedAttempts: number }> {
  const { file, attempts, keychain } = entry;
  const tag = slotTag(file, entry.user);
  const password = file.slots.find(
    (slot): slot is PasswordSlot => slot.kind === 'password' && slot.tag === tag,
  );
  for (const slot of keychainSlots(file, tag)) {
    const secret = await keychain.load(slot.id);
    const opened = secret === undefined ? undefined : openKeychainSlot(file, slot, secret);
    secret?.fill(0);
    if (opened !== undefined && password !== undefined)
      return { slot: password, opened, failedAttempts: await attempts.succeeded(tag) };
  }
  throw new AppError(
    'wrong-password',
    'The keychain of this computer does not open the vault for this name. Sign in with the password.',
  );
}

function keychainSlots(file: VaultFile, tag: string): Slot[] {
  return file.slots.filter((slot) => slot.kind === 'keychain' && slot.tag === tag);
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
