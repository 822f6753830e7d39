/** Backup and restore through the contract: what the log says of them, and that the restored vault works. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { contract } from '#shared/contract/index.ts';
import type { LogEntry } from '#shared/contract/audit.ts';
import { appPasswords, openTestApp, type TestApp } from '../../support/apps.ts';
import { signedFolder, signingKey } from '../../support/bundles.ts';
import { temporaryFolder } from '../../support/vaults.ts';

/** A vault with one model, a file to score and an empty medium, which is a folder. */
async function prepare(): Promise<TestApp & { readonly medium: string }> {
  const test = openTestApp();
  const { app, client, dir, wait } = test;
  await client.vault.create({ user: 'ada', password: appPasswords.ada, policy: 'solo' });
  writeFileSync(join(dir, 'maker.pem'), signingKey.publicPem);
  await client.trust.add({ name: 'Model maker', file: app.admitFile(join(dir, 'maker.pem')) });
  const source = app.admitFile(await signedFolder(join(dir, 'bundle')));
  await wait(contract.bundles.import, client.bundles.import({ source, name: 'tested' }));
  writeFileSync(join(dir, 'in.csv'), `a,b\n${'1,2\n'.repeat(40)}`);
  mkdirSync(join(dir, 'medium'));
  return { ...test, medium: app.admitFile(join(dir, 'medium')) };
}

async function entriesOf(
  { client }: TestApp,
  action: LogEntry['action'],
): Promise<readonly LogEntry[]> {
  return (await client.audit.list({ limit: 100, action })).entries
    .map(({ entry }) => entry)
    .toReversed();
}

const signIn = ({ client }: TestApp): Promise<unknown> =>
  client.vault.signIn({ user: 'ada', password: appPasswords.ada });

/** The vault of the backup in another place, as on another computer. */
async function restoreElsewhere(from: TestApp & { readonly medium: string }): Promise<TestApp> {
  const other = openTestApp();
  const folders = [other.app.admitFile(join(from.dir, 'medium'))];
  const restored = await other.wait(
    contract.backups.restore,
    other.client.backups.restore({ folders }),
  );
  expect(restored.path).toBe(join(other.dir, 'vault'));
  return other;
}

test('a vault restored elsewhere opens, has its log, says where it comes from, and runs its model', async () => {
  const first = await prepare();
  const made = await first.wait(
    contract.backups.make,
    first.client.backups.make({ folder: first.medium }),
  );
  expect(made).toMatchObject({ state: 'complete', snapshot: 1 });
  expect(await entriesOf(first, 'vault.backup')).toMatchObject([
    { phase: 'begin' },
    {
      phase: 'outcome',
      outcome: 'ok',
      objects: [{ type: 'backup', id: '1', digest: made.digest }],
    },
  ]);
  expect(await first.client.backups.list(null)).toMatchObject([
    { state: 'complete', snapshot: 1, digest: made.digest, startedBy: 'ada' },
  ]);
  await first.client.policy.set({ idleMinutes: 9, reason: 'after the backup' });

  const second = await restoreElsewhere(first);
  await signIn(second);
  expect(await second.wait(contract.audit.verify, second.client.audit.verify({}))).toMatchObject({
    status: 'intact',
  });
  expect(await entriesOf(second, 'vault.backup')).toMatchObject([
    { phase: 'begin' },
    { phase: 'outcome', outcome: 'ok', details: { restored: true } },
  ]);
  expect(await entriesOf(second, 'vault.restore')).toMatchObject([
    { outcome: 'ok', details: { logSize: made.logSize } },
  ]);
  expect((await second.client.policy.show(null)).idleMinutes).toBe(15);
  expect(await second.client.backups.list(null)).toMatchObject([
    { state: 'complete', snapshot: 1, digest: made.digest },
  ]);
  const run = await second.wait(
    contract.runs.start,
    second.client.runs.start({
      version: 'tested',
      input: second.app.admitFile(join(first.dir, 'in.csv')),
      folder: second.app.admitFile(second.dir),
      name: 'out.csv',
    }),
  );
  expect(run.rows).toBe(40);
  await second.client.vault.seal(null);
  await signIn(second);
  expect((await entriesOf(second, 'vault.restore')).length).toBe(1);
});

test('a mark of a restore that no backup of this vault has signed is not believed', async () => {
  const first = await prepare();
  const elsewhere = await prepare();
  for (const { wait, client, medium } of [first, elsewhere])
    await wait(contract.backups.make, client.backups.make({ folder: medium }));
  const foreign = join(
    elsewhere.dir,
    'medium/strongroom-backup',
    (await elsewhere.client.vault.status(null)).vaultId ?? '',
    'snapshots/0001.json',
  );
  const mark = { restoredAt: new Date().toISOString(), manifest: readFileSync(foreign, 'utf8') };
  await first.client.vault.seal(null);
  writeFileSync(join(first.dir, 'vault/restored.json'), JSON.stringify(mark));
  await signIn(first);
  expect(await entriesOf(first, 'vault.restore')).toEqual([]);
});

test('the vault tells its own backups from those of another one', async () => {
  const first = await prepare();
  const other = await prepare();
  for (const { wait, client, medium } of [first, other])
    await wait(contract.backups.make, client.backups.make({ folder: medium }));
  const check = (dir: string) =>
    first.wait(
      contract.backups.check,
      first.client.backups.check({ folders: [first.app.admitFile(join(dir, 'medium'))] }),
    );
  expect(await check(first.dir)).toMatchObject({ status: 'whole', ofThisVault: 'yes' });
  expect(await check(other.dir)).toMatchObject({ status: 'whole', ofThisVault: null });
});

test('a backup into the vault itself is refused, and a restore into a vault too', async () => {
  const first = await prepare();
  const inside = first.app.admitFile(join(first.dir, 'vault/objects'));
  await expect(
    first.wait(contract.backups.make, first.client.backups.make({ folder: inside })),
  ).rejects.toMatchObject({ code: 'invalid-input' });
  await first.wait(contract.backups.make, first.client.backups.make({ folder: first.medium }));
  await expect(
    first.wait(contract.backups.restore, first.client.backups.restore({ folders: [first.medium] })),
  ).rejects.toMatchObject({ code: 'conflict' });
});

test('only an administrator makes backups, and manifests are checked without a vault', async () => {
  const first = await prepare();
  await first.wait(contract.backups.make, first.client.backups.make({ folder: first.medium }));
  await first.client.users.add({ name: 'grace', role: 'analyst', password: appPasswords.grace });
  await first.as('grace');
  await expect(first.client.backups.make({ folder: first.medium })).rejects.toMatchObject({
    code: 'forbidden',
  });
  await first.client.vault.seal(null);
  const outside = openTestApp(temporaryFolder());
  const file = outside.app.admitFile(
    join(
      first.dir,
      'medium/strongroom-backup',
      (await first.client.vault.status(null)).vaultId ?? '',
      'snapshots/0001.json',
    ),
  );
  expect(
    await outside.wait(contract.reports.verify, outside.client.reports.verify({ file })),
  ).toMatchObject({ status: 'valid', kind: 'backup' });
});
