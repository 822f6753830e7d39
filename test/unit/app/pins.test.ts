/** A vault folder that was put back whole from an older copy: what this computer has seen outside of it tells. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { contract } from '#shared/contract/index.ts';
import { createApp } from '#app/create-app.ts';
import { appPasswords, openPeopledApp, openTestApp, type TestApp } from '../../support/apps.ts';
import { cheapKdf, temporaryFolder } from '../../support/vaults.ts';

const reason = 'restored after the disk failed';

const signIn = ({ client }: TestApp, user: keyof typeof appPasswords = 'ada'): Promise<unknown> =>
  client.vault.signIn({ user, password: appPasswords[user] });

/** A vault that did more after it was copied, and then was put back; the computer has seen what it did. */
async function rolledBack(): Promise<TestApp> {
  const { app, dir } = await openPeopledApp();
  await app.close();
  const copy = temporaryFolder();
  cpSync(join(dir, 'vault'), join(copy, 'vault'), { recursive: true });
  const later = openTestApp(dir);
  await signIn(later);
  await later.client.policy.set({ idleMinutes: 7, reason: 'as tested' });
  await later.app.close();
  rmSync(join(dir, 'vault'), { recursive: true });
  cpSync(join(copy, 'vault'), join(dir, 'vault'), { recursive: true });
  return openTestApp(dir);
}

const verify = ({ wait, client }: TestApp): Promise<{ status: string; message: string }> =>
  wait(contract.audit.verify, client.audit.verify({}));

const pinOf = (dir: string): string => {
  const [name = ''] = readdirSync(join(dir, 'pins'));
  return join(dir, 'pins', name);
};

test('an older copy of the whole vault is found, looked at, and refuses every act', async () => {
  const test = await rolledBack();
  const { client, app, dir } = test;
  const before = readFileSync(pinOf(dir), 'utf8');
  await signIn(test);
  const status = await client.vault.status(null);
  expect(status.rolledBack).toMatchObject({ foundSize: 5 + 3, restoredFrom: null });
  expect(status.rolledBack?.keptSize).toBeGreaterThan(8);
  expect(status.rolledBack?.message).toContain('older copy');
  const refusals = [
    client.policy.set({ idleMinutes: 9, reason }),
    client.users.add({ name: 'Ida', role: 'analyst', password: 'long enough' }),
  ];
  for (const act of refusals) await expect(act).rejects.toMatchObject({ code: 'tampered' });
  expect(await verify(test)).toMatchObject({
    status: 'broken',
    message: expect.stringContaining('older copy') as string,
  });
  expect((await client.users.list(null)).length).toBe(4);
  const made = await test.wait(
    contract.reports.make,
    client.reports.make({
      kind: 'production-history',
      folder: app.admitFile(dir),
      name: 'history.pdf',
    }),
  );
  expect(existsSync(made.path)).toBe(true);
  await test.wait(
    contract.audit.export,
    client.audit.export({ folder: app.admitFile(dir), name: 'log' }),
  );
  await client.vault.seal(null);
  expect((await client.vault.status(null)).sealedBecause).toBe('command');
  // Nothing was written on top, and what the computer has seen is not forgotten.
  expect(readFileSync(pinOf(dir), 'utf8')).toBe(before);
  await signIn(test);
  expect((await client.vault.status(null)).rolledBack).toMatchObject({ foundSize: 8 });
});

test('an administrator accepts it with a reason, both heads stand in the log, and work goes on', async () => {
  const test = await rolledBack();
  const { client } = test;
  await signIn(test, 'grace');
  await expect(client.audit.acceptPin({ reason })).rejects.toMatchObject({ code: 'forbidden' });
  await test.as('ada');
  const { rolledBack: seen } = await client.vault.status(null);
  await client.audit.acceptPin({ reason });
  expect((await client.vault.status(null)).rolledBack).toBeNull();
  const { entries } = await client.audit.list({ limit: 10, action: 'audit.pin-accept' });
  expect(entries.map(({ entry }) => entry)).toMatchObject([
    {
      phase: 'outcome',
      outcome: 'ok',
      details: { kept: { size: seen?.keptSize }, found: { size: 8 } },
    },
    { phase: 'begin', actor: 'ada', reason },
  ]);
  await client.policy.set({ idleMinutes: 9, reason });
  expect(await verify(test)).toMatchObject({ status: 'intact' });
  await expect(client.audit.acceptPin({ reason })).rejects.toMatchObject({ code: 'conflict' });
  await client.vault.seal(null);
  await signIn(test);
  expect((await client.vault.status(null)).rolledBack).toBeNull();
  expect(await verify(test)).toMatchObject({ status: 'intact' });
});

test('a history that went another way after an older copy was put back is found too', async () => {
  const test = await rolledBack();
  const elsewhere = temporaryFolder();
  cpSync(join(test.dir, 'vault'), join(elsewhere, 'vault'), { recursive: true });
  const other = openTestApp(elsewhere);
  await signIn(other);
  for (let minutes = 5; minutes < 15; minutes += 1)
    await other.client.policy.set({ idleMinutes: minutes, reason: 'another way' });
  await other.app.close();
  rmSync(join(test.dir, 'vault'), { recursive: true });
  cpSync(join(elsewhere, 'vault'), join(test.dir, 'vault'), { recursive: true });
  await signIn(test);
  const { rolledBack: found } = await test.client.vault.status(null);
  expect(found?.message).toContain('is not the one');
  expect(found?.foundSize).toBeGreaterThan(found?.keptSize ?? 0);
  expect(await verify(test)).toMatchObject({ status: 'broken' });
});

test('a restore on the same computer is told apart, and accepted like any other way back', async () => {
  const test = await openPeopledApp();
  const { client, app, dir, wait } = test;
  mkdirSync(join(dir, 'medium'));
  const medium = app.admitFile(join(dir, 'medium'));
  await wait(contract.backups.make, client.backups.make({ folder: medium }));
  await client.policy.set({ idleMinutes: 7, reason: 'lost with the disk' });
  await client.vault.seal(null);
  rmSync(join(dir, 'vault'), { recursive: true });
  const restored = await wait(
    contract.backups.restore,
    client.backups.restore({ folders: [medium] }),
  );
  await signIn(test);
  const { rolledBack: found } = await client.vault.status(null);
  expect(found).toMatchObject({ restoredFrom: restored.madeAt, foundSize: restored.logSize });
  expect(found?.message).toMatch(/restored from the backup of \d{4}-\d\d-\d\d \d\d:\d\d UTC:/);
  // Nobody has tampered with anything.
  await expect(client.policy.set({ idleMinutes: 9, reason })).rejects.toMatchObject({
    code: 'conflict',
    message: found?.message,
  });
  await client.audit.acceptPin({ reason });
  const actions = (await client.audit.list({ limit: 10 })).entries
    .map(({ entry }) => entry.action)
    .toReversed();
  expect(actions.slice(-4)).toEqual([
    'vault.sign-in',
    'vault.restore',
    'audit.pin-accept',
    'audit.pin-accept',
  ]);
  expect(await verify(test)).toMatchObject({ status: 'intact' });
});

test('the recovery key does not get round it', async () => {
  const { client, dir, app } = openTestApp();
  const { recoveryKey } = await client.vault.create({ user: 'ada', password: appPasswords.ada });
  await client.vault.seal(null);
  cpSync(join(dir, 'vault'), join(dir, 'copy'), { recursive: true });
  await client.vault.signIn({ user: 'ada', password: appPasswords.ada });
  await app.close();
  rmSync(join(dir, 'vault'), { recursive: true });
  cpSync(join(dir, 'copy'), join(dir, 'vault'), { recursive: true });
  const again = openTestApp(dir);
  await expect(
    again.client.vault.recover({ recoveryKey, user: 'ada', newPassword: 'long enough', reason }),
  ).rejects.toMatchObject({ code: 'tampered' });
});

test('a pin that is missing or unreadable is said and stops nothing', async () => {
  const { app, dir } = await openPeopledApp();
  await app.close();
  const states: [() => void, string][] = [
    [() => undefined, 'kept'],
    [() => rmSync(pinOf(dir)), 'missing'],
    [() => writeFileSync(pinOf(dir), 'garbage'), 'unreadable'],
  ];
  for (const [act, state] of states) {
    act();
    const test = openTestApp(dir);
    expect((await test.client.vault.status(null)).pin?.state).toBe(state);
    await signIn(test);
    expect((await test.client.vault.status(null)).pin?.state).toBe(state);
    const { checks } = await test.client.system.doctor(null);
    expect(checks.find(({ name }) => name === 'pins')?.ok).toBe(state !== 'unreadable');
    await test.client.policy.set({ idleMinutes: 9, reason });
    await test.client.vault.seal(null);
    expect((await test.client.vault.status(null)).pin?.state).toBe('kept');
    await test.app.close();
  }
});

test('the pin follows every act, holds no name, and is for its owner only', async () => {
  const { client, dir } = await openPeopledApp();
  const size = (): number => Number(readFileSync(pinOf(dir), 'utf8').split('\n')[1]);
  const before = size();
  await client.policy.set({ idleMinutes: 9, reason });
  expect(size()).toBe(before + 2);
  expect(size()).toBe((await client.audit.checkpoint(null)).size);
  expect(readFileSync(pinOf(dir), 'utf8')).not.toMatch(/ada|grace/i);
});

test('pins inside the vault would be put back with it, so none are kept there', async () => {
  const dir = temporaryFolder();
  const app = createApp({
    vaultDir: join(dir, 'vault'),
    pinsDir: join(dir, 'vault/pins'),
    host: 'cli',
    kdf: cheapKdf,
  });
  await app.dispatch('vault.create', { user: 'ada', password: appPasswords.ada });
  expect(await app.dispatch('vault.status', null)).toMatchObject({
    value: { pin: { state: 'off' } },
  });
  await app.close();
  expect(readdirSync(join(dir, 'vault'))).not.toContain('pins');
});
