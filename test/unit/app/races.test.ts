/** Two things at once, and things that change hands at an odd moment. */
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { contract } from '#shared/contract/index.ts';
import { appPasswords, openPeopledApp, type TestApp } from '../../support/apps.ts';
import { plainFiles, signedFolder, signingKey } from '../../support/bundles.ts';

const reason = 'as tested';

async function trusting(): Promise<TestApp> {
  const test = await openPeopledApp();
  const { app, client, dir } = test;
  writeFileSync(join(dir, 'maker.pem'), signingKey.publicPem);
  await client.trust.add({ name: 'Model maker', file: app.admitFile(join(dir, 'maker.pem')) });
  return test;
}

const intact = ({ client, wait }: TestApp): Promise<unknown> =>
  wait(contract.audit.verify, client.audit.verify({}));

test('an import that fails takes nothing from another that goes on', async () => {
  const test = await trusting();
  const { app, client, dir, wait } = test;
  const many = Object.fromEntries(
    Array.from({ length: 300 }, (_, at) => [`docs/${at}.txt`, `page ${at}`]),
  );
  const small = app.admitFile(await signedFolder(join(dir, 'small')));
  const large = app.admitFile(await signedFolder(join(dir, 'large'), { ...plainFiles, ...many }));
  const bring = (source: string, name: string): Promise<unknown> =>
    wait(contract.bundles.import, client.bundles.import({ source, name }));
  await bring(small, 'small');
  const going = bring(large, 'large');
  const other = { ended: false, conflicts: 0 };
  void going.finally(() => (other.ended = true));
  while (!other.ended) await bring(small, 'small').catch(() => (other.conflicts += 1));
  await going;
  expect(other.conflicts).toBeGreaterThan(0);
  await wait(
    contract.bundles.export,
    client.bundles.export({ version: 'large@1', folder: app.admitFile(dir), name: 'out' }),
  );
  expect(existsSync(join(dir, 'out/docs/299.txt'))).toBe(true);
  expect(await intact(test)).toMatchObject({ status: 'intact' });
});

test('people are changed one at a time: nobody is lost, and an administrator stays', async () => {
  const test = await openPeopledApp();
  const { client } = test;
  const add = (name: string, role: 'analyst' | 'administrator'): Promise<unknown> =>
    client.users.add({ name, role, password: 'long enough' });
  await Promise.all([add('u1', 'analyst'), add('u2', 'administrator'), add('u3', 'analyst')]);
  const leaving = await Promise.allSettled(
    ['u2', 'ada'].map((name) => client.users.disable({ name, reason })),
  );
  // One of the two stays; who has gone acts no more.
  expect(leaving.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  await client.vault.seal(null);
  for (const user of ['u1', 'u3']) {
    await client.vault.signIn({ user, password: 'long enough' });
    await client.vault.seal(null);
  }
});

test('an act that a seal overtakes never goes on in the name of the next person', async () => {
  const test = await openPeopledApp();
  const { client } = test;
  const acts = [
    client.users.add({ name: 'late', role: 'analyst', password: 'long enough' }),
    client.users.password({ name: 'grace', password: 'another harbour' }),
  ].map((act) => act.catch((error: unknown) => error));
  await client.vault.seal(null);
  await client.vault.signIn({ user: 'audrey', password: appPasswords.audrey });
  await Promise.all(acts);
  const { entries } = await client.audit.list({ limit: 100 });
  for (const { entry } of entries)
    if (entry.action.startsWith('user.')) expect(entry.actor).toBe('ada');
  expect(await intact(test)).toMatchObject({ status: 'intact' });
});

test('nobody acts with a role that they no longer have', async () => {
  const { client } = await openPeopledApp();
  await client.users.add({ name: 'eve', role: 'administrator', password: 'long enough' });
  await client.users.role({ name: 'ada', role: 'auditor', reason });
  await expect(client.policy.set({ secondPerson: false, reason })).rejects.toMatchObject({
    code: 'locked',
  });
  await expect.poll(() => client.vault.status(null)).toMatchObject({ state: 'sealed' });
});

test('wrong passwords of a second person are counted, blocked and written down', async () => {
  const { app, client, dir, wait } = await trusting();
  await client.policy.set({ unsigned: 'override', reason });
  const source = app.admitFile(join(dir, 'maker.pem'));
  const tries = await Promise.all(
    Array.from({ length: 8 }, () =>
      wait(
        contract.bundles.import,
        client.bundles.import({ source, override: { user: 'alan', password: 'guess', reason } }),
      ).catch((error: unknown) => (error as { code: string }).code),
    ),
  );
  expect(tries.filter((code) => code === 'wrong-password').length).toBe(5);
  expect(tries.filter((code) => code === 'locked').length).toBe(3);
  const { entries } = await client.audit.list({ action: 'vault.sign-in-failed', limit: 20 });
  expect(entries.length).toBe(5);
  expect(entries[0]?.entry.objects).toEqual([{ type: 'second-person', id: 'alan' }]);
});

test('a name of half characters does not lock anybody out', async () => {
  const test = await trusting();
  const { app, client, dir, wait } = test;
  const card = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    metadata: {
      component: { type: 'machine-learning-model', name: `a${'\u{1d400}'.repeat(60)}` },
    },
  };
  const folder = await signedFolder(join(dir, 'odd'), {
    ...plainFiles,
    'bom.cdx.json': JSON.stringify(card),
  });
  await wait(contract.bundles.import, client.bundles.import({ source: app.admitFile(folder) }));
  await client.vault.seal(null);
  await client.vault.signIn({ user: 'ada', password: appPasswords.ada });
  expect((await client.models.list(null)).length).toBe(1);
  expect(await app.dispatch('models.retire', { version: '\ud800', reason })).toMatchObject({
    ok: false,
    error: { code: 'invalid-input' },
  });
  expect(await client.vault.status(null)).toMatchObject({ state: 'open' });
  expect(await intact(test)).toMatchObject({ status: 'intact' });
});

test('a pipe in the place of a file is refused, and keeps nobody waiting', async () => {
  const { app, client, dir, wait } = await trusting();
  const pipe = join(dir, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const file = app.admitFile(pipe);
  await wait(
    contract.bundles.import,
    client.bundles.import({ source: app.admitFile(await signedFolder(join(dir, 'm'))), name: 'm' }),
  );
  const code = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => 'ok',
      (error: unknown) => (error as { code: string }).code,
    );
  expect(await code(client.trust.add({ name: 'X', file }))).toBe('invalid-input');
  expect(await code(wait(contract.audit.verify, client.audit.verify({ against: [file] })))).toBe(
    'invalid-input',
  );
  expect(await code(client.runs.preview({ version: 'm', input: file }))).toBe('invalid-input');
  const run = client.runs.start({
    version: 'm',
    input: file,
    folder: app.admitFile(dir),
    name: 'out.csv',
  });
  expect(await code(wait(contract.runs.start, run))).toBe('invalid-input');
});
