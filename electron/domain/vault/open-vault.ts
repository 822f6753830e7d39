/**
 * A vault that is open: its databases, objects and key slots under the keys that a slot gave. Objects and catalog are brought into
 * agreement, and a rotation that was cut off is finished. What fails on the way closes everything again and destroys the keys.
 */
import type { Clock } from '#platform/clock.ts';
import { migrate, requireSound, requireUnused, type Database } from '#platform/database.ts';
import type { Lock } from '#platform/lock.ts';
import { createAttempts } from './attempts.ts';
import { createDataKeys, type DataKeys } from './data-keys.ts';
import {
  createObjectStore,
  recoverObjects,
  type ObjectStore,
  type RecoveryReport,
} from './objects.ts';
import { destroyKeys, vaultFileKey, type Purpose } from './purposes.ts';
import {
  finishRotation,
  offerKeys,
  openMoved,
  pendingPurposes,
  type DatabaseName,
} from './rotation.ts';
import { createSlots, type VaultSlots } from './sign-in.ts';
import type { OpenedKeys } from './slots.ts';
import { holdVaultFile, type VaultFile } from './vault-file.ts';
import { sweepLeftovers } from './vault-folder.ts';

/** Migration steps of the three databases, in order; the vault's own come first in `catalog`. */
export interface VaultSchema {
  readonly catalog: readonly string[];
  readonly audit: readonly string[];
  readonly records: readonly string[];
  /** What a rotation renews inside of `audit.db` beside the key that encrypts it: the signing key of the log. */
  readonly renewAudit?: (
    audit: Database,
    vault: Pick<VaultFile, 'vaultId' | 'profile'> & { readonly clock: Clock },
  ) => void;
}

export interface OpenVault {
  readonly id: string;
  readonly dir: string;
  readonly profile: VaultFile['profile'];
  /** The slot that opened the vault. */
  readonly slotId: string;
  /** Wrong passwords, of anybody, that no log entry mentions yet. */
  readonly failedAttempts: number;
  /** Those are in the log now, and will not be told again. */
  attemptsReported(): Promise<void>;
  readonly recovery: RecoveryReport;
  readonly catalog: Database;
  readonly audit: Database;
  readonly records: Database;
  readonly objects: ObjectStore;
  readonly dataKeys: DataKeys;
  readonly slots: VaultSlots;
  /** Purposes whose rotation had been cut off and was finished by this opening. */
  readonly rotated: readonly Purpose[];
  /** Generation of each purpose key that the vault has, or is on the way to. */
  epochs(): Readonly<Record<Purpose, number>>;
  /**
   * New keys for these purposes: offers them to every slot, closes this vault and resolves with the one that takes its place.
   * `prepared` is called with what the epochs will be, before anything is changed. Throws `busy` before that; after any other
   * error the vault is closed or must be, and the next opening finishes what was begun.
   */
  rotate(
    asked: readonly Purpose[],
    prepared: (epochs: Readonly<Record<Purpose, number>>) => void,
  ): Promise<OpenVault>;
  holds(purpose: Purpose): boolean;
  /** Seals: closes the databases, destroys the keys, frees the lock. */
  close(): void;
}

export interface OpeningContext {
  readonly dir: string;
  readonly clock: Clock;
  readonly schema: VaultSchema;
}

export async function openDatabases(
  { dir, clock, schema }: OpeningContext,
  found: {
    readonly file: VaultFile;
    readonly opened: OpenedKeys;
    readonly lock: Lock;
    readonly slotId: string;
    readonly failedAttempts: number;
    readonly place: 'new' | 'existing';
  },
): Promise<OpenVault> {
  const { place, slotId, opened } = found;
  const { next } = opened;
  const keys = { ...opened.keys };
  const open: Database[] = [];
  const closeDatabases = (): void => {
    for (const db of open) db.close();
  };
  const closeAll = (): void => {
    closeDatabases();
    destroyKeys(keys);
    destroyKeys(next);
  };
  async function database(name: DatabaseName): Promise<Database> {
    const renew = (copy: Database): void => {
      if (name === 'audit') schema.renewAudit?.(copy, { ...found.file, clock });
    };
    const db = await openMoved(dir, name, { keys, next, place, renew });
    open.push(db);
    migrate(db, schema[name], place);
    return db;
  }
  return closingOnFailure([closeAll], async () => {
    const databases = {
      catalog: await database('catalog'),
      audit: await database('audit'),
      records: await database('records'),
    };
    if (place === 'existing') sweepLeftovers(dir);
    const held = holdVaultFile(dir, found.file, () => vaultFileKey(keys));
    const recovery = await recoverObjects(dir, databases.catalog);
    const objects = createObjectStore({
      dir,
      vaultId: found.file.vaultId,
      catalog: databases.catalog,
      modelsKey: keys.models,
      epoch: found.file.epochs.models,
      clock,
    });
    const dataKeys = createDataKeys({
      catalog: databases.catalog,
      modelsKey: keys.models,
      epoch: found.file.epochs.models,
    });
    const rotated = await finishRotation({ held, keys, next, objects, dataKeys });
    return {
      id: found.file.vaultId,
      dir,
      profile: found.file.profile,
      slotId,
      failedAttempts: found.failedAttempts,
      attemptsReported: () => createAttempts(dir, clock).reported(),
      recovery,
      ...databases,
      objects,
      dataKeys,
      slots: createSlots({ dir, clock, keys, held }),
      rotated,
      epochs: () => epochsWith(held.file(), pendingPurposes(held.file())),
      async rotate(asked, prepared) {
        for (const db of open) requireUnused(db);
        // A page that nobody can read would stop the rotation in its middle, and with it every sign-in.
        for (const db of open) requireSound(db);
        prepared(epochsWith(held.file(), asked));
        const offered = await offerKeys(held, asked);
        objects.close();
        dataKeys.close();
        closeDatabases();
        return closingOnFailure([() => found.lock.release()], () =>
          openDatabases(
            { dir, clock, schema },
            { ...found, file: held.file(), opened: { keys, next: offered }, place: 'existing' },
          ),
        );
      },
      holds: (purpose) => keys[purpose] !== undefined,
      close() {
        objects.close();
        dataKeys.close();
        closeAll();
        found.lock.release();
      },
    };
  });
}

function epochsWith(file: VaultFile, moving: readonly Purpose[]): Record<Purpose, number> {
  const epochs = { ...file.epochs };
  for (const purpose of moving) epochs[purpose] += 1;
  return epochs;
}

/** Cleans up, in this order, when the work fails. */
export async function closingOnFailure<T>(
  cleanUp: readonly (() => void)[],
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    for (const step of cleanUp) step();
    throw error;
  }
}
