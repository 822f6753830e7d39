/**
 * `vault.json`: who can open the vault, without saying who they are. FORMAT.md is normative. It is replaced in one step and
 * carries a MAC under a key that only an opened slot gives, so a change made without a password is found at the next sign-in.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '#shared/errors.ts';
import { writeFileAtomic } from '#platform/atomic-file.ts';
import { canonicalBytes } from '#platform/canonical-json.ts';
import { createQueue } from '#platform/queue.ts';
import { kdfChoice } from './kdf.ts';
import { purposes } from './purposes.ts';

export const vaultFormatVersion = 2;
const fileName = 'vault.json';
const maxSlots = 1000;

const base64 = z
  .string()
  .max(1024)
  .regex(/^[A-Za-z0-9+/]*={0,2}$/);
const hexId = z.string().regex(/^[0-9a-f]{32}$/);

const sealedKeys = z.partialRecord(
  z.enum(purposes),
  z.strictObject({ enc: base64, ciphertext: base64 }),
);

const slotKeys = {
  id: hexId,
  publicKey: base64,
  wrappedPrivateKey: base64,
  sealed: sealedKeys,
};
const passwordFields = {
  tag: base64,
  kdf: kdfChoice,
  /** 16 bytes. */
  salt: base64.length(24),
};
/** Keys of the next epoch, while a rotation is under way. */
const next = { next: sealedKeys };

const slot = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('password'), ...slotKeys, ...next, ...passwordFields }),
  z.strictObject({ kind: z.literal('recovery'), ...slotKeys, ...next }),
  z.strictObject({ kind: z.literal('keychain'), ...slotKeys, ...next, tag: base64 }),
]);
export type Slot = z.infer<typeof slot>;
export type PasswordSlot = Extract<Slot, { kind: 'password' }>;

const common = {
  vaultId: hexId,
  profile: z.enum(['standard', 'fips']),
  createdAt: z.iso.datetime(),
  createdBy: z.literal('strongroom'),
  tagSalt: base64,
  kdf: kdfChoice,
};
const vaultFile = z.strictObject({
  formatVersion: z.literal(vaultFormatVersion),
  ...common,
  epochs: z.record(z.enum(purposes), z.int().min(1).max(0xffffffff)),
  slots: z.array(slot).min(1).max(maxSlots),
});
export type VaultFile = z.infer<typeof vaultFile>;

const firstSlot = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('password'), ...slotKeys, ...passwordFields }),
  z.strictObject({ kind: z.literal('recovery'), ...slotKeys }),
]);
const firstVaultFile = z.strictObject({
  formatVersion: z.literal(1),
  ...common,
  slots: z.array(firstSlot).min(1).max(maxSlots),
});

const stored = z.discriminatedUnion('formatVersion', [
  firstVaultFile.extend({ mac: base64 }),
  vaultFile.extend({ mac: base64 }),
]);

/** A file as it was read: nothing of it is believed before `checkVaultFile`. */
export interface StoredVaultFile {
  /** In the form of the newest version, whatever the file's own is. */
  readonly file: VaultFile;
  /** The version on disk; the next write raises it. */
  readonly formatVersion: number;
  readonly mac: string;
  /** What the MAC is over. */
  readonly signed: object;
}

/** Version 1 had no epochs: its keys are the first. */
function inNewestForm(file: z.infer<typeof vaultFile> | z.infer<typeof firstVaultFile>): VaultFile {
  if (file.formatVersion === vaultFormatVersion) return file;
  return {
    ...file,
    formatVersion: vaultFormatVersion,
    epochs: { models: 1, records: 1, catalog: 1, audit: 1 },
    slots: file.slots.map((old) => ({ ...old, next: {} })),
  };
}

/** What can be told without a key; undefined where there is no vault. */
export async function readVaultFile(dir: string): Promise<StoredVaultFile | undefined> {
  let text: string;
  try {
    text = await readFile(join(dir, fileName), 'utf8');
  } catch (error) {
    if (
      error instanceof Error &&
      'code' in error &&
      (error.code === 'ENOENT' || error.code === 'ENOTDIR')
    )
      return undefined;
    throw new AppError(
      'io',
      'The file vault.json cannot be read. Check the permissions of the vault folder.',
      { cause: error },
    );
  }
  return parseVaultFile(text);
}

export function parseVaultFile(text: string): StoredVaultFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new AppError(
      'corrupt',
      'The file vault.json is not readable JSON. Restore it from a copy of the vault; objects and databases are untouched.',
      { cause },
    );
  }
  const version = z.looseObject({ formatVersion: z.int() }).safeParse(value);
  if (version.success && ![1, vaultFormatVersion].includes(version.data.formatVersion)) {
    throw new AppError(
      'unsupported',
      `This vault has format version ${version.data.formatVersion}; this program knows the versions up to ${vaultFormatVersion}. Open it with the program that wrote it; nothing was changed.`,
    );
  }
  const parsed = stored.safeParse(value);
  if (!parsed.success || !isOfItsProfile(parsed.data)) {
    throw new AppError(
      'corrupt',
      'The file vault.json does not have the form of a vault. Restore it from a copy of the vault.',
      { cause: parsed.error },
    );
  }
  const { mac, ...signed } = parsed.data;
  return { file: inNewestForm(signed), formatVersion: signed.formatVersion, mac, signed };
}

/** The file of an open vault. Changes are made one after the other, each from what the one before has left. */
export interface HeldVaultFile {
  file(): VaultFile;
  /** Durable when it returns; on failure the file on disk and in memory is the old one. */
  change(to: (latest: VaultFile) => Partial<VaultFile>): Promise<void>;
}

export function holdVaultFile(
  dir: string,
  opened: VaultFile,
  /** Asked at each write, because a rotation changes it. */
  macKey: () => Uint8Array,
): HeldVaultFile {
  let file = opened;
  const inTurn = createQueue();
  return {
    file: () => file,
    change: (to) =>
      inTurn(async () => {
        const next = { ...file, ...to(file) };
        await writeVaultFile(dir, next, macKey());
        file = next;
      }),
  };
}

export async function writeVaultFile(
  dir: string,
  file: VaultFile,
  macKey: Uint8Array,
): Promise<void> {
  const text = `${JSON.stringify({ ...file, mac: macOf(file, macKey).toString('base64') }, null, 2)}\n`;
  await writeFileAtomic(join(dir, fileName), new TextEncoder().encode(text));
}

/** A FIPS vault has no slot that would take another KDF. */
function isOfItsProfile({ profile, kdf, slots }: z.infer<typeof stored>): boolean {
  const kdfs = [kdf, ...slots.flatMap((each) => ('kdf' in each ? [each.kdf] : []))];
  return profile !== 'fips' || kdfs.every(({ name }) => name === 'pbkdf2-hmac-sha512');
}

/** Throws `tampered` unless the file is the one that a holder of the key wrote. */
export function checkVaultFile(file: StoredVaultFile, macKey: Uint8Array): VaultFile {
  const expected = macOf(file.signed, macKey);
  const given = Buffer.from(file.mac, 'base64');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new AppError(
      'tampered',
      'The file vault.json was changed by something other than Strongroom. Compare it with a copy of the vault.',
    );
  }
  return file.file;
}

function macOf(file: object, macKey: Uint8Array): Buffer {
  return createHmac('sha256', macKey).update(canonicalBytes(file)).digest();
}
