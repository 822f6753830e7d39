import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  createVault,
  openVault,
  openVaultWithRecoveryKey,
  readVaultInfo,
  type OpenVault,
} from '#domain/vault/index.ts';
import {
  adminPassword,
  bareSchema,
  chunksOf,
  freshVault,
  temporaryFolder,
} from '../../../support/vaults.ts';

const clock = (): Date => new Date();

function openAs(dir: string, user: string, password: string, at = clock): Promise<OpenVault> {
  return openVault({ dir, user, password, clock: at, schema: bareSchema });
}

async function store(vault: OpenVault, bytes: Uint8Array): Promise<string> {
  const staged = await vault.objects.stage({ source: chunksOf(bytes) });
  await vault.objects.commit([staged], () => undefined);
  return staged.objectId;
}

async function load(vault: OpenVault, id: string): Promise<Uint8Array> {
  const object = await vault.objects.open(id);
  try {
    return await object.readAll();
  } finally {
    await object.close();
  }
}

describe('opening', () => {
  test('opens for the right password, whatever the case of the name', async () => {
    const { vault, dir } = await freshVault();
    const id = await store(vault, Buffer.from('weights'));
    vault.close();
    const again = await openAs(dir, 'ADA', adminPassword);
    expect(Buffer.from(await load(again, id)).toString()).toBe('weights');
    again.close();
  });

  test('says the same to a wrong password and to an unknown name', async () => {
    const { vault, dir } = await freshVault();
    vault.close();
    const wrong = await openAs(dir, 'Ada', 'not this one').catch((error: unknown) => error);
    const unknown = await openAs(dir, 'Nobody', adminPassword).catch((error: unknown) => error);
    expect(wrong).toMatchObject({ code: 'wrong-password' });
    expect(unknown).toMatchObject({ code: 'wrong-password', message: (wrong as Error).message });
  });

  test('blocks a name after five wrong passwords, across restarts, for a quarter of an hour', async () => {
    const { vault, dir } = await freshVault();
    vault.close();
    let now = new Date('2031-01-01T08:00:00Z');
    for (let tries = 0; tries < 5; tries += 1) {
      await expect(openAs(dir, 'Ada', 'guess', () => now)).rejects.toMatchObject({
        code: 'wrong-password',
      });
    }
    await expect(openAs(dir, 'Ada', adminPassword, () => now)).rejects.toMatchObject({
      code: 'locked',
    });
    // Set back, the clock neither frees the name nor blocks it for longer than a period from then on.
    for (const minute of ['00', '14']) {
      now = new Date(`2030-12-01T00:${minute}:00Z`);
      await expect(openAs(dir, 'Ada', adminPassword, () => now)).rejects.toMatchObject({
        code: 'locked',
      });
    }
    now = new Date('2030-12-01T00:15:01Z');
    const opened = await openAs(dir, 'Ada', adminPassword, () => now);
    expect(opened.failedAttempts).toBe(5);
    opened.close();
    // Until the log has them, they are told again.
    const unreported = await openAs(dir, 'Ada', adminPassword, () => now);
    expect(unreported.failedAttempts).toBe(5);
    await unreported.attemptsReported();
    unreported.close();
    const again = await openAs(dir, 'Ada', adminPassword, () => now);
    expect(again.failedAttempts).toBe(0);
    again.close();
  });

  test('opens with the recovery key, and with no other', async () => {
    const { vault, dir, recoveryKey } = await freshVault();
    const id = await store(vault, Buffer.from('weights'));
    vault.close();
    const other = await freshVault();
    other.vault.close();
    const deps = { dir, clock, schema: bareSchema };
    await expect(
      openVaultWithRecoveryKey({ ...deps, recoveryKey: other.recoveryKey }),
    ).rejects.toMatchObject({ code: 'wrong-password' });
    const opened = await openVaultWithRecoveryKey({ ...deps, recoveryKey });
    await opened.slots.add({ user: 'Ada', password: 'the next harbour', role: 'administrator' });
    opened.close();
    const ada = await openAs(dir, 'ada', 'the next harbour');
    expect(Buffer.from(await load(ada, id)).toString()).toBe('weights');
    ada.close();
    await expect(openAs(dir, 'ada', adminPassword)).rejects.toMatchObject({
      code: 'wrong-password',
    });
  });

  test('will not make a vault where there is one, or where other files are', async () => {
    const { vault, dir } = await freshVault();
    vault.close();
    const occupied = temporaryFolder();
    writeFileSync(join(occupied, 'thesis.txt'), 'mine');
    for (const place of [dir, occupied]) {
      const options = {
        dir: place,
        user: 'Eve',
        password: 'x'.repeat(12),
        profile: 'standard',
        clock,
        schema: bareSchema,
      } as const;
      await expect(createVault(options)).rejects.toMatchObject({ code: 'conflict' });
    }
    expect(readFileSync(join(occupied, 'thesis.txt'), 'utf8')).toBe('mine');
    expect(await readVaultInfo(temporaryFolder())).toBeUndefined();
  });

  test('finds a vault file that was changed without a password, and names a newer format', async () => {
    const { vault, dir } = await freshVault();
    vault.close();
    const path = join(dir, 'vault.json');
    const file = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    writeFileSync(path, JSON.stringify({ ...file, createdAt: '2020-01-01T00:00:00.000Z' }));
    await expect(openAs(dir, 'Ada', adminPassword)).rejects.toMatchObject({ code: 'tampered' });
    writeFileSync(path, JSON.stringify({ ...file, formatVersion: 3 }));
    await expect(openAs(dir, 'Ada', adminPassword)).rejects.toMatchObject({ code: 'unsupported' });
    writeFileSync(path, 'not json');
    await expect(openAs(dir, 'Ada', adminPassword)).rejects.toMatchObject({ code: 'corrupt' });
    writeFileSync(
      path,
      JSON.stringify({
        ...file,
        kdf: { name: 'argon2id', memoryKib: 2 ** 31, passes: 1, lanes: 1 },
      }),
    );
    await expect(openAs(dir, 'Ada', adminPassword)).rejects.toMatchObject({ code: 'corrupt' });
  });

  test('a second process is told that the vault is busy, and a killed one leaves no lock', async () => {
    const { vault, dir } = await freshVault();
    await expect(openAs(dir, 'Ada', adminPassword)).rejects.toMatchObject({ code: 'busy' });
    vault.close();
    const lock = new URL('../../../../electron/platform/lock.ts', import.meta.url).href;
    const holder = spawn(process.execPath, [
      '--input-type=module',
      '-e',
      `const { acquireLock } = await import(${JSON.stringify(lock)}); globalThis.lock = acquireLock(${JSON.stringify(join(dir, 'lock'))}); console.log('held'); setInterval(() => {}, 1000);`,
    ]);
    await once(holder.stdout, 'data');
    await expect(openAs(dir, 'Ada', adminPassword)).rejects.toMatchObject({ code: 'busy' });
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    const opened = await openAs(dir, 'Ada', adminPassword);
    opened.close();
  });
});

describe('roles in the keys', () => {
  test("an auditor's key slot cannot decrypt a model, even after a password change; a new role changes that", async () => {
    const { vault, dir } = await freshVault();
    const id = await store(vault, Buffer.from('weights'));
    const slotId = await vault.slots.add({
      user: 'Alan',
      password: 'auditing all day',
      role: 'auditor',
    });
    await vault.slots.setPassword(slotId, 'auditing all night');
    vault.close();

    const auditor = await openAs(dir, 'Alan', 'auditing all night');
    expect(
      ['models', 'records', 'catalog', 'audit'].map((purpose) =>
        auditor.holds(purpose as 'models'),
      ),
    ).toEqual([false, true, true, true]);
    await expect(auditor.objects.open(id)).rejects.toMatchObject({ code: 'forbidden' });
    await expect(
      auditor.objects.stage({ source: chunksOf(Buffer.from('x')) }),
    ).rejects.toMatchObject({ code: 'forbidden' });
    await expect(auditor.slots.setRole(slotId, 'administrator')).rejects.toMatchObject({
      code: 'forbidden',
    });
    auditor.close();

    const ada = await openAs(dir, 'Ada', adminPassword);
    await ada.slots.setRole(slotId, 'analyst');
    ada.close();
    const analyst = await openAs(dir, 'Alan', 'auditing all night');
    expect(Buffer.from(await load(analyst, id)).toString()).toBe('weights');
    await analyst.slots.remove(slotId);
    analyst.close();
    await expect(openAs(dir, 'Alan', 'auditing all night')).rejects.toMatchObject({
      code: 'wrong-password',
    });
  });
});

test('keys unlocked after an analyst became auditor open no object', async () => {
  const { vault, dir } = await freshVault();
  const id = await store(vault, Buffer.from('weights'));
  const slotId = await vault.slots.add({
    user: 'Grace',
    password: 'windmills at noon',
    role: 'analyst',
  });
  await vault.slots.setRole(slotId, 'auditor');
  vault.close();
  const grace = await openAs(dir, 'Grace', 'windmills at noon');
  expect(grace.holds('models')).toBe(false);
  await expect(load(grace, id)).rejects.toMatchObject({ code: 'forbidden' });
  grace.close();
  // Not by the program's word: the slot on disk has nothing sealed in it for that purpose.
  const { slots } = JSON.parse(readFileSync(join(dir, 'vault.json'), 'utf8')) as {
    slots: { id: string; sealed: object }[];
  };
  const sealed = slots.find((slot) => slot.id === slotId)?.sealed ?? {};
  expect(Object.keys(sealed).toSorted()).toEqual(['audit', 'catalog', 'records']);
});

describe('objects', () => {
  test('nothing of a file, a name or a password is readable under the vault', async () => {
    const canary = 'PLAINTEXT-CANARY-0123456789';
    // Long enough that random bytes do not spell it: three letters come up in one vault of a hundred.
    const name = 'Grace Brewster Hopper';
    const { vault, dir } = await freshVault();
    await vault.slots.add({ user: name, password: 'windmills at noon', role: 'analyst' });
    await store(vault, Buffer.from(canary.repeat(2000)));
    vault.catalog.exec(`CREATE TABLE note (t TEXT); INSERT INTO note VALUES ('${canary}')`);
    const folder = everyByteUnder(dir);
    vault.close();
    for (const bytes of [folder, everyByteUnder(dir)]) {
      for (const secret of [canary, name, 'windmills at noon', adminPassword])
        expect(bytes.includes(secret)).toBe(false);
    }
    expect(statSync(dir).mode & 0o077).toBe(0);
  });

  test('a damaged, exchanged or missing object file is found when it is read', async () => {
    const { vault, dir } = await freshVault();
    const first = await store(vault, Buffer.alloc(3_000_000, 1));
    const second = await store(vault, Buffer.alloc(3_000_000, 1));
    const pathOf = (id: string): string => join(dir, 'objects', id.slice(0, 2), id);
    const good = readFileSync(pathOf(first));
    const bad = Buffer.from(good);
    bad[2_000_000] = (bad[2_000_000] ?? 0) ^ 1;
    writeFileSync(pathOf(first), bad);
    await expect(load(vault, first)).rejects.toMatchObject({ code: 'corrupt' });
    writeFileSync(pathOf(first), readFileSync(pathOf(second)));
    await expect(load(vault, first)).rejects.toMatchObject({ code: 'corrupt' });
    rmSync(pathOf(first));
    await expect(load(vault, first)).rejects.toMatchObject({ code: 'corrupt' });
    expect((await load(vault, second)).length).toBe(3_000_000);
    vault.catalog
      .prepare(
        'UPDATE objects SET wrapped_key = (SELECT wrapped_key FROM objects WHERE id = ?) WHERE id = ?',
      )
      .run(first, second);
    await expect(load(vault, second)).rejects.toMatchObject({ code: 'tampered' });
    vault.close();
  });

  test('an aborted, failing or refused import leaves nothing behind', async () => {
    const { vault, dir } = await freshVault();
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(2_000_000);
      throw new Error('the stick was pulled out');
    }
    await expect(vault.objects.stage({ source: failing() })).rejects.toThrow('pulled out');
    const abort = new AbortController();
    await expect(
      vault.objects.stage({
        source: chunksOf(Buffer.alloc(5_000_000)),
        signal: abort.signal,
        onBytes: () => abort.abort(),
      }),
    ).rejects.toThrow();
    const staged = await vault.objects.stage({ source: chunksOf(Buffer.from('x')) });
    const refusing = vault.objects.commit([staged], () => {
      throw new Error('a row is in the way');
    });
    await expect(refusing).rejects.toThrow('in the way');
    expect(filesUnder(join(dir, 'staging'))).toEqual([]);
    expect(filesUnder(join(dir, 'objects'))).toEqual([]);
    expect(vault.catalog.prepare('SELECT count(*) FROM objects').pluck().get()).toBe(0);
    vault.close();
  });

  test('files that no row knows are kept in quarantine', async () => {
    const { vault, dir } = await freshVault();
    vault.close();
    const stranger = 'ab'.repeat(16);
    await mkdir(join(dir, 'objects', 'ab'));
    writeFileSync(join(dir, 'objects', 'ab', stranger), 'from a better time');
    const opened = await openAs(dir, 'Ada', adminPassword);
    expect(opened.recovery).toEqual({ rolledBack: 0, swept: 0, quarantined: 1 });
    expect(readFileSync(join(dir, 'quarantine', stranger), 'utf8')).toBe('from a better time');
    opened.close();
  });

  test('a process killed anywhere in an import leaves all of it or nothing', async () => {
    const { vault, dir } = await freshVault();
    vault.close();
    const script = join(import.meta.dirname, '../../../support/import-forever.ts');
    let survivors = 0;
    for (let round = 0; round < 12; round += 1) {
      const child = spawn(process.execPath, [script, dir], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(child.stdout, 'data');
      // Now and then one more is whole; else where it is after so long.
      if (round % 3 === 0) await once(child.stdout, 'data');
      await new Promise((resolve) => setTimeout(resolve, 7 * round));
      child.kill('SIGKILL');
      await once(child, 'exit');

      const opened = await openAs(dir, 'Ada', adminPassword);
      const rows = opened.catalog
        .prepare<[], { id: string; state: string }>('SELECT id, state FROM objects')
        .all();
      expect(rows.every((row) => row.state === 'live')).toBe(true);
      expect(rows.length % 3).toBe(0);
      expect(opened.catalog.prepare('SELECT count(*) FROM pairs').pluck().get()).toBe(
        rows.length / 3,
      );
      for (const { id } of rows.slice(-3)) expect((await load(opened, id)).length).toBe(200_000);
      expect(filesUnder(join(dir, 'objects')).length).toBe(rows.length);
      expect(filesUnder(join(dir, 'staging'))).toEqual([]);
      expect(opened.recovery.quarantined).toBe(0);
      survivors = rows.length;
      opened.close();
    }
    expect(survivors).toBeGreaterThan(0);
  });

  test('a copied vault opens elsewhere', async () => {
    const { vault, dir } = await freshVault();
    const id = await store(vault, Buffer.from('weights'));
    vault.close();
    const copy = join(temporaryFolder(), 'copy');
    cpSync(dir, copy, { recursive: true });
    const opened = await openAs(copy, 'Ada', adminPassword);
    expect(Buffer.from(await load(opened, id)).toString()).toBe('weights');
    opened.close();
  });
});

function filesUnder(dir: string): string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function everyByteUnder(dir: string): Buffer {
  return Buffer.concat(filesUnder(dir).map((path) => readFileSync(path)));
}
