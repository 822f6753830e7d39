/** The log's signing key is rotated: what left the vault before and after is checked by whoever has either key. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { FileVerdict } from '#shared/contract/audit.ts';
import { contract } from '#shared/contract/index.ts';
import { createClient } from '#shared/rpc.ts';
import { createApp } from '#app/create-app.ts';
import { createAttempts } from '#domain/vault/attempts.ts';
import { deriveKey, requireKey } from '#domain/vault/purposes.ts';
import { unlock } from '#domain/vault/sign-in.ts';
import { readVaultFile } from '#domain/vault/vault-file.ts';
import { openDatabase } from '#platform/database.ts';
import { appPasswords, openPeopledApp, openTestApp, type TestApp } from '../../support/apps.ts';
import { signedFolder, signingKey } from '../../support/bundles.ts';
import { pagesOf } from '../../support/pages.ts';
import { temporaryFolder } from '../../support/vaults.ts';

const reason = 'Grace has left';
const root = join(import.meta.dirname, '../../..');
const script = join(root, 'test/support/stranger/check_log.py');

/** With a model in it, so that there are verdicts and something to report. */
async function prepared(): Promise<TestApp> {
  const test = await openPeopledApp();
  const { app, client, dir } = test;
  writeFileSync(join(dir, 'maker.pem'), signingKey.publicPem);
  await client.trust.add({ name: 'Maker', file: app.admitFile(join(dir, 'maker.pem')) });
  await signedFolder(join(dir, 'bundle'));
  return test;
}

/** One of everything that is signed, in a folder of that name; the key is the one it is signed with. */
async function handOut(test: TestApp, name: string): Promise<{ dir: string; verifierKey: string }> {
  const { app, client, wait } = test;
  const dir = join(test.dir, name);
  mkdirSync(join(dir, 'medium'), { recursive: true });
  const folder = app.admitFile(dir);
  const source = app.admitFile(join(test.dir, 'bundle'));
  await wait(contract.bundles.import, client.bundles.import({ source, name }));
  await client.bundles.verdict({ version: `${name}@1`, folder, name: 'verdict' });
  await wait(
    contract.reports.make,
    client.reports.make({ kind: 'production-history', folder, name: 'history.pdf' }),
  );
  await wait(contract.audit.export, client.audit.export({ folder, name: 'log' }));
  writeFileSync(join(dir, 'entry.tlog-proof'), (await client.audit.prove({ index: 0 })).text);
  const medium = app.admitFile(join(dir, 'medium'));
  const { path } = await wait(contract.backups.make, client.backups.make({ folder: medium }));
  const { snapshot } = (await client.backups.list(null))[0] ?? {};
  cpSync(join(path, `snapshots/000${snapshot}.json`), join(dir, 'manifest.json'));
  const { text, verifierKey, keyHistory } = await client.audit.checkpoint(null);
  writeFileSync(join(dir, 'checkpoint'), text);
  if (keyHistory !== null) writeFileSync(join(dir, 'checkpoint.key-history'), keyHistory);
  return { dir, verifierKey };
}

const handedOut = [
  'history.pdf',
  'verdict/svr.dsse.json',
  'log',
  'entry.tlog-proof',
  'manifest.json',
  'checkpoint',
];

/** Without a vault. */
async function verify(
  file: string,
  verifierKey: string,
  keyHistory?: string,
): Promise<FileVerdict> {
  const { app, client, wait } = openTestApp();
  return wait(
    contract.reports.verify,
    client.reports.verify({
      file: app.admitFile(file),
      verifierKey,
      ...(keyHistory === undefined ? {} : { keyHistory: app.admitFile(keyHistory) }),
    }),
  );
}

function failed({ checks }: FileVerdict): string[] {
  return checks.filter(({ ok }) => !ok).map(({ name }) => name);
}

test(
  'everything that was signed holds for ever, and each key leads to the others',
  { timeout: 300_000 },
  async () => {
    const test = await prepared();
    const { client, wait, app } = test;
    const before = await handOut(test, 'before');
    await client.keys.rotate({ reason });
    const between = await handOut(test, 'between');
    await client.keys.rotate({ purposes: ['audit'], reason });
    const after = await handOut(test, 'after');
    const history = join(after.dir, 'checkpoint.key-history');

    for (const made of [before, between, after])
      for (const name of handedOut) {
        const file = join(made.dir, name);
        for (const trusted of [before, between, after]) {
          const where = `${file} by the key of ${trusted.dir}`;
          const verdict = await verify(file, trusted.verifierKey, history);
          expect({ where, failed: failed(verdict) }).toEqual({ where, failed: [] });
        }
        // With its own key, and with every earlier one, it needs nothing that does not come with it.
        for (const trusted of [before, between, after].slice(
          0,
          [before, between, after].indexOf(made) + 1,
        ))
          expect(await verify(file, trusted.verifierKey)).toMatchObject({ status: 'valid' });
      }
    // What was made earlier cannot know a later key.
    expect(failed(await verify(join(before.dir, 'history.pdf'), after.verifierKey))).toEqual([
      'signer',
    ]);
    expect(await verify(history, before.verifierKey)).toMatchObject({
      status: 'valid',
      kind: 'key-history',
    });
    const other = await openPeopledApp();
    const foreign = (await other.client.audit.checkpoint(null)).verifierKey;
    for (const name of handedOut)
      expect(await verify(join(after.dir, name), foreign, history)).toMatchObject({
        status: 'invalid',
      });
    expect(await verify(history, foreign)).toMatchObject({ status: 'invalid' });

    // The vault itself knows what it signed under earlier keys.
    const against = [before, between, after].map(({ dir }) =>
      app.admitFile(join(dir, 'checkpoint')),
    );
    expect(await wait(contract.audit.verify, client.audit.verify({ against }))).toMatchObject({
      status: 'intact',
    });
    for (const { dir } of [before, between, after])
      expect(
        await wait(
          contract.backups.check,
          client.backups.check({ folders: [app.admitFile(join(dir, 'medium'))] }),
        ),
      ).toMatchObject({ status: 'whole', ofThisVault: 'yes' });
  },
);

test('after a rotation and a restart nothing looks rolled back, and an older copy does', async () => {
  const test = await openPeopledApp();
  const { app, client, dir } = test;
  await client.vault.seal(null);
  cpSync(join(dir, 'vault'), join(dir, 'older'), { recursive: true });
  await test.as('ada');
  const pins = join(dir, 'pins');
  cpSync(pins, join(dir, 'earlier-pins'), { recursive: true });
  await client.keys.rotate({ reason });
  await app.close();
  const again = openTestApp(dir);
  await again.as('ada');
  expect((await again.client.vault.status(null)).rolledBack).toBeNull();
  await again.app.close();
  // A pin from before the rotation is signed with the earlier key.
  rmSync(pins, { recursive: true });
  cpSync(join(dir, 'earlier-pins'), pins, { recursive: true });
  const third = openTestApp(dir);
  await third.as('ada');
  expect((await third.client.vault.status(null)).rolledBack).toBeNull();
  await third.app.close();
  rmSync(join(dir, 'vault'), { recursive: true });
  cpSync(join(dir, 'older'), join(dir, 'vault'), { recursive: true });
  const old = openTestApp(dir);
  await old.as('ada');
  expect((await old.client.vault.status(null)).rolledBack).not.toBeNull();
  await expect(old.client.policy.set({ idleMinutes: 9, reason })).rejects.toMatchObject({
    code: 'tampered',
  });
});

test('no page of the log holds the old private key, and the new one was never under the old database key', async () => {
  const { client, dir } = await openPeopledApp();
  const vaultDir = join(dir, 'vault');
  const databaseKey = async (): Promise<Uint8Array> => {
    const stored = await readVaultFile(vaultDir);
    if (stored === undefined) throw new Error('There is no vault.');
    const { opened } = await unlock({
      file: stored.file,
      attempts: createAttempts(vaultDir, () => new Date()),
      user: 'ada',
      password: appPasswords.ada,
    });
    return deriveKey(requireKey(opened.keys, 'audit'), 'audit.db');
  };
  const look = async (): Promise<{ pages: Buffer[]; privateKey: Buffer }> => {
    const key = await databaseKey();
    const pages = pagesOf(join(vaultDir, 'audit.db'), key);
    const copy = join(temporaryFolder(), 'audit.db');
    cpSync(join(vaultDir, 'audit.db'), copy);
    const db = openDatabase(copy, key, 'existing');
    const privateKey = db.prepare<[], Buffer>('SELECT private_key FROM meta').pluck().get();
    db.close();
    return { pages, privateKey: privateKey ?? Buffer.alloc(0) };
  };
  await client.vault.seal(null);
  const before = await look();
  expect(before.pages.some((page) => page.includes(before.privateKey))).toBe(true);
  await client.vault.signIn({ user: 'ada', password: appPasswords.ada });
  await client.keys.rotate({ reason });
  await client.vault.seal(null);
  const after = await look();
  expect(after.privateKey.equals(before.privateKey)).toBe(false);
  expect(after.pages.some((page) => page.includes(after.privateKey))).toBe(true);
  expect(after.pages.some((page) => page.includes(before.privateKey.subarray(-32)))).toBe(false);
});

/** Debian's Python, which has the package; others may be first in the path. */
const python = ['/usr/bin/python3', 'python3'].find(
  (name) => spawnSync(name, ['-c', 'import cryptography']).status === 0,
);

describe.skipIf(python === undefined)('a stranger with Python', () => {
  test.each(['standard', 'fips'] as const)(
    'checks a rotated log of profile %s',
    async (profile) => {
      const dir = temporaryFolder();
      const kdf =
        profile === 'fips'
          ? ({ name: 'pbkdf2-hmac-sha512', iterations: 1000 } as const)
          : ({ name: 'argon2id', memoryKib: 8, passes: 1, lanes: 1 } as const);
      const app = createApp({ vaultDir: join(dir, 'vault'), host: 'cli', kdf });
      const client = createClient(contract, (path, input) => app.dispatch(path, input));
      await client.vault.create({ user: 'ada', password: appPasswords.ada, profile });
      const keys = [(await client.audit.checkpoint(null)).verifierKey];
      const put = async (name: string): Promise<string> => {
        const { operationId } = await client.audit.export({ folder: app.admitFile(dir), name });
        expect((await app.settled(operationId, () => undefined)).error).toBeNull();
        return join(dir, name);
      };
      const check = (
        log: string,
        key = '',
      ): { status: number | null; stdout: string; stderr: string } =>
        spawnSync(python ?? '', [script, log, ...(key === '' ? [] : ['--verifier-key', key])], {
          encoding: 'utf8',
        });
      expect(JSON.parse(check(await put('first'), keys[0]).stdout)).toMatchObject({ keys });
      for (let round = 0; round < 2; round += 1)
        keys.push((await client.keys.rotate({ reason })).verifierKey);
      const log = await put('rotated');
      await app.close();
      for (const key of keys) {
        const { status, stdout, stderr } = check(log, key);
        expect(status, stderr).toBe(0);
        expect(JSON.parse(stdout)).toMatchObject({ keys });
      }
      const path = join(log, 'key-history');
      const good = readFileSync(path, 'utf8');
      const foreign = readFileSync(join(log, 'verifier-key'), 'utf8').replace(
        /\+.*/s,
        '+00000000+AQ==',
      );
      expect(check(log, foreign).status).toBe(1);
      // The signature of the old key under the first hand-over taken away.
      writeFileSync(path, good.replace(/^— .*\n(?=— )/m, ''));
      expect(check(log).stderr).toContain("the old key's signature under a hand-over");
      rmSync(path);
      expect(check(log).stderr).toContain('the key history against the entries');
    },
  );
});
