/** What somebody does to the files of a vault, with its keys or without, and what the next sign-in says of it. */
import { cpSync, existsSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { contract } from '#shared/contract/index.ts';
import type { App } from '#app/create-app.ts';
import { appPasswords, openPeopledApp, openTestApp, type TestApp } from '../../support/apps.ts';
import { temporaryFolder } from '../../support/vaults.ts';

/** A closed vault with four people in it. */
async function closedVault(): Promise<string> {
  const { app, dir } = await openPeopledApp();
  await app.close();
  return dir;
}

function reopened(dir: string): TestApp {
  const copy = temporaryFolder();
  cpSync(join(dir, 'vault'), join(copy, 'vault'), { recursive: true });
  return openTestApp(copy);
}

const signIn = ({ client }: TestApp): Promise<unknown> =>
  client.vault.signIn({ user: 'ada', password: appPasswords.ada });

/** The databases of an open application, as a thief with its keys has them. */
async function audit(test: TestApp, act: (run: (sql: string) => void) => void): Promise<void> {
  const { openVault } = await import('#domain/vault/index.ts');
  const { vaultSchema } = await import('../../../electron/app/open-state.ts');
  const vault = await openVault({
    dir: join(test.dir, 'vault'),
    user: 'ada',
    password: appPasswords.ada,
    clock: () => new Date(),
    schema: vaultSchema,
  });
  act((sql) => vault.audit.exec(sql));
  vault.close();
}

test.each(['audit.db', 'records.db', 'catalog.db'])(
  'a missing %s is tampering, and nothing is made in its place',
  async (name) => {
    const test = reopened(await closedVault());
    for (const file of [name, `${name}-wal`, `${name}-shm`])
      rmSync(join(test.dir, 'vault', file), { force: true });
    await expect(signIn(test)).rejects.toMatchObject({
      code: 'tampered',
      message: expect.stringContaining(name) as string,
    });
    expect(existsSync(join(test.dir, 'vault', name))).toBe(false);
  },
);

test.each([
  ['the last entry deleted', 'DELETE FROM entries WHERE idx = (SELECT max(idx) FROM entries)'],
  ['all entries deleted', 'DELETE FROM entries'],
  ['all checkpoints deleted', 'DELETE FROM checkpoints'],
  ['the hashes gone', 'DELETE FROM hashes'],
  ['a table gone', 'DROP TABLE hashes'],
  ['the keys gone', 'DELETE FROM meta'],
  ['the last entry moved away', 'UPDATE entries SET idx = 99 WHERE idx = 2'],
])('a log changed elsewhere (%s) takes no act, can be looked at, and is broken', async (_, sql) => {
  const test = reopened(await closedVault());
  await audit(test, (run) => run(sql));
  const { client, wait } = test;
  await signIn(test);
  expect(await wait(contract.audit.verify, client.audit.verify({}))).toMatchObject({
    status: 'broken',
  });
  await expect(
    client.users.add({ name: 'Ida', role: 'analyst', password: 'long enough' }),
  ).rejects.toMatchObject({ code: 'tampered' });
  expect(await client.vault.status(null)).toMatchObject({
    state: 'open',
    log: { lastVerified: { status: 'broken' } },
  });
  expect((await client.users.list(null)).length).toBe(4);
  await client.vault.seal(null);
});

test('a log put back from an older copy is found without a checkpoint from outside', async () => {
  const dir = await closedVault();
  const test = reopened(dir);
  await signIn(test);
  await test.client.users.add({ name: 'Ida', role: 'analyst', password: 'long enough' });
  await test.app.close();
  for (const file of ['audit.db', 'audit.db-wal', 'audit.db-shm']) {
    rmSync(join(test.dir, 'vault', file), { force: true });
    if (existsSync(join(dir, 'vault', file)))
      cpSync(join(dir, 'vault', file), join(test.dir, 'vault', file));
  }
  const again = openTestApp(test.dir);
  await signIn(again);
  const status = await again.wait(contract.audit.verify, again.client.audit.verify({}));
  expect(status).toMatchObject({
    status: 'broken',
    message: expect.stringContaining('older copy') as string,
  });
});

test.each(['catalog.db', 'records.db'])(
  'a %s put back from an older copy is found, and nothing is changed on top of it',
  async (name) => {
    const dir = await closedVault();
    const test = reopened(dir);
    await signIn(test);
    await test.client.policy.set({ idleMinutes: 7, reason: 'as tested' });
    await test.app.close();
    for (const file of [name, `${name}-wal`, `${name}-shm`]) {
      rmSync(join(test.dir, 'vault', file), { force: true });
      if (existsSync(join(dir, 'vault', file)))
        cpSync(join(dir, 'vault', file), join(test.dir, 'vault', file));
    }
    const again = openTestApp(test.dir);
    await signIn(again);
    expect(await again.wait(contract.audit.verify, again.client.audit.verify({}))).toMatchObject({
      status: 'broken',
      message: expect.stringContaining('older copy') as string,
    });
    await expect(
      again.client.policy.set({ idleMinutes: 9, reason: 'as tested' }),
    ).rejects.toMatchObject({ code: 'tampered' });
  },
);

test('a trigger is seen at the door; an edit in the middle ends all acts once it is found', async () => {
  const dir = await closedVault();
  const act = { idleMinutes: 7, reason: 'as tested' };
  const triggered = reopened(dir);
  await audit(triggered, (run) =>
    run(
      "CREATE TRIGGER quiet BEFORE INSERT ON entries WHEN new.json LIKE '%policy.set%' BEGIN SELECT raise(IGNORE); END",
    ),
  );
  await signIn(triggered);
  await expect(triggered.client.policy.set(act)).rejects.toMatchObject({ code: 'tampered' });
  const edited = reopened(dir);
  await audit(edited, (run) =>
    run(`UPDATE entries SET json = replace(json, '"ada"', '"eve"') WHERE idx = 1`),
  );
  await signIn(edited);
  await edited.client.policy.set(act);
  expect(await edited.wait(contract.audit.verify, edited.client.audit.verify({}))).toMatchObject({
    status: 'broken',
    firstBroken: 1,
  });
  await expect(edited.client.policy.set(act)).rejects.toMatchObject({ code: 'tampered' });
  await edited.client.vault.seal(null);
  await signIn(edited);
  await expect(edited.client.policy.set(act)).rejects.toMatchObject({ code: 'tampered' });
});

test("somebody else's checkpoint is an answer, and stops no act", async () => {
  const test = reopened(await closedVault());
  await signIn(test);
  const { app, client, dir, wait } = test;
  const { text } = await client.audit.checkpoint(null);
  const forged = join(dir, 'forged.txt');
  writeFileSync(forged, text.replace(/\n\d+\n/, '\n999\n'));
  expect(
    await wait(contract.audit.verify, client.audit.verify({ against: [app.admitFile(forged)] })),
  ).toMatchObject({ status: 'broken' });
  expect(await client.policy.set({ idleMinutes: 7, reason: 'as tested' })).toMatchObject({
    idleMinutes: 7,
  });
});

test('a damaged page is corrupt, never a crash', async () => {
  const dir = await closedVault();
  for (const name of ['audit.db', 'catalog.db', 'records.db']) {
    const test = reopened(dir);
    truncateSync(join(test.dir, 'vault', name), 4096);
    await expect(signIn(test)).rejects.toMatchObject({ code: 'corrupt' });
  }
});

test('stray files and missing empty folders do not lock anybody out', async () => {
  const test = reopened(await closedVault());
  writeFileSync(join(test.dir, 'vault/objects/Thumbs.db'), 'x');
  for (const name of ['staging', 'quarantine'])
    rmSync(join(test.dir, 'vault', name), { recursive: true });
  expect(await signIn(test)).toMatchObject({ repaired: { quarantined: 1 } });
  expect(existsSync(join(test.dir, 'vault/quarantine/Thumbs.db'))).toBe(true);
});

test('a creation that was killed can be tried again', async () => {
  const test = openTestApp();
  mkdirSync(join(test.dir, 'vault'), { recursive: true });
  for (const name of ['.strongroom-creating', 'catalog.db', 'lock'])
    writeFileSync(join(test.dir, 'vault', name), '');
  await test.client.vault.create({ user: 'ada', password: appPasswords.ada });
  expect(existsSync(join(test.dir, 'vault/.strongroom-creating'))).toBe(false);
});

test('a new password from an administrator frees a name that was blocked', async () => {
  const test = await openPeopledApp();
  const { client } = test;
  await client.vault.seal(null);
  for (let tries = 0; tries < 5; tries += 1)
    await client.vault.signIn({ user: 'grace', password: 'guess' }).catch(() => undefined);
  await expect(
    client.vault.signIn({ user: 'grace', password: appPasswords.grace }),
  ).rejects.toMatchObject({ code: 'locked' });
  await signIn(test);
  await client.users.password({ name: 'grace', password: 'a new beginning' });
  await client.vault.seal(null);
  expect(await client.vault.signIn({ user: 'grace', password: 'a new beginning' })).toMatchObject({
    session: { user: 'grace' },
  });
});

test('results never land among the files of the vault', async () => {
  const { app, client, dir } = await openPeopledApp();
  const inside: string = (app satisfies App).admitFile(join(dir, 'vault/objects'));
  await expect(client.bundles.keygen({ folder: inside, name: 'maker' })).rejects.toMatchObject({
    code: 'invalid-input',
    message: expect.stringContaining('belongs to the vault') as string,
  });
});
