/** New purpose keys: who can still open what, and what a kill in between leaves. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { purposes } from '#domain/vault/purposes.ts';
import { openVault, openVaultWithRecoveryKey, type OpenVault } from '#domain/vault/index.ts';
import {
  adminPassword,
  bareSchema,
  chunksOf,
  freshVault,
  temporaryFolder,
} from '../../../support/vaults.ts';

const clock = (): Date => new Date();
const root = join(import.meta.dirname, '../../../..');

function openAs(dir: string, user: string, password: string): Promise<OpenVault> {
  return openVault({ dir, user, password, clock, schema: bareSchema });
}

async function store(vault: OpenVault, text: string): Promise<string> {
  const staged = await vault.objects.stage({ source: chunksOf(Buffer.from(text)) });
  await vault.objects.commit([staged], () => undefined);
  return staged.objectId;
}

async function load(vault: OpenVault, id: string): Promise<string> {
  const object = await vault.objects.open(id);
  try {
    return Buffer.from(await object.readAll()).toString();
  } finally {
    await object.close();
  }
}

/** What `vault.json` says of the epochs, and whether a rotation is open in it. */
function keysOnDisk(dir: string): { epochs: Record<string, number>; pending: string[] } {
  const file = JSON.parse(readFileSync(join(dir, 'vault.json'), 'utf8')) as {
    epochs: Record<string, number>;
    slots: { next: object }[];
  };
  return { epochs: file.epochs, pending: file.slots.flatMap(({ next }) => Object.keys(next)) };
}

const none = (): undefined => undefined;

test('all keys change at once, and everybody, the recovery key too, opens the vault as before', async () => {
  const { vault, dir, recoveryKey } = await freshVault();
  const id = await store(vault, 'weights');
  await vault.slots.add({ user: 'Alan', password: 'auditing all day', role: 'auditor' });
  vault.catalog.exec("CREATE TABLE note (t TEXT); INSERT INTO note VALUES ('kept')");
  const rotated = await vault.rotate(purposes, none);
  rotated.catalog.exec("INSERT INTO note VALUES ('after')");
  expect(await load(rotated, id)).toBe('weights');
  const second = await store(rotated, 'more weights');
  rotated.close();
  expect(keysOnDisk(dir)).toEqual({
    epochs: { models: 2, records: 2, catalog: 2, audit: 2 },
    pending: [],
  });

  const ada = await openAs(dir, 'Ada', adminPassword);
  expect(ada.rotated).toEqual([]);
  expect([await load(ada, id), await load(ada, second)]).toEqual(['weights', 'more weights']);
  expect(ada.catalog.prepare('SELECT t FROM note').pluck().all()).toEqual(['kept', 'after']);
  (await ada.rotate(['models'], none)).close();
  const alan = await openAs(dir, 'Alan', 'auditing all day');
  await expect(alan.objects.open(id)).rejects.toMatchObject({ code: 'forbidden' });
  alan.close();
  const recovered = await openVaultWithRecoveryKey({ dir, recoveryKey, clock, schema: bareSchema });
  expect(await load(recovered, id)).toBe('weights');
  recovered.close();
});

test('after a rotation an older vault.json opens neither databases nor objects', async () => {
  const { vault, dir } = await freshVault();
  const id = await store(vault, 'weights');
  const graceSlot = await vault.slots.add({
    user: 'Grace',
    password: 'windmills',
    role: 'analyst',
  });
  const older = join(temporaryFolder(), 'vault.json');
  copyFileSync(join(dir, 'vault.json'), older);
  await vault.slots.remove(graceSlot);

  // Before the rotation the copy still opens everything: that is what the rotation is for.
  const before = join(temporaryFolder(), 'before');
  vault.close();
  cpSync(dir, before, { recursive: true });
  copyFileSync(older, join(before, 'vault.json'));
  const grace = await openAs(before, 'Grace', 'windmills');
  expect(await load(grace, id)).toBe('weights');
  grace.close();

  const ada = await openAs(dir, 'Ada', adminPassword);
  (await ada.rotate(['models'], none)).close();
  copyFileSync(join(dir, 'vault.json'), join(before, 'newer.json'));
  copyFileSync(older, join(dir, 'vault.json'));
  const again = await openAs(dir, 'Grace', 'windmills');
  await expect(again.objects.open(id)).rejects.toMatchObject({ code: 'tampered' });
  again.close();
  copyFileSync(join(before, 'newer.json'), join(dir, 'vault.json'));
  const all = await openAs(dir, 'Ada', adminPassword);
  (await all.rotate(purposes, none)).close();
  copyFileSync(older, join(dir, 'vault.json'));
  await expect(openAs(dir, 'Grace', 'windmills')).rejects.toMatchObject({ code: 'corrupt' });
});

test('an auditor finishes what their keys can, and the next analyst the rest', async () => {
  const { vault, dir } = await freshVault();
  const id = await store(vault, 'weights');
  const slotId = await vault.slots.add({ user: 'Alan', password: 'auditing', role: 'auditor' });
  vault.close();
  killedAt(dir, 'rotate: next keys offered to every slot');
  const alan = await openAs(dir, 'Alan', 'auditing');
  expect(alan.rotated).toEqual(['records', 'catalog', 'audit']);
  expect(alan.epochs()).toEqual({ models: 2, records: 2, catalog: 2, audit: 2 });
  // An auditor's own password can be changed in between without losing what others were offered.
  await alan.slots.setPassword(slotId, 'auditing more');
  alan.close();
  expect(keysOnDisk(dir).epochs).toEqual({ models: 1, records: 2, catalog: 2, audit: 2 });
  const ada = await openAs(dir, 'Ada', adminPassword);
  expect(ada.rotated).toEqual(['models']);
  expect(await load(ada, id)).toBe('weights');
  ada.close();
  (await openAs(dir, 'Alan', 'auditing more')).close();
});

test('a wrapped key that was changed stays unusable, and keeps nobody from rotating or signing in', async () => {
  const { vault, dir } = await freshVault();
  const [good, bad] = [await store(vault, 'weights'), await store(vault, 'others')];
  vault.catalog.prepare('UPDATE objects SET wrapped_key = zeroblob(60) WHERE id = ?').run(bad);
  const rotated = await vault.rotate(purposes, none);
  expect(await load(rotated, good)).toBe('weights');
  rotated.close();
  const opened = await openAs(dir, 'ada', adminPassword);
  expect(await load(opened, good)).toBe('weights');
  await expect(load(opened, bad ?? '')).rejects.toMatchObject({ code: 'tampered' });
  opened.close();
  expect(keysOnDisk(dir).pending).toEqual([]);
});

test('a damaged page stops a rotation before anything has changed', async () => {
  const { vault, dir } = await freshVault();
  vault.records.exec('CREATE TABLE filler (t TEXT)');
  const fill = vault.records.prepare('INSERT INTO filler VALUES (?)');
  for (let at = 0; at < 100; at += 1) fill.run('x'.repeat(2000));
  vault.close();
  const path = join(dir, 'records.db');
  const bytes = readFileSync(path);
  const at = bytes.length - 2000;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  const opened = await openAs(dir, 'ada', adminPassword);
  await expect(opened.rotate(purposes, none)).rejects.toMatchObject({ code: 'corrupt' });
  expect(keysOnDisk(dir).pending).toEqual([]);
  opened.close();
  (await openAs(dir, 'ada', adminPassword)).close();
});

test('nothing is changed while somebody reads a database', async () => {
  const { vault, dir } = await freshVault();
  vault.catalog.exec('CREATE TABLE note (t TEXT); INSERT INTO note VALUES (1), (2)');
  const reading = vault.catalog.prepare('SELECT t FROM note').iterate();
  reading.next();
  await expect(vault.rotate(purposes, none)).rejects.toMatchObject({ code: 'busy' });
  reading.return?.();
  expect(keysOnDisk(dir).epochs).toMatchObject({ catalog: 1 });
  (await vault.rotate(purposes, none)).close();
});

/** Opens the vault in a process of its own and rotates every key there, until the step of that name. */
function killedAt(dir: string, stepName: string): void {
  const script = `
    const { onStep } = await import('#platform/steps.ts');
    const { openVault } = await import('#domain/vault/index.ts');
    const vault = await openVault({ dir: ${JSON.stringify(dir)}, user: 'Ada', password: ${JSON.stringify(adminPassword)},
      clock: () => new Date(), schema: (await import(${JSON.stringify(join(root, 'test/support/bare-vault.ts'))})).bareSchema });
    onStep((name) => { if (name === ${JSON.stringify(stepName)}) process.kill(process.pid, 'SIGKILL'); });
    (await vault.rotate(['models', 'records', 'catalog', 'audit'], () => undefined)).close();`;
  const ended = spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: root });
  expect(ended.signal, ended.stderr.toString()).toBe('SIGKILL');
}

const steps = [
  'rotate: next keys offered to every slot',
  ...['catalog', 'audit', 'records'].flatMap((name) => [
    `rotate: copy of ${name}.db is under its new key`,
    `rotate: ${name}.db is replaced by the copy`,
  ]),
  'rotate: object keys are wrapped anew',
  'rotate: old keys dropped',
];

test.each(steps)('killed at "%s", the next opening finishes the rotation', async (name) => {
  const { vault, dir } = await freshVault();
  const id = await store(vault, 'weights');
  vault.catalog.exec("CREATE TABLE note (t TEXT); INSERT INTO note VALUES ('kept')");
  vault.close();
  killedAt(dir, name);
  const opened = await openAs(dir, 'Ada', adminPassword);
  expect(opened.rotated).toEqual(name === 'rotate: old keys dropped' ? [] : purposes);
  expect(await load(opened, id)).toBe('weights');
  expect(opened.catalog.prepare('SELECT t FROM note').pluck().all()).toEqual(['kept']);
  opened.close();
  expect(keysOnDisk(dir)).toEqual({
    epochs: { models: 2, records: 2, catalog: 2, audit: 2 },
    pending: [],
  });
});

describe.skipIf(spawnSync('strace', ['-V']).status !== 0)('killed at every sync', () => {
  test('a database is under one key or the other, never between', async () => {
    const { vault, dir } = await freshVault();
    const id = await store(vault, 'weights');
    vault.catalog.exec('CREATE TABLE note (t TEXT)');
    const insert = vault.catalog.prepare('INSERT INTO note VALUES (?)');
    vault.catalog.transaction(() => {
      for (let row = 0; row < 2000; row += 1) insert.run(`row ${row} `.repeat(20));
    })();
    vault.close();
    const script = `
      const { openVault } = await import('#domain/vault/index.ts');
      const { bareSchema } = await import(${JSON.stringify(join(root, 'test/support/bare-vault.ts'))});
      const vault = await openVault({ dir: process.env.DIR, user: 'Ada', password: ${JSON.stringify(adminPassword)}, clock: () => new Date(), schema: bareSchema });
      (await vault.rotate(['models', 'catalog'], () => undefined)).close();`;
    let kills = 0;
    for (let sync = 1; sync < 100; sync += 1) {
      const copy = join(temporaryFolder(), 'copy');
      cpSync(dir, copy, { recursive: true });
      const ended = spawnSync(
        'strace',
        // One in every fsync or fdatasync of any thread is turned into the end of the process.
        [
          '-qq',
          '-f',
          '-o',
          '/dev/null',
          '-e',
          'trace=fsync,fdatasync',
          '-e',
          `inject=fsync,fdatasync:signal=SIGKILL:when=${sync}`,
          process.execPath,
          '--input-type=module',
          '-e',
          script,
        ],
        { cwd: root, env: { PATH: process.env['PATH'], DIR: copy } },
      );
      const opened = await openAs(copy, 'Ada', adminPassword);
      expect(await load(opened, id)).toBe('weights');
      expect(opened.catalog.prepare('SELECT count(*) FROM note').pluck().get()).toBe(2000);
      expect(opened.catalog.pragma('integrity_check', { simple: true })).toBe('ok');
      const [models, catalog] = [opened.epochs().models, opened.epochs().catalog];
      expect(models).toBe(catalog);
      opened.close();
      if (ended.status === 0) break;
      kills += 1;
    }
    expect(kills).toBeGreaterThan(8);
  });
});
