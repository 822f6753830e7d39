/** `keys rotate` as people meet it: the session goes on, the log says what happened, and a kill leaves one story. */
import { execFileSync, spawnSync } from 'node:child_process';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { contract } from '#shared/contract/index.ts';
import { appPasswords, openPeopledApp, openTestApp } from '../../support/apps.ts';
import { canMount } from '../../support/can-mount.ts';
import { mountSmallDisk } from '../../support/drives.ts';

const reason = 'Grace has left';
const root = join(import.meta.dirname, '../../..');

test('the session goes on under the new keys, and the log says which they are', async () => {
  const { client, wait, as } = await openPeopledApp();
  const { verifierKey } = await client.audit.checkpoint(null);
  const rotated = await client.keys.rotate({ reason });
  expect(rotated).toMatchObject({
    rotated: ['models', 'records', 'catalog', 'audit'],
    epochs: { models: 2, records: 2, catalog: 2, audit: 2 },
  });
  // Only the key of the log's database brings a new signing key with it.
  expect(rotated.verifierKey).not.toBe(verifierKey);
  expect(await client.keys.rotate({ purposes: ['models'], reason })).toMatchObject({
    verifierKey: rotated.verifierKey,
    epochs: { models: 3 },
  });
  expect(await client.keys.rotate({ purposes: ['audit'], reason })).toMatchObject({
    epochs: { models: 3, records: 2, catalog: 2, audit: 3 },
  });
  await client.policy.set({ idleMinutes: 7, reason });
  const { entries } = await client.audit.list({ action: 'keys.rotate', limit: 10 });
  expect(entries.map(({ entry }) => entry.details).filter(Boolean)).toEqual([
    { epochs: { audit: 3 } },
    { epochs: { models: 3 } },
    { epochs: { models: 2, records: 2, catalog: 2, audit: 2 } },
  ]);
  expect(entries.at(-1)?.entry).toMatchObject({ phase: 'begin', reason });
  await as('audrey');
  expect(await wait(contract.audit.verify, client.audit.verify({}))).toMatchObject({
    status: 'intact',
  });
  await expect(client.keys.rotate({ reason })).rejects.toMatchObject({ code: 'forbidden' });
});

test.each([
  ['rotate: next keys offered to every slot', 'ok'],
  ['rotate: catalog.db is replaced by the copy', 'ok'],
  ['log: event of audit.key-rotate', 'ok'],
  ['rotate: audit.db is replaced by the copy', 'ok'],
  ['rotate: old keys dropped', 'ok'],
  ['log: announced', 'error'],
])('killed at "%s", the next sign-in finishes and the log ends with %s', async (at, outcome) => {
  const { app, dir } = await openPeopledApp();
  await app.close();
  const script = `
    const { onStep } = await import('#platform/steps.ts');
    const { createApp } = await import('#app/create-app.ts');
    const app = createApp({ vaultDir: ${JSON.stringify(join(dir, 'vault'))}, host: 'cli' });
    const die = () => process.kill(process.pid, 'SIGKILL');
    await app.dispatch('vault.signIn', { user: 'ada', password: ${JSON.stringify(appPasswords.ada)} });
    onStep((name) => { if (name === ${JSON.stringify(at)}) die(); });
    const done = app.dispatch('keys.rotate', { reason: 'test' });
    if (${JSON.stringify(at)} === 'log: announced') die();
    await done;`;
  const ended = spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: root });
  expect(ended.signal, ended.stderr.toString()).toBe('SIGKILL');
  const { client, wait } = openTestApp(dir);
  await client.vault.signIn({ user: 'ada', password: appPasswords.ada });
  const { entries } = await client.audit.list({ action: 'keys.rotate', limit: 10 });
  expect(entries.map(({ entry }) => entry.outcome)).toEqual([outcome, undefined]);
  // One hand-over for one rotation, in the name of whoever asked for it.
  const handed = await client.audit.list({ action: 'audit.key-rotate', limit: 10 });
  expect(handed.entries.map(({ entry }) => [entry.actor, entry.reason])).toEqual(
    outcome === 'ok' ? [['ada', 'test']] : [],
  );
  expect((await client.audit.checkpoint(null)).earlierKeys.length).toBe(outcome === 'ok' ? 1 : 0);
  const epochs = { models: 2, records: 2, catalog: 2, audit: 2 };
  expect(await client.keys.rotate({ purposes: ['models'], reason })).toMatchObject({
    epochs: outcome === 'ok' ? { ...epochs, models: 3 } : { models: 2, audit: 1 },
  });
  expect(await wait(contract.audit.verify, client.audit.verify({}))).toMatchObject({
    status: 'intact',
  });
});

test.skipIf(!canMount)(
  'on a disk without room nothing is rotated, the vault seals itself, and the log tells the same story',
  async () => {
    const outcomes = new Set<string>();
    for (const roomBytes of [100_000, 150_000, 400_000]) {
      const { app, client, dir, wait } = openTestApp();
      const small = join(dir, 'vault');
      mountSmallDisk(small, '3m');
      try {
        await client.vault.create({ user: 'ada', password: appPasswords.ada });
        const { bavail, bsize } = statfsSync(small);
        const ballast = join(small, 'ballast');
        writeFileSync(ballast, Buffer.alloc(bavail * bsize - roomBytes));
        const failed = await client.keys.rotate({ reason }).then(
          () => false,
          () => true,
        );
        rmSync(ballast);
        if (failed) {
          // It begins at once and lets go of the children first.
          await expect.poll(() => client.vault.status(null)).toMatchObject({ state: 'sealed' });
          await client.vault.signIn({ user: 'ada', password: appPasswords.ada });
        }
        const { entries } = await client.audit.list({ action: 'keys.rotate', limit: 10 });
        const outcome = entries[0]?.entry.outcome;
        const epoch = outcome === 'ok' ? 2 : 1;
        expect(await client.keys.rotate({ purposes: ['audit'], reason })).toMatchObject({
          epochs: { models: epoch, records: epoch, catalog: epoch, audit: epoch + 1 },
        });
        expect(await wait(contract.audit.verify, client.audit.verify({}))).toMatchObject({
          status: 'intact',
        });
        outcomes.add(`${failed ? 'failed' : 'done'}: ${outcome}`);
      } finally {
        await app.close();
        execFileSync('umount', [small]);
      }
    }
    expect([...outcomes]).toEqual(['failed: error', 'done: ok']);
  },
);
