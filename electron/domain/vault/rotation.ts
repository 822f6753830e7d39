/**
 * Rotation of purpose keys (FORMAT.md §7). The order makes a kill harmless anywhere:
 *   1. `vault.json` offers every slot the keys of the next epoch beside the present ones. From here on it will be finished.
 *   2. Each purpose moves on its own: a database is replaced by a copy under its new key, object keys are wrapped anew in one
 *      transaction. (A change of key within the file would not survive a kill: the salt that opens the rollback journal stands
 *      on the page that is rewritten first.)
 *   3. `vault.json` drops the old keys of what has moved.
 * What else a rotation renews inside of a database (the signing key of the log) is renewed in the copy, so it moves with it.
 * Between 1 and 3 a database is under one of the two keys, so opening tries both and goes on from there. Each purpose is
 * finished by the first opening whose slot holds it; sealing needs only public keys, so nobody else has to be there.
 */
import { chmod, copyFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AppError } from '#shared/errors.ts';
import { syncDirectory, syncFile } from '#platform/atomic-file.ts';
import { foldWriteAheadLog, openDatabase, rekeyFile, type Database } from '#platform/database.ts';
import { Secret } from '#platform/secret.ts';
import { step } from '#platform/steps.ts';
import type { DataKeys } from './data-keys.ts';
import type { ObjectStore } from './objects.ts';
import {
  deriveKey,
  destroyKeys,
  purposes,
  requireKey,
  type Purpose,
  type RootKeys,
} from './purposes.ts';
import { nextEpochs, offerNextKeys } from './slots.ts';
import type { HeldVaultFile, Slot, VaultFile } from './vault-file.ts';

export type DatabaseName = Exclude<Purpose, 'models'>;

/** Purposes whose next key some slot has been offered. */
export function pendingPurposes(file: Pick<VaultFile, 'slots'>): Purpose[] {
  return purposes.filter((purpose) => file.slots.some((slot) => slot.next[purpose] !== undefined));
}

/** Step 1. The keys are kept by nobody but the slots until `finishRotation` takes them over. */
export async function offerKeys(held: HeldVaultFile, asked: readonly Purpose[]): Promise<RootKeys> {
  const next = Object.fromEntries(asked.map((purpose) => [purpose, Secret.random<Purpose>(32)]));
  try {
    await held.change((file) => ({
      slots: file.slots.map((slot) => offerNextKeys(file, slot, next)),
    }));
  } catch (error) {
    destroyKeys(next);
    throw error;
  }
  step('rotate: next keys offered to every slot');
  return next;
}

/** Opens a database; when it has a next key, it is moved there first unless a rotation that was cut off has done so. */
export async function openMoved(
  dir: string,
  name: DatabaseName,
  {
    keys,
    next,
    place,
    renew,
  }: {
    readonly keys: RootKeys;
    readonly next: RootKeys;
    readonly place: 'new' | 'existing';
    /** Changes what else is to be new in the copy, which is under its new key. */
    readonly renew: (copy: Database) => void;
  },
): Promise<Database> {
  const path = join(dir, `${name}.db`);
  const present = deriveKey(requireKey(keys, name), `${name}.db`);
  const following =
    next[name] === undefined ? undefined : deriveKey(requireKey(next, name), `${name}.db`);
  try {
    if (following === undefined) return openDatabase(path, present, place);
    await moveDatabase(path, { from: present, to: following, renew });
    return openDatabase(path, following, place);
  } finally {
    present.fill(0);
    following?.fill(0);
  }
}

/** Encrypts a copy under the other key and puts it in the place of the database. */
async function moveDatabase(
  path: string,
  {
    from,
    to,
    renew,
  }: {
    readonly from: Uint8Array;
    readonly to: Uint8Array;
    readonly renew: (copy: Database) => void;
  },
): Promise<void> {
  const copy = `${path}.next`;
  for (const suffix of ['', '-journal', '-wal', '-shm'])
    await rm(`${copy}${suffix}`, { force: true });
  try {
    foldWriteAheadLog(path, from);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'corrupt') throw error;
    // Not under its present key: then it must be under the next one, or it is damaged.
    openDatabase(path, to, 'existing').close();
    return;
  }
  await copyFile(path, copy);
  await chmod(copy, 0o600);
  rekeyFile(copy, from, to);
  // Not sooner: what is new must never have stood on the medium under the old key.
  const db = openDatabase(copy, to, 'existing');
  try {
    renew(db);
  } finally {
    db.close();
  }
  foldWriteAheadLog(copy, to);
  await syncFile(copy);
  step(`rotate: copy of ${basename(path)} is under its new key`);
  await rename(copy, path);
  await syncDirectory(dirname(path));
  step(`rotate: ${basename(path)} is replaced by the copy`);
}

/** Steps 2 (for the object keys) and 3, for every purpose that `next` has. Returns which ones. */
export async function finishRotation(rotating: {
  readonly held: HeldVaultFile;
  /** The keys in use; those of the finished purposes are replaced and destroyed. */
  readonly keys: Partial<Record<Purpose, Secret<Purpose>>>;
  readonly next: RootKeys;
  readonly objects: Pick<ObjectStore, 'rotate'>;
  readonly dataKeys: Pick<DataKeys, 'rotate'>;
}): Promise<Purpose[]> {
  const { held, keys, next, objects, dataKeys } = rotating;
  const done = purposes.filter((purpose) => next[purpose] !== undefined);
  if (done.length === 0) return [];
  if (next.models !== undefined) {
    const epoch = held.file().epochs.models + 1;
    objects.rotate(next.models, epoch);
    step('rotate: object keys are wrapped anew');
    dataKeys.rotate(next.models, epoch);
    step('rotate: keys of kept data are wrapped anew');
  }
  const old = done.map((purpose) => keys[purpose]);
  // From here on the new catalog key makes the MAC.
  Object.assign(keys, next);
  try {
    await held.change((file) => withoutOldKeys(file, done));
  } finally {
    for (const key of old) key?.[Symbol.dispose]();
  }
  step('rotate: old keys dropped');
  return done;
}

function withoutOldKeys(file: VaultFile, done: readonly Purpose[]): Partial<VaultFile> {
  const advanced = nextEpochs(file);
  const epochs = { ...file.epochs };
  for (const purpose of done) epochs[purpose] = advanced[purpose];
  return { epochs, slots: file.slots.map((slot) => moveOn(slot, done)) };
}

function moveOn(slot: Slot, done: readonly Purpose[]): Slot {
  const sealed = { ...slot.sealed };
  const next = { ...slot.next };
  for (const purpose of done) {
    const offered = next[purpose];
    if (offered !== undefined) sealed[purpose] = offered;
    delete next[purpose];
  }
  return { ...slot, sealed, next };
}
