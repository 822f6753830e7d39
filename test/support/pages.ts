/**
 * Every page of an encrypted database as it lies on the disk, decrypted without SQLite: those of the file, free ones too, and
 * those of the write-ahead log. For tests that look for what must not be there any more.
 */
import { createDecipheriv } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAttempts } from '#domain/vault/attempts.ts';
import { deriveKey, requireKey, type RootKeys } from '#domain/vault/purposes.ts';
import { unlock } from '#domain/vault/sign-in.ts';
import { readVaultFile } from '#domain/vault/vault-file.ts';
import { appPasswords } from './bare-app.ts';

const pageBytes = 4096;
const reservedBytes = 80;
const saltBytes = 16;
const walHeaderBytes = 32;
const frameHeaderBytes = 24;

/** `key` as SQLCipher takes it raw. Pages that were never written are left out. */
export function pagesOf(path: string, key: Uint8Array): Buffer[] {
  const file = readFileSync(path);
  const pages: Buffer[] = [];
  for (let at = 0; at + pageBytes <= file.length; at += pageBytes)
    pages.push(decrypt(file.subarray(at, at + pageBytes), key, at === 0));
  const wal = existsSync(`${path}-wal`) ? readFileSync(`${path}-wal`) : Buffer.alloc(0);
  for (
    let at = walHeaderBytes;
    at + frameHeaderBytes + pageBytes <= wal.length;
    at += frameHeaderBytes + pageBytes
  ) {
    const page = wal.subarray(at + frameHeaderBytes, at + frameHeaderBytes + pageBytes);
    pages.push(decrypt(page, key, wal.readUInt32BE(at) === 1));
  }
  return pages;
}

/** SQLCipher 4: AES-256-CBC, the IV and a MAC in the last 80 bytes; the first page begins with the salt. */
function decrypt(page: Buffer, key: Uint8Array, isFirst: boolean): Buffer {
  const iv = page.subarray(pageBytes - reservedBytes, pageBytes - reservedBytes + 16);
  const cipher = createDecipheriv('aes-256-cbc', key, iv).setAutoPadding(false);
  const body = page.subarray(isFirst ? saltBytes : 0, pageBytes - reservedBytes);
  return Buffer.concat([cipher.update(body), cipher.final()]);
}

/** The keys of the vault in `dir`, as the password of Ada gives them; the vault may be open. */
export async function keysOf(dir: string): Promise<RootKeys> {
  const stored = await readVaultFile(dir);
  if (stored === undefined) throw new Error('There is no vault.');
  const { opened } = await unlock({
    file: stored.file,
    attempts: createAttempts(dir, () => new Date()),
    user: 'ada',
    password: appPasswords.ada,
  });
  return opened.keys;
}

/** Of all databases of a vault. */
export function allPages(dir: string, keys: RootKeys): Buffer[] {
  return (['catalog', 'audit', 'records'] as const).flatMap((name) =>
    pagesOf(join(dir, `${name}.db`), deriveKey(requireKey(keys, name), `${name}.db`)),
  );
}

export function holds(pages: readonly Buffer[], needle: Buffer | string): boolean {
  return pages.some((page) => page.includes(needle));
}
