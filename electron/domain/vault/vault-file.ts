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
import { kdfChoice } from './kdf.ts';
import { purposes } from './purposes.ts';

export const vaultFormatVersion = 1;
const fileName = 'vault.json';
const maxSlots = 1000;

const base64 = z
  .string()
  .max(1024)
  .regex(/^[A-Za-z0-9+/]*={0,2}$/);
const hexId = z.string().regex(/^[0-9a-f]{32}$/);

const slotKeys = {
  id: hexId,
  publicKey: base64,
  wrappedPrivateKey: base64,
  sealed: z.partialRecord(z.enum(purposes), z.strictObject({ enc: base64, ciphertext: base64 })),
};

export const slot = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('password'),
    ...slotKeys,
    tag: base64,
    kdf: kdfChoice,
    /** 16 bytes. */
    salt: base64.length(24),
  }),
  z.strictObject({ kind: z.literal('recovery'), ...slotKeys }),
]);
export type Slot = z.infer<typeof slot>;
export type PasswordSlot = Extract<Slot, { kind: 'password' }>;

const vaultFile = z.strictObject({
  formatVersion: z.literal(vaultFormatVersion),
  vaultId: hexId,
  profile: z.enum(['standard', 'fips']),
  createdAt: z.iso.datetime(),
  createdBy: z.literal('strongroom'),
  tagSalt: base64,
  kdf: kdfChoice,
  slots: z.array(slot).min(1).max(maxSlots),
});
export type VaultFile = z.infer<typeof vaultFile>;

const stored = vaultFile.extend({ mac: base64 });
export type StoredVaultFile = z.infer<typeof stored>;

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
  if (version.success && version.data.formatVersion !== vaultFormatVersion) {
    throw new AppError(
      'unsupported',
      `This vault has format version ${version.data.formatVersion}; this program knows version ${vaultFormatVersion}.`,
    );
  }
  const parsed = stored.safeParse(value);
  if (!parsed.success) {
    throw new AppError(
      'corrupt',
      'The file vault.json does not have the form of a vault. Restore it from a copy of the vault.',
      { cause: parsed.error },
    );
  }
  return parsed.data;
}

export async function writeVaultFile(
  dir: string,
  file: VaultFile,
  macKey: Uint8Array,
): Promise<void> {
  const text = `${JSON.stringify({ ...file, mac: macOf(file, macKey).toString('base64') }, null, 2)}\n`;
  await writeFileAtomic(join(dir, fileName), new TextEncoder().encode(text));
}

/** Throws `tampered` unless the file is the one that a holder of the key wrote. */
export function checkVaultFile(file: StoredVaultFile, macKey: Uint8Array): VaultFile {
  const { mac, ...rest } = file;
  const expected = macOf(rest, macKey);
  const given = Buffer.from(mac, 'base64');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new AppError(
      'tampered',
      'The file vault.json was changed by something other than Strongroom. Compare it with a copy of the vault.',
    );
  }
  return rest;
}

function macOf(file: VaultFile, macKey: Uint8Array): Buffer {
  return createHmac('sha256', macKey).update(canonicalBytes(file)).digest();
}
