/** Unlocking with the keychain of a computer: for one person, with the password once, and through the host's channel. */
import { EventEmitter } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { contract } from '#shared/contract/index.ts';
import { createClient } from '#shared/rpc.ts';
import type { Keychain } from '#platform/keychain.ts';
import { createApp } from '#app/create-app.ts';
import { answerKeychain, remoteKeychain } from '#app/keychain-channel.ts';
import { createOsKeychain } from '../../../electron/shell/keychain.ts';
import { appPasswords, openPeopledApp } from '../../support/apps.ts';
import { temporaryFolder } from '../../support/vaults.ts';

/** Stands for the operating system's own key, which tests cannot have: it turns every byte around. */
function fakeStorage(
  backend: 'gnome_libsecret' | 'basic_text' = 'gnome_libsecret',
): Parameters<typeof createOsKeychain>[0]['safeStorage'] {
  const turned = (bytes: Uint8Array): Buffer => Buffer.from(bytes.map((byte) => byte ^ 0xff));
  return {
    isAsyncEncryptionAvailable: () => Promise.resolve(true),
    encryptStringAsync: (text) => Promise.resolve(turned(Buffer.from(text))),
    decryptStringAsync: (sealed) =>
      Promise.resolve({ result: turned(sealed).toString(), shouldReEncrypt: false }),
    getSelectedStorageBackend: () => backend,
  };
}

/** The keychain as the core of the Electron host has it: at the other end of a channel that carries JSON. */
function overChannel(keychain: Keychain): Keychain {
  const wire = new EventEmitter();
  const json = (value: object): unknown => JSON.parse(JSON.stringify(value));
  const answer = answerKeychain(keychain, (message) => wire.emit('core', json(message)));
  wire.on('host', (message) => expect(answer(message)).toBe(true));
  return remoteKeychain({
    send: (message) => void wire.emit('host', json(message)),
    onMessage: (listener) => void wire.on('core', listener),
  });
}

test('a person switches it on with the password, signs in without one, and loses it with a new password', async () => {
  const people = await openPeopledApp();
  await people.app.close();
  const dir = join(temporaryFolder(), 'keychain');
  const keychain = overChannel(
    createOsKeychain({ safeStorage: fakeStorage(), dir, platform: 'linux' }),
  );
  const app = createApp({ vaultDir: join(people.dir, 'vault'), host: 'electron', keychain });
  const client = createClient(contract, (path, input) => app.dispatch(path, input));
  const grace = { user: 'grace', password: appPasswords.grace };
  expect(await client.vault.status(null)).toMatchObject({ keychain: false });
  await expect(client.vault.signInWithKeychain({ user: 'grace' })).rejects.toMatchObject({
    code: 'wrong-password',
  });
  await client.vault.signIn(grace);
  await expect(
    client.keys.setKeychain({ enabled: true, password: 'not her password' }),
  ).rejects.toMatchObject({ code: 'wrong-password' });
  expect(await client.keys.keychain(null)).toMatchObject({ available: true, enabled: false });
  expect(await client.keys.setKeychain({ enabled: true, password: grace.password })).toMatchObject({
    enabled: true,
  });
  await client.vault.seal(null);

  expect(await client.vault.status(null)).toMatchObject({ keychain: true });
  const { session } = await client.vault.signInWithKeychain({ user: 'Grace' });
  expect(session).toMatchObject({ user: 'grace', role: 'analyst' });
  const { entries } = await client.audit.list({ action: 'keys.keychain' });
  expect(entries[0]?.entry).toMatchObject({ outcome: 'ok', details: { enabled: true } });
  const signIns = await client.audit.list({ action: 'vault.sign-in', limit: 1 });
  expect(signIns.entries[0]?.entry.details).toEqual({ by: 'keychain' });
  await client.vault.seal(null);
  // Only for her, and only where the secret is.
  await expect(client.vault.signInWithKeychain({ user: 'alan' })).rejects.toMatchObject({
    code: 'wrong-password',
  });

  // A rotation and a smaller role reach the keychain's slot too.
  await client.vault.signIn({ user: 'ada', password: appPasswords.ada });
  await client.keys.rotate({ reason: 'test' });
  await client.users.role({ name: 'grace', role: 'auditor', reason: 'test' });
  await client.vault.seal(null);
  await client.vault.signInWithKeychain({ user: 'grace' });
  const file = JSON.parse(readFileSync(join(people.dir, 'vault/vault.json'), 'utf8')) as {
    slots: { kind: string; sealed: Record<string, unknown> }[];
  };
  const slot = file.slots.find(({ kind }) => kind === 'keychain');
  expect(Object.keys(slot?.sealed ?? {})).not.toContain('models');
  await client.users.password({
    name: 'grace',
    password: 'another windmill',
    present: appPasswords.grace,
  });
  expect(await client.keys.keychain(null)).toMatchObject({ enabled: false });
  await client.vault.seal(null);
  await expect(client.vault.signInWithKeychain({ user: 'grace' })).rejects.toMatchObject({
    code: 'wrong-password',
  });
  await app.close();
});

test('hosts without a keychain say so, and switch nothing on', async () => {
  const { client } = await openPeopledApp();
  expect(await client.keys.keychain(null)).toEqual({
    available: false,
    enabled: false,
    reason: expect.stringContaining('This host has no keychain') as string,
  });
  await expect(
    client.keys.setKeychain({ enabled: true, password: appPasswords.ada }),
  ).rejects.toMatchObject({ code: 'unavailable' });
  const { checks } = await client.system.doctor(null);
  expect(checks.find(({ name }) => name === 'keychain')?.detail).toContain('no keychain');
  expect(checks.find(({ name }) => name === 'screen lock')?.detail).toContain('not told');
});

describe('the keychain of the Electron host', () => {
  const name = 'ab'.repeat(16);
  const secret = Uint8Array.from({ length: 32 }, (_, at) => at);

  test('keeps only what the system has sealed, in a file of the account', async () => {
    const dir = join(temporaryFolder(), 'keychain');
    const keychain = createOsKeychain({ safeStorage: fakeStorage(), dir, platform: 'win32' });
    expect(await keychain.load(name)).toBeUndefined();
    await keychain.store(name, secret);
    expect(readdirSync(dir)).toEqual([`${name}.sealed`]);
    const path = join(dir, `${name}.sealed`);
    expect(statSync(path).mode & 0o077).toBe(0);
    const bytes = readFileSync(path);
    expect(bytes.includes(Buffer.from(secret))).toBe(false);
    expect(bytes.includes(Buffer.from(secret).toString('base64'))).toBe(false);
    expect(await keychain.load(name)).toEqual(secret);
    await keychain.remove(name);
    expect(await keychain.load(name)).toBeUndefined();
    await expect(keychain.store('../escape', secret)).rejects.toMatchObject({
      code: 'invalid-input',
    });
  });

  test.each([
    ['a desktop without a keyring', fakeStorage('basic_text')],
    [
      'a system whose keychain is not available',
      { ...fakeStorage(), isAsyncEncryptionAvailable: () => Promise.resolve(false) },
    ],
  ])('refuses %s', async (_name, safeStorage) => {
    const dir = join(temporaryFolder(), 'keychain');
    const keychain = createOsKeychain({ safeStorage, dir, platform: 'linux' });
    expect((await keychain.available()).ok).toBe(false);
    await expect(keychain.store(name, secret)).rejects.toMatchObject({ code: 'unavailable' });
    // The reason arrives at the core as it was given.
    await expect(overChannel(keychain).store(name, secret)).rejects.toMatchObject({
      code: 'unavailable',
    });
  });
});
