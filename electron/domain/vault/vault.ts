/**
 * A vault on disk: created, opened by password or recovery key, closed. Opening order: lock the folder, find the slot by the
 * user's tag, pay the KDF (for an unknown name too), open the slot, check the vault file's MAC, open the databases, bring
 * objects and catalog into agreement. Anything that fails on the way closes everything again and destroys the keys.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '#shared/errors.ts';
import { syncDirectory } from '#platform/atomic-file.ts';
import type { Clock } from '#platform/clock.ts';
import { migrate, requireSound, requireUnused, type Database } from '#platform/database.ts';
import type { Keychain } from '#platform/keychain.ts';
import { acquireLock, type Lock } from '#platform/lock.ts';
import { Secret } from '#platform/secret.ts';
import { step } from '#platform/steps.ts';
import { createAttempts, type Attempts } from './attempts.ts';
import { createDataKeys, type DataKeys } from './data-keys.ts';
import { kdfByProfile, type KdfChoice } from './kdf.ts';
import {
  createObjectStore,
  recoverObjects,
  type ObjectStore,
  type RecoveryReport,
} from './objects.ts';
import { destroyKeys, purposes, purposesByRole, vaultFileKey, type Purpose } from './purposes.ts';
import { createRecovery, parseRecovery, type Split } from './recovery-shares.ts';
import {
  finishRotation,
  offerKeys,
  openMoved,
  pendingPurposes,
  type DatabaseName,
} from './rotation.ts';
import { createSlots, unlock, unlockWithKeychain, type VaultSlots } from './sign-in.ts';
import { createPasswordSlot, openRecoverySlot, type OpenedKeys } from './slots.ts';
import {
  checkVaultFile,
  holdVaultFile,
  readVaultFile,
  vaultFormatVersion,
  writeVaultFile,
  type StoredVaultFile,
  type VaultFile,
} from './vault-file.ts';

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

interface OpeningContext {
  readonly dir: string;
  readonly clock: Clock;
  readonly schema: VaultSchema;
}

export interface VaultInfo {
  readonly vaultId: string;
  readonly profile: VaultFile['profile'];
  readonly formatVersion: number;
  readonly createdAt: string;
  /** Somebody unlocks with the keychain of a computer. */
  readonly hasKeychain: boolean;
}

/** What can be told of a vault without a key; undefined where there is none. */
export async function readVaultInfo(dir: string): Promise<VaultInfo | undefined> {
  const file = await readVaultFile(dir);
  if (file === undefined) return undefined;
  const { vaultId, profile, createdAt } = file.file;
  const hasKeychain = file.file.slots.some(({ kind }) => kind === 'keychain');
  return { vaultId, profile, formatVersion: file.formatVersion, createdAt, hasKeychain };
}

/** Creates a vault in a new or empty folder and opens it for its first administrator. */
export async function createVault(
  options: OpeningContext & {
    readonly user: string;
    readonly password: string;
    readonly profile: VaultFile['profile'];
    /** In place of the profile's cost; tests pay less. */
    readonly kdf?: KdfChoice;
    /** For a recovery key that is handed out in shares. */
    readonly recoveryShares?: Split | undefined;
    /** Writes what a new vault begins with, before the folder counts as a vault. */
    readonly fill?: (vault: OpenVault) => void;
  },
): Promise<{
  readonly vault: OpenVault;
  /** The key, or its shares, one on a line. */
  readonly recoveryKey: string;
}> {
  const { dir, clock } = options;
  await makeFolder(dir);
  const lock = acquireLock(join(dir, 'lock'));
  if ((await readVaultFile(dir)) !== undefined) {
    lock.release();
    throw new AppError('conflict', 'A vault has just been created in this folder.');
  }
  return closingOnFailure([() => lock.release(), () => emptyFolder(dir)], async () => {
    writeFileSync(join(dir, creatingMark), '', { mode: 0o600 });
    step('init: mark written');
    const keys = Object.fromEntries(
      purposes.map((purpose) => [purpose, Secret.random<Purpose>(32)]),
    ) as Record<Purpose, Secret<Purpose>>;
    const kdf = options.kdf ?? kdfByProfile[options.profile];
    const identity = {
      vaultId: randomBytes(16).toString('hex'),
      tagSalt: randomBytes(32).toString('base64'),
      epochs: { models: 1, records: 1, catalog: 1, audit: 1 },
    };
    const slot = await createPasswordSlot(identity, {
      user: options.user,
      password: options.password,
      kdf,
      keys,
      holds: purposesByRole.administrator,
    });
    const recovery = createRecovery(identity, keys, options.recoveryShares);
    const file: VaultFile = {
      formatVersion: vaultFormatVersion,
      ...identity,
      profile: options.profile,
      createdAt: clock().toISOString(),
      createdBy: 'strongroom',
      kdf,
      slots: [slot, recovery.slot],
    };
    for (const name of ['objects', 'staging', 'quarantine'])
      await mkdir(join(dir, name), { mode: 0o700 });
    step('init: folders made');
    const vault = await openDatabases(options, {
      file,
      opened: { keys, next: {} },
      lock,
      slotId: slot.id,
      failedAttempts: 0,
      place: 'new',
    });
    try {
      options.fill?.(vault);
      // Last of all: a folder without this file is no vault, so a crash before it leaves nothing that looks like one.
      await writeVaultFile(dir, file, vaultFileKey(keys));
      step('init: vault.json in place');
      rmSync(join(dir, creatingMark));
      await syncDirectory(dir);
      step('init: mark removed');
    } catch (error) {
      vault.close();
      throw error;
    }
    return { vault, recoveryKey: recovery.text };
  });
}

/** Throws `not-found`, `busy`, `locked` (too many tries), `wrong-password`, `tampered`, `unsupported` or `corrupt`. */
export function openVault(
  options: OpeningContext & { readonly user: string; readonly password: string },
): Promise<OpenVault> {
  return openForUser(options, (file, attempts) => unlock({ ...options, file, attempts }));
}

/** The same with the keychain of the computer in place of the password. */
export function openVaultWithKeychain(
  options: OpeningContext & { readonly user: string; readonly keychain: Pick<Keychain, 'load'> },
): Promise<OpenVault> {
  return openForUser(options, (file, attempts) =>
    unlockWithKeychain({ ...options, file, attempts }),
  );
}

async function openForUser(
  context: OpeningContext,
  open: (file: VaultFile, attempts: Attempts) => ReturnType<typeof unlock>,
): Promise<OpenVault> {
  const { dir } = context;
  await requireVault(dir);
  const lock = acquireLock(join(dir, 'lock'));
  return closingOnFailure([() => lock.release()], async () => {
    const stored = await requireVault(dir);
    const found = await open(stored.file, createAttempts(dir, context.clock));
    const { slot, opened, failedAttempts } = found;
    const file = checkedFile(stored, opened);
    return openDatabases(context, {
      file,
      opened,
      lock,
      slotId: slot.id,
      failedAttempts,
      place: 'existing',
    });
  });
}

/** Takes the key or enough shares; throws `invalid-input` for what is mistyped and `wrong-password` for another vault's. */
export async function openVaultWithRecoveryKey(
  options: OpeningContext & { readonly recoveryKey: string },
): Promise<OpenVault> {
  const { dir } = options;
  const { vaultId } = (await requireVault(dir)).file;
  const recoveryKey = parseRecovery(options.recoveryKey, vaultId);
  const lock = acquireLock(join(dir, 'lock'));
  return closingOnFailure([() => lock.release()], async () => {
    const stored = await requireVault(dir);
    for (const slot of stored.file.slots) {
      const opened =
        slot.kind === 'recovery' ? openRecoverySlot(stored.file, slot, recoveryKey) : undefined;
      if (opened === undefined) continue;
      const file = checkedFile(stored, opened);
      return openDatabases(options, {
        file,
        opened,
        lock,
        slotId: slot.id,
        failedAttempts: 0,
        place: 'existing',
      });
    }
    throw new AppError('wrong-password', 'This recovery key does not open this vault.');
  });
}

/** The vault file as a holder of the keys wrote it; keys that open a changed one are destroyed at once. */
function checkedFile(stored: StoredVaultFile, { keys, next }: OpenedKeys): VaultFile {
  try {
    return checkVaultFile(stored, vaultFileKey(keys));
  } catch (error) {
    destroyKeys(keys);
    destroyKeys(next);
    throw error;
  }
}

async function openDatabases(
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

async function requireVault(dir: string): Promise<StoredVaultFile> {
  const file = await readVaultFile(dir);
  if (file === undefined)
    throw new AppError(
      'not-found',
      'There is no vault in this folder. Create one, or choose another folder.',
    );
  return file;
}

/** Stands in the folder while a vault is being created: what is beside it is worthless until there is a `vault.json`. */
const creatingMark = '.strongroom-creating';

/** Everything that a creation may have left. */
const createdName =
  /^(lock(-journal)?|(catalog|audit|records)\.db(-wal|-shm|-journal)?|objects|staging|quarantine|\.vault\.json\..*|\.strongroom-creating)$/;

async function makeFolder(dir: string): Promise<void> {
  if ((await readVaultFile(dir)) !== undefined)
    throw new AppError(
      'conflict',
      'There is a vault in this folder already. Open it, or choose another folder.',
    );
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const found = await readdir(dir);
  const isLeftOver = found.includes(creatingMark) && found.every((name) => createdName.test(name));
  if (isLeftOver) {
    // A creation that was killed. Held by the lock, so that a creation under way is not swept away.
    const lock = acquireLock(join(dir, 'lock'));
    if ((await readVaultFile(dir)) === undefined) emptyFolder(dir);
    lock.release();
  } else if (found.some((name) => name !== 'lock' && name !== 'lock-journal'))
    throw new AppError(
      'conflict',
      'A new vault needs an empty folder, and this one has files in it. Choose another.',
    );
}

/**
 * What a kill leaves in the folder of a vault: files written aside, the mark of a creation when all else was done, and
 * rollback journals, which a database uses only while it changes to its write-ahead log and has no use for once it is open.
 */
const leftover = /^(\..*\.part|\.strongroom-creating|(catalog|audit|records)\.db-journal)$/;

function sweepLeftovers(dir: string): void {
  for (const name of readdirSync(dir))
    if (leftover.test(name)) rmSync(join(dir, name), { force: true });
}

/** Only for a creation that failed: the folder was empty before, so everything in it is ours and worthless. */
function emptyFolder(dir: string): void {
  for (const name of readdirSync(dir)) rmSync(join(dir, name), { recursive: true, force: true });
}

async function closingOnFailure<T>(
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
