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
import { migrate, openDatabase, type Database } from '#platform/database.ts';
import { acquireLock, type Lock } from '#platform/lock.ts';
import { Secret } from '#platform/secret.ts';
import { createAttempts } from './attempts.ts';
import { kdfByProfile, type KdfChoice } from './kdf.ts';
import {
  createObjectStore,
  recoverObjects,
  type ObjectStore,
  type RecoveryReport,
} from './objects.ts';
import {
  deriveKey,
  purposes,
  purposesByRole,
  requireKey,
  vaultFileKey,
  type Purpose,
  type RootKeys,
} from './purposes.ts';
import { generateRecoveryKey, parseRecoveryKey } from './recovery-key.ts';
import { createSlots, unlock, type VaultSlots } from './sign-in.ts';
import { createPasswordSlot, createRecoverySlot, openRecoverySlot } from './slots.ts';
import {
  checkVaultFile,
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
}

export interface OpenVault {
  readonly id: string;
  readonly dir: string;
  readonly profile: VaultFile['profile'];
  /** The slot that opened the vault. */
  readonly slotId: string;
  /** Wrong passwords, of anybody, since the last successful sign-in. */
  readonly failedAttempts: number;
  readonly recovery: RecoveryReport;
  readonly catalog: Database;
  readonly audit: Database;
  readonly records: Database;
  readonly objects: ObjectStore;
  readonly slots: VaultSlots;
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
}

/** What can be told of a vault without a key; undefined where there is none. */
export async function readVaultInfo(dir: string): Promise<VaultInfo | undefined> {
  const file = await readVaultFile(dir);
  if (file === undefined) return undefined;
  const { vaultId, profile, formatVersion, createdAt } = file;
  return { vaultId, profile, formatVersion, createdAt };
}

/** Creates a vault in a new or empty folder and opens it for its first administrator. */
export async function createVault(
  options: OpeningContext & {
    readonly user: string;
    readonly password: string;
    readonly profile: VaultFile['profile'];
    /** In place of the profile's cost; tests pay less. */
    readonly kdf?: KdfChoice;
  },
): Promise<{ readonly vault: OpenVault; readonly recoveryKey: string }> {
  const { dir, clock } = options;
  await makeFolder(dir);
  const lock = acquireLock(join(dir, 'lock'));
  if ((await readVaultFile(dir)) !== undefined) {
    lock.release();
    throw new AppError('conflict', 'A vault has just been created in this folder.');
  }
  return closingOnFailure([() => lock.release(), () => emptyFolder(dir)], async () => {
    writeFileSync(join(dir, creatingMark), '', { mode: 0o600 });
    const keys = Object.fromEntries(
      purposes.map((purpose) => [purpose, Secret.random<Purpose>(32)]),
    ) as Record<Purpose, Secret<Purpose>>;
    const kdf = options.kdf ?? kdfByProfile[options.profile];
    const identity = {
      vaultId: randomBytes(16).toString('hex'),
      tagSalt: randomBytes(32).toString('base64'),
    };
    const slot = await createPasswordSlot(identity, {
      user: options.user,
      password: options.password,
      kdf,
      keys,
      holds: purposesByRole.administrator,
    });
    const recovery = generateRecoveryKey();
    const file: VaultFile = {
      formatVersion: vaultFormatVersion,
      ...identity,
      profile: options.profile,
      createdAt: clock().toISOString(),
      createdBy: 'strongroom',
      kdf,
      slots: [slot, createRecoverySlot(identity, recovery.key, keys)],
    };
    recovery.key.fill(0);
    for (const name of ['objects', 'staging', 'quarantine'])
      await mkdir(join(dir, name), { mode: 0o700 });
    const vault = await openDatabases(options, {
      file,
      keys,
      lock,
      slotId: slot.id,
      failedAttempts: 0,
      place: 'new',
    });
    // Last of all: a folder without this file is no vault, so a crash before it leaves nothing that looks like one.
    try {
      await writeVaultFile(dir, file, vaultFileKey(keys));
      rmSync(join(dir, creatingMark));
      await syncDirectory(dir);
    } catch (error) {
      vault.close();
      throw error;
    }
    return { vault, recoveryKey: recovery.text };
  });
}

/** Throws `not-found`, `busy`, `locked` (too many tries), `wrong-password`, `tampered`, `unsupported` or `corrupt`. */
export async function openVault(
  options: OpeningContext & { readonly user: string; readonly password: string },
): Promise<OpenVault> {
  const { dir } = options;
  await requireVault(dir);
  const lock = acquireLock(join(dir, 'lock'));
  return closingOnFailure([() => lock.release()], async () => {
    const stored = await requireVault(dir);
    const attempts = createAttempts(dir, options.clock);
    const { slot, keys, failedAttempts } = await unlock({
      file: stored,
      attempts,
      user: options.user,
      password: options.password,
    });
    const file = checkedFile(stored, keys);
    return openDatabases(options, {
      file,
      keys,
      lock,
      slotId: slot.id,
      failedAttempts,
      place: 'existing',
    });
  });
}

/** Throws `invalid-input` for a mistyped key and `wrong-password` for another vault's. */
export async function openVaultWithRecoveryKey(
  options: OpeningContext & { readonly recoveryKey: string },
): Promise<OpenVault> {
  const { dir } = options;
  const recoveryKey = parseRecoveryKey(options.recoveryKey);
  await requireVault(dir);
  const lock = acquireLock(join(dir, 'lock'));
  return closingOnFailure([() => lock.release()], async () => {
    const stored = await requireVault(dir);
    for (const slot of stored.slots) {
      const keys =
        slot.kind === 'recovery' ? openRecoverySlot(stored, slot, recoveryKey) : undefined;
      if (keys === undefined) continue;
      const file = checkedFile(stored, keys);
      return openDatabases(options, {
        file,
        keys,
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
function checkedFile(stored: StoredVaultFile, keys: RootKeys): VaultFile {
  try {
    return checkVaultFile(stored, vaultFileKey(keys));
  } catch (error) {
    for (const key of Object.values(keys)) key[Symbol.dispose]();
    throw error;
  }
}

async function openDatabases(
  { dir, clock, schema }: OpeningContext,
  opened: {
    readonly file: VaultFile;
    readonly keys: RootKeys;
    readonly lock: Lock;
    readonly slotId: string;
    readonly failedAttempts: number;
    readonly place: 'new' | 'existing';
  },
): Promise<OpenVault> {
  const { keys, slotId, place } = opened;
  const databases: Database[] = [];
  const closeAll = (): void => {
    for (const db of databases) db.close();
    for (const key of Object.values(keys)) key[Symbol.dispose]();
  };
  function database(name: 'catalog' | 'audit' | 'records'): Database {
    const key = deriveKey(requireKey(keys, name), `${name}.db`);
    const db = openDatabase(join(dir, `${name}.db`), key, place);
    databases.push(db);
    key.fill(0);
    migrate(db, schema[name], place);
    return db;
  }
  return closingOnFailure([closeAll], async () => {
    const catalog = database('catalog');
    const audit = database('audit');
    const records = database('records');
    const recovery = await recoverObjects(dir, catalog);
    const objects = createObjectStore({
      dir,
      vaultId: opened.file.vaultId,
      catalog,
      modelsKey: keys.models,
      clock,
    });
    return {
      id: opened.file.vaultId,
      dir,
      profile: opened.file.profile,
      slotId,
      failedAttempts: opened.failedAttempts,
      recovery,
      catalog,
      audit,
      records,
      objects,
      slots: createSlots({ dir, clock, keys, file: opened.file }),
      holds: (purpose) => keys[purpose] !== undefined,
      close() {
        objects.close();
        closeAll();
        opened.lock.release();
      },
    };
  });
}

async function requireVault(
  dir: string,
): Promise<Awaited<ReturnType<typeof readVaultFile>> & object> {
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
