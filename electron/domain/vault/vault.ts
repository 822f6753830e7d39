/**
 * A vault on disk: created, or opened by password, keychain or recovery key. Opening order: lock the folder, find the slot by the
 * user's tag, pay the KDF (for an unknown name too), open the slot, check the vault file's MAC, open the databases
 * (`open-vault.ts`). Anything that fails on the way frees the lock and destroys the keys.
 */
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '#shared/errors.ts';
import { syncDirectory } from '#platform/atomic-file.ts';
import type { Keychain } from '#platform/keychain.ts';
import { acquireLock } from '#platform/lock.ts';
import { Secret } from '#platform/secret.ts';
import { step } from '#platform/steps.ts';
import { createAttempts, type Attempts } from './attempts.ts';
import { kdfByProfile, type KdfChoice } from './kdf.ts';
import {
  closingOnFailure,
  openDatabases,
  type OpeningContext,
  type OpenVault,
} from './open-vault.ts';
import { destroyKeys, purposes, purposesByRole, vaultFileKey, type Purpose } from './purposes.ts';
import { createRecovery, parseRecovery, type Split } from './recovery-shares.ts';
import { unlock, unlockWithKeychain } from './sign-in.ts';
import { createPasswordSlot, openRecoverySlot, type OpenedKeys } from './slots.ts';
import {
  checkVaultFile,
  readVaultFile,
  vaultFormatVersion,
  writeVaultFile,
  type StoredVaultFile,
  type VaultFile,
} from './vault-file.ts';
import { creatingMark, emptyFolder, makeFolder } from './vault-folder.ts';

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

async function requireVault(dir: string): Promise<StoredVaultFile> {
  const file = await readVaultFile(dir);
  if (file === undefined)
    throw new AppError(
      'not-found',
      'There is no vault in this folder. Create one, or choose another folder.',
    );
  return file;
}
