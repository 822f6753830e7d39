/**
 * Electron's safe storage as a keychain: the operating system's key encrypts the secret, the result lies in a file of the user's
 * own settings. On Linux without a keyring Electron would encrypt with a password that everybody knows; that is refused.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SafeStorage } from 'electron';
import { AppError } from '#shared/errors.ts';
import type { Keychain } from '#platform/keychain.ts';

type Storage = Pick<
  SafeStorage,
  | 'isAsyncEncryptionAvailable'
  | 'encryptStringAsync'
  | 'decryptStringAsync'
  | 'getSelectedStorageBackend'
>;

export function createOsKeychain(deps: {
  readonly safeStorage: Storage;
  /** Made when it is first needed. */
  readonly dir: string;
  readonly platform: NodeJS.Platform;
}): Keychain {
  const { safeStorage, dir, platform } = deps;

  function pathOf(name: string): string {
    if (!/^[0-9a-f]{32}$/.test(name))
      throw new AppError('invalid-input', 'The keychain has no such name.');
    return join(dir, `${name}.sealed`);
  }

  async function available(): Promise<{ ok: boolean; reason: string }> {
    if (!(await safeStorage.isAsyncEncryptionAvailable()))
      return { ok: false, reason: 'The keychain of this system is not available.' };
    if (platform !== 'linux') return { ok: true, reason: 'The keychain of this system is used.' };
    const backend = safeStorage.getSelectedStorageBackend();
    return backend === 'basic_text' || backend === 'unknown'
      ? { ok: false, reason: 'This desktop has no keyring that would keep a secret.' }
      : { ok: true, reason: `The keyring of this desktop is used (${backend}).` };
  }

  async function requireAvailable(): Promise<void> {
    const { ok, reason } = await available();
    if (!ok) throw new AppError('unavailable', reason);
  }

  return {
    available,
    async store(name, secret) {
      const path = pathOf(name);
      await requireAvailable();
      const sealed = await safeStorage.encryptStringAsync(Buffer.from(secret).toString('base64'));
      await mkdir(dir, { recursive: true, mode: 0o700 });
      await writeFile(path, sealed, { mode: 0o600 });
    },
    async load(name) {
      const path = pathOf(name);
      if (!(await available()).ok) return undefined;
      try {
        const { result } = await safeStorage.decryptStringAsync(await readFile(path));
        return new Uint8Array(Buffer.from(result, 'base64'));
      } catch {
        return undefined; // never stored, or sealed for another account: the password still opens the vault
      }
    },
    remove: (name) => rm(pathOf(name), { force: true }),
  };
}
