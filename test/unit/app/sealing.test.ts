/** When the vault closes by itself, and that it always can. */
import { execFileSync, spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { contract } from '#shared/contract/index.ts';
import { appPasswords, openPeopledApp, openTestApp } from '../../support/apps.ts';
import { canMount } from '../../support/can-mount.ts';
import { mountSmallDisk } from '../../support/drives.ts';

const reason = 'as tested';

test('the vault seals itself when nobody has acted for as long as the policy says', async () => {
  const { client } = await openPeopledApp();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    await client.policy.set({ idleMinutes: 3, reason });
    await vi.advanceTimersByTimeAsync(2.9 * 60_000);
    await client.vault.touch(null);
    await vi.advanceTimersByTimeAsync(2.9 * 60_000);
    expect(await client.vault.status(null)).toMatchObject({ state: 'open' });
    await vi.advanceTimersByTimeAsync(0.2 * 60_000);
    expect(await client.vault.status(null)).toMatchObject({
      state: 'sealed',
      sealedBecause: 'idle',
      session: null,
    });
  } finally {
    vi.useRealTimers();
  }
  await expect(client.models.list(null)).rejects.toMatchObject({ code: 'locked' });
});

test('a core whose host was killed seals and says so in the log, whatever it was being asked', async () => {
  const { client, dir } = await openPeopledApp();
  await client.vault.seal(null);
  const host = join(import.meta.dirname, '../../support/killed-host.ts');
  // It has ended when nobody holds its output any more: host and core.
  const { signal, stderr } = spawnSync(process.execPath, [host, dir], { encoding: 'utf8' });
  expect({ signal, stderr }).toEqual({ signal: 'SIGKILL', stderr: '' });
  await client.vault.signIn({ user: 'ada', password: appPasswords.ada });
  const { entries } = await client.audit.list({ limit: 3 });
  expect(entries.map(({ entry }) => entry.action)).toEqual([
    'vault.sign-in',
    'vault.seal',
    'vault.sign-in',
  ]);
});

test('a locked screen seals, and the log says so', async () => {
  const { app, client } = await openPeopledApp();
  await app.screenLocked();
  expect(await client.vault.status(null)).toMatchObject({
    state: 'sealed',
    sealedBecause: 'locked-screen',
  });
  await client.vault.signIn({ user: 'ada', password: appPasswords.ada });
  const { entries } = await client.audit.list({ action: 'vault.seal', limit: 1 });
  expect(entries[0]?.entry.details).toEqual({ because: 'locked-screen' });
});

test('a screen that is locked while a vault is made seals it, and its recovery key is still handed out', async () => {
  const { app, client } = openTestApp();
  const creating = client.vault.create({ user: 'ada', password: appPasswords.ada });
  // As soon as the work has begun.
  await new Promise((resolve) => setImmediate(resolve));
  await app.screenLocked();
  expect((await creating).recoveryKey).toMatch(/^\w{5}(-\w{5})*-\w{3}$/);
  expect(await client.vault.status(null)).toMatchObject({
    state: 'sealed',
    sealedBecause: 'locked-screen',
  });
});

test.skipIf(!canMount)(
  'when the log cannot be written, the act is refused and the vault seals',
  async () => {
    const { app, client, dir, wait } = openTestApp();
    const small = join(dir, 'vault');
    mountSmallDisk(small, '8m');
    try {
      await client.vault.create({ user: 'ada', password: appPasswords.ada });
      const ballast = join(small, 'ballast');
      const fill = (): void => {
        try {
          writeFileSync(ballast, Buffer.alloc(16 * 1024 * 1024));
        } catch {
          // Full now, as wanted.
        }
      };
      // Work that a seal waits for: when the act is refused, the vault is sealed all the same, and not a moment later.
      const large = join(dir, 'large');
      writeFileSync(large, Buffer.alloc(64 * 2 ** 20, '\n'));
      await client.reports.verify({ file: app.admitFile(large) });
      fill();
      await expect(client.policy.set({ idleMinutes: 7, reason })).rejects.toMatchObject({
        code: 'io',
      });
      expect(await client.vault.status(null)).toMatchObject({
        state: 'sealed',
        sealedBecause: 'log-failure',
      });
      // Nobody can sign in without an entry, and a failed try leaves nothing open.
      const again = { user: 'ada', password: appPasswords.ada };
      await expect(client.vault.signIn(again)).rejects.toMatchObject({ code: 'io' });
      await expect(client.vault.signIn(again)).rejects.toMatchObject({ code: 'io' });
      rmSync(ballast);
      await client.vault.signIn(again);
      expect(await client.policy.show(null)).toMatchObject({ idleMinutes: 15 });
      fill();
      await client.vault.seal(null);
      expect(await client.vault.status(null)).toMatchObject({ state: 'sealed' });
      rmSync(ballast);
      await client.vault.signIn(again);
      expect(await wait(contract.audit.verify, client.audit.verify({}))).toMatchObject({
        status: 'intact',
      });
      await app.close();
    } finally {
      execFileSync('umount', [small]);
    }
  },
);

test('the state of the vault can be asked for while it is being sealed', async () => {
  const { client } = await openPeopledApp();
  for (let round = 0; round < 5; round += 1) {
    const asked: Promise<{ state: string }>[] = [];
    const sealed = client.vault.seal(null);
    for (let at = 0; at < 40; at += 1) {
      asked.push(client.vault.status(null));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await sealed;
    for (const { state } of await Promise.all(asked)) expect(['open', 'sealed']).toContain(state);
    await client.vault.signIn({ user: 'ada', password: appPasswords.ada });
  }
});
