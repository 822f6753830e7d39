import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { contract } from '#shared/contract/index.ts';
import { openDatabase } from '#platform/database.ts';
import { deriveKey, requireKey, type RootKeys } from '#domain/vault/purposes.ts';
import { openFloeFile } from '#domain/floe/index.ts';
import { unwrap } from '#domain/vault/slots.ts';
import { appPasswords, openPeopledApp, openTestApp, type TestApp } from '../../support/apps.ts';
import { plainFiles, signedFolder, signingKey, type Files } from '../../support/bundles.ts';
import { allPages, holds, keysOf } from '../../support/pages.ts';
import { temporaryFolder } from '../../support/vaults.ts';

const reason = 'as tested';

async function prepared(files: Files = plainFiles): Promise<TestApp> {
  const test = await openPeopledApp();
  const { app, client, dir, wait } = test;
  writeFileSync(join(dir, 'maker.pem'), signingKey.publicPem);
  await client.trust.add({ name: 'Model maker', file: app.admitFile(join(dir, 'maker.pem')) });
  await client.policy.set({ secondPerson: false, reason });
  const source = app.admitFile(await signedFolder(join(dir, 'bundle'), files));
  await wait(contract.bundles.import, client.bundles.import({ source, name: 'tested' }));
  return test;
}

interface StoredObject {
  readonly id: string;
  readonly size_bytes: number;
  readonly wrapped_key: Buffer;
  readonly epoch: number;
}

/** From a copy of the vault, so that the one in use is left alone. */
function objectsIn(copy: string, keys: RootKeys): StoredObject[] {
  const key = deriveKey(requireKey(keys, 'catalog'), 'catalog.db');
  const db = openDatabase(join(copy, 'catalog.db'), key, 'existing');
  try {
    return db.prepare<[], StoredObject>('SELECT * FROM objects ORDER BY created_at, id').all();
  } finally {
    db.close();
  }
}

function copyOf(vaultDir: string): string {
  const copy = join(temporaryFolder(), 'copy');
  cpSync(vaultDir, copy, { recursive: true });
  return copy;
}

async function decrypt(
  path: string,
  object: StoredObject,
  vault: { readonly id: string; readonly keys: RootKeys },
): Promise<Uint8Array> {
  const aad = Buffer.alloc(20);
  aad.write(object.id, 0, 'hex');
  aad.writeUInt32BE(object.epoch, 16);
  const wrapKey = deriveKey(requireKey(vault.keys, 'models'), 'object keys v1');
  const key = unwrap(wrapKey, object.wrapped_key, aad);
  if (key === undefined) throw new Error('The key of the object does not open.');
  const { open } = await import('node:fs/promises');
  await using file = await open(path, 'r');
  const reader = await openFloeFile({
    fd: file.fd,
    key,
    aad: Buffer.from(vault.id + object.id, 'hex'),
    sizeBytes: object.size_bytes,
  });
  return await reader.readAll();
}

async function intact({ client, wait }: TestApp): Promise<void> {
  expect(await wait(contract.audit.verify, client.audit.verify({}))).toMatchObject({
    status: 'intact',
  });
}

describe('a version that is erased', () => {
  test('has no key in any page of the vault, so that the ciphertext that is kept elsewhere opens no more', async () => {
    // Many small files: pages of the table are split, and what moved leaves copies behind.
    const many = Object.fromEntries(
      Array.from({ length: 120 }, (_, at) => [`docs/${at}.txt`, `page ${at}`]),
    );
    const test = await prepared({ ...plainFiles, ...many });
    const { app, client, dir, wait } = test;
    const vaultDir = join(dir, 'vault');
    const other = app.admitFile(
      await signedFolder(join(dir, 'other'), { ...plainFiles, 'a.txt': 'a' }),
    );
    await wait(contract.bundles.import, client.bundles.import({ source: other, name: 'tested' }));
    const keys = await keysOf(vaultDir);
    const { vaultId } = await client.vault.status(null);
    const before = copyOf(vaultDir);
    const objects = objectsIn(before, keys);
    const ofVersion = objects.slice(0, Object.keys({ ...plainFiles, ...many }).length + 1);
    const [first] = ofVersion;
    if (first === undefined || vaultId === null) throw new Error('Nothing was stored.');
    const ciphertext = join(dir, 'ciphertext');
    copyFileSync(join(vaultDir, 'objects', first.id.slice(0, 2), first.id), ciphertext);
    // With the key that stands there now, the copy opens.
    expect((await decrypt(ciphertext, first, { id: vaultId, keys })).length).toBe(first.size_bytes);
    for (const { wrapped_key: key } of ofVersion)
      expect(holds(allPages(vaultDir, keys), key)).toBe(true);

    const result = await client.erasure.version({ version: 'tested@1', reason });
    expect(result).toMatchObject({
      erased: ['tested@1'],
      keys: ofVersion.length,
      files: ofVersion.length,
      complete: true,
      receipt: null,
    });
    const pages = allPages(vaultDir, keys);
    for (const { wrapped_key: key } of ofVersion) expect(holds(pages, key)).toBe(false);
    for (const { id } of ofVersion)
      expect(existsSync(join(vaultDir, 'objects', id.slice(0, 2), id))).toBe(false);
    // What was not erased has its keys and its files.
    for (const { id, wrapped_key: key } of objects.slice(ofVersion.length)) {
      expect(holds(pages, key)).toBe(true);
      expect(existsSync(join(vaultDir, 'objects', id.slice(0, 2), id))).toBe(true);
    }
    await app.close();
    const after = allPages(vaultDir, keys);
    for (const { wrapped_key: key } of ofVersion) expect(holds(after, key)).toBe(false);
  });

  test('keeps its row, its history and every proof, and nothing that speaks of it breaks', async () => {
    const test = await prepared();
    const { app, client, dir, wait } = test;
    const folder = app.admitFile(dir);
    writeFileSync(join(dir, 'in.csv'), `a,b\n${'1,2\n'.repeat(40)}`);
    const input = app.admitFile(join(dir, 'in.csv'));
    const second = app.admitFile(
      await signedFolder(join(dir, 'b'), { ...plainFiles, 'b.txt': 'b' }),
    );
    await wait(contract.bundles.import, client.bundles.import({ source: second, name: 'tested' }));
    await client.models.promote({ version: 'tested@1', to: 'production', reason });
    const run = await wait(
      contract.runs.start,
      client.runs.start({ version: 'tested@1', input, folder, name: 'out.csv' }),
    );
    const report = await wait(
      contract.reports.make,
      client.reports.make({ kind: 'production-history', folder, name: 'before.pdf' }),
    );
    const proof = await client.audit.prove({ index: 3 });
    writeFileSync(join(dir, 'proof.txt'), proof.text);

    await expect(client.erasure.version({ version: 'tested@1', reason })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('in production') as string,
    });
    await client.models.promote({ version: 'tested@2', to: 'production', reason });
    const was = await client.models.version({ version: 'tested@1' });
    await test.as('grace');
    await expect(client.erasure.version({ version: 'tested@1', reason })).rejects.toMatchObject({
      code: 'forbidden',
    });
    await test.as('ada');
    await client.erasure.version({ version: 'tested@1', reason });

    expect(await client.models.version({ version: 'tested@1' })).toEqual({
      ...was,
      stage: 'erased',
    });
    const { versions } = await client.models.show({ model: 'tested' });
    expect(versions.map(({ stage }) => stage)).toEqual(['production', 'erased']);
    expect((await client.models.history({ model: 'tested' })).events[0]).toMatchObject({
      kind: 'stage',
      to: 'erased',
      reason,
    });
    const diff = await client.models.diff({ from: 'tested@1', to: 'tested@2' });
    expect(diff.areas.find(({ area }) => area === 'files')?.changes.length).toBeGreaterThan(0);
    expect(diff.areas.map(({ area }) => area)).not.toContain('weights');
    expect(diff.notes.join()).toMatch(/graph and weights.*tested@1 was erased/);
    expect(await client.runs.show({ runId: run.runId })).toMatchObject({
      summary: { state: 'done' },
    });
    await client.monitor.show({ version: 'tested@1' });
    await expect(client.runs.preview({ version: 'tested@1', input })).rejects.toMatchObject({
      code: 'refused',
    });
    await expect(
      wait(
        contract.bundles.export,
        client.bundles.export({ version: 'tested@1', folder, name: 'x' }),
      ),
    ).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('erased') as string,
    });
    expect(existsSync(join(dir, 'x'))).toBe(false);
    await expect(client.erasure.version({ version: 'tested@1', reason })).rejects.toMatchObject({
      code: 'conflict',
    });
    const again = app.admitFile(join(dir, 'bundle'));
    await expect(
      wait(contract.bundles.import, client.bundles.import({ source: again, name: 'tested' })),
    ).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('erased') as string,
    });

    await intact(test);
    for (const file of [report.path, join(dir, 'proof.txt')])
      expect(
        await wait(contract.reports.verify, client.reports.verify({ file: app.admitFile(file) })),
      ).toMatchObject({ status: 'valid' });
    const { entries } = await client.audit.list({ action: 'model.erase', limit: 1 });
    expect(entries[0]?.entry).toMatchObject({
      outcome: 'error',
      code: 'conflict',
    });
    expect(readdirSync(join(dir, 'vault/quarantine'))).toEqual([]);
  });
});

const people = ['anna-17', 'bela-23', 'cara-99'];

/** Six rows of three people, one row that names nobody, one that is rejected. */
const table = [
  'who,a,b',
  ...people.map((who, at) => `${who},${at},1`),
  `,7,7`,
  `${people[0]},"x",5`,
  ...people.map((who, at) => `${who},${at + 10},2`),
];

function keptRun(
  { app, client, dir, wait }: TestApp,
  {
    subject,
    name = 'out.csv',
    input = 'people.csv',
  }: { readonly subject?: string; readonly name?: string; readonly input?: string } = {},
) {
  writeFileSync(join(dir, 'people.csv'), `${table.join('\n')}\n`);
  return wait(
    contract.runs.start,
    client.runs.start({
      version: 'tested',
      input: app.admitFile(join(dir, input)),
      folder: app.admitFile(dir),
      name,
      keep: true,
      ...(subject === undefined ? {} : { subject }),
    }),
  );
}

function exportOf({ app, client, dir, wait }: TestApp, runId: string, name: string) {
  return wait(
    contract.runs.export,
    client.runs.export({ runId, folder: app.admitFile(dir), name }),
  );
}

describe('data that a run keeps', () => {
  test('comes out byte for byte, and no more once it is erased', async () => {
    const test = await prepared();
    const { app, client, dir, wait } = test;
    const run = await keptRun(test);
    expect(run.kept).toMatchObject({ state: 'kept', subject: null, rows: 8, leftOut: 0 });
    await test.as('audrey');
    await expect(exportOf(test, run.runId, 'no')).rejects.toMatchObject({ code: 'forbidden' });
    await test.as('grace');
    expect(await exportOf(test, run.runId, 'kept')).toMatchObject({ rows: 8, erasedRows: 0 });
    expect(readFileSync(join(dir, 'kept/input.csv'))).toEqual(
      readFileSync(join(dir, 'people.csv')),
    );
    expect(readFileSync(join(dir, 'kept/predictions.csv'))).toEqual(
      readFileSync(join(dir, 'out.csv')),
    );
    await test.as('ada');
    mkdirSync(join(dir, 'medium'));
    const folder = app.admitFile(join(dir, 'medium'));
    await wait(contract.backups.make, client.backups.make({ folder }));
    expect(await client.erasure.data({ runId: run.runId, reason })).toMatchObject({
      erased: [run.runId],
      keys: 2,
      files: 2,
      rows: 8,
      // That copy was made while the keys were there.
      backups: [{ name: 'snapshot 1', place: expect.stringContaining('medium') as string }],
    });
    const later = await keptRun(test, { name: 'later.csv' });
    expect(await client.erasure.data({ runId: later.runId, reason })).toMatchObject({
      backups: [],
    });
    await expect(exportOf(test, run.runId, 'again')).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('erased') as string,
    });
    expect(await client.runs.show({ runId: run.runId })).toMatchObject({
      kept: { state: 'erased', erasedRows: 8 },
      result: { outputDigest: run.outputDigest },
    });
    await intact(test);
  });

  test('is refused where the person could not be told, or would be in the profile', async () => {
    const test = await prepared();
    for (const subject of ['nobody', 'a'])
      await expect(keptRun(test, { subject })).rejects.toMatchObject({ code: 'invalid-input' });
    expect(existsSync(join(test.dir, 'out.csv'))).toBe(false);
    mkdirSync(join(test.dir, 'texts'));
    writeFileSync(join(test.dir, 'texts/a.txt'), 'a');
    await expect(keptRun(test, { input: 'texts' })).rejects.toMatchObject({ code: 'unsupported' });
  });

  test('may be of any format: whole as it was read, by person as texts', async () => {
    const test = await prepared();
    const lines = people.map((who, at) => JSON.stringify({ who, a: at + 0.5, b: 1, at }));
    writeFileSync(join(test.dir, 'people.jsonl'), `${lines.join('\n')}\n`);
    const whole = await keptRun(test, { input: 'people.jsonl' });
    expect(await exportOf(test, whole.runId, 'whole')).toMatchObject({ rows: 3 });
    expect(readdirSync(join(test.dir, 'whole'))).toEqual(['input.jsonl', 'predictions.csv']);
    const byPerson = await keptRun(test, {
      input: 'people.jsonl',
      subject: 'who',
      name: 'two.csv',
    });
    expect(byPerson.kept).toMatchObject({ subjects: 3, rows: 3, leftOut: 0 });
    await test.client.erasure.subject({ subject: 'bela-23', reason });
    await exportOf(test, byPerson.runId, 'rest');
    expect(readFileSync(join(test.dir, 'rest/input.csv'), 'utf8')).toBe(
      'who,a,b,at\nanna-17,0.5,1,0\ncara-99,2.5,1,2\n',
    );
    const [header, ...predicted] = readFileSync(join(test.dir, 'two.csv'), 'utf8').split('\n');
    expect(readFileSync(join(test.dir, 'rest/predictions.csv'), 'utf8')).toBe(
      [header, predicted[0], predicted[2], ''].join('\n'),
    );
  });
});

describe('one person', () => {
  test('is erased from all runs, and the rows of everybody else stay', async () => {
    const test = await prepared();
    const { app, client, dir } = test;
    const vaultDir = join(dir, 'vault');
    const [who = ''] = people;
    const first = await keptRun(test, { subject: 'who', name: 'one.csv' });
    const second = await keptRun(test, { subject: 'who', name: 'two.csv' });
    expect(first.kept).toMatchObject({ subject: 'who', subjects: 3, rows: 7, leftOut: 1 });
    await exportOf(test, first.runId, 'whole');
    expect(readFileSync(join(dir, 'whole/input.csv'), 'utf8').trim().split('\n')).toEqual(
      table.filter((line) => !line.startsWith(',')).map((line) => line.replaceAll('"', '')),
    );
    const scored = readFileSync(join(dir, 'one.csv'), 'utf8').trim().split('\n');
    // Row 4 of the input named nobody, and row 5 was rejected.
    expect(readFileSync(join(dir, 'whole/predictions.csv'), 'utf8').trim().split('\n')).toEqual(
      scored.filter((line) => !line.startsWith('4,')),
    );
    expect(await client.erasure.showSubject({ subject: who })).toMatchObject({
      rows: 6,
      runs: [
        { runId: first.runId, rows: 3 },
        { runId: second.runId, rows: 3 },
      ],
    });

    const erased = await client.erasure.subject({ subject: who, reason });
    expect(erased).toMatchObject({ keys: 1, rows: 6, files: 0, complete: true });
    for (const { runId } of [first, second]) {
      expect(await exportOf(test, runId, runId)).toMatchObject({ rows: 4, erasedRows: 3 });
      const left = readFileSync(join(dir, runId, 'input.csv'), 'utf8')
        .trim()
        .split('\n');
      expect(left).toEqual(table.filter((line) => !line.startsWith(',') && !line.startsWith(who)));
      expect(await client.runs.show({ runId })).toMatchObject({
        kept: { subjects: 2, erasedRows: 3 },
      });
    }
    await expect(client.erasure.showSubject({ subject: who })).rejects.toMatchObject({
      code: 'not-found',
    });
    await expect(client.erasure.subject({ subject: who, reason })).rejects.toMatchObject({
      code: 'not-found',
    });

    // The receipt shows whom the entry is about, and nothing else does.
    const { receipt } = erased;
    const { entries } = await client.audit.list({ action: 'subject.erase', limit: 500 });
    const entry = entries.find(({ entry: { of } }) => of === receipt?.logIndex)?.entry;
    const commitment = createHash('sha256')
      .update(Buffer.from(receipt?.salt ?? '', 'hex'))
      .update(who)
      .digest('hex');
    expect(entry?.objects).toEqual([
      { type: 'subject', id: 'commitment', digest: `sha256:${commitment}` },
    ]);
    await intact(test);

    // A person who is scored again has a new key, and the old rows stay closed.
    const third = await keptRun(test, { subject: 'who', name: 'three.csv' });
    expect(await client.erasure.showSubject({ subject: who })).toMatchObject({
      runs: [{ runId: third.runId, rows: 3 }],
    });
    expect(await exportOf(test, first.runId, 'still')).toMatchObject({ erasedRows: 3 });

    const keys = await keysOf(vaultDir);
    await app.close();
    const pages = allPages(vaultDir, keys);
    expect(holds(pages, first.runId)).toBe(true);
    for (const person of people) expect(holds(pages, person)).toBe(false);
    expect(holds(pages, receipt?.salt ?? '')).toBe(false);
  });

  test('goes with the last run that keeps rows of them, and a reason must not name them', async () => {
    const test = await prepared();
    const { client } = test;
    const run = await keptRun(test, { subject: 'who' });
    // A rotation wraps the keys of people anew, and finds them as before.
    await client.keys.rotate({ reason });
    expect(await exportOf(test, run.runId, 'rotated')).toMatchObject({ rows: 7, erasedRows: 0 });
    expect(await client.erasure.showSubject({ subject: 'bela-23' })).toMatchObject({ rows: 2 });
    await expect(
      client.erasure.subject({ subject: 'bela-23', reason: 'Bela-23, by letter' }),
    ).rejects.toMatchObject({ code: 'invalid-input' });
    expect((await client.audit.list({ action: 'subject.erase' })).entries).toEqual([]);
    // One object, and a key for each of the three.
    expect(await client.erasure.data({ runId: run.runId, reason })).toMatchObject({
      keys: 4,
      files: 1,
    });
    for (const subject of people)
      await expect(client.erasure.showSubject({ subject })).rejects.toMatchObject({
        code: 'not-found',
      });
  });
});

test('what the clocks say is due is shown first, and erased with the rule in the log', async () => {
  let now = new Date();
  const dir = temporaryFolder();
  const test = openTestApp(dir, () => now);
  const { app, client, wait } = test;
  await client.vault.create({ user: 'ada', password: appPasswords.ada, policy: 'solo' });
  writeFileSync(join(dir, 'maker.pem'), signingKey.publicPem);
  await client.trust.add({ name: 'Model maker', file: app.admitFile(join(dir, 'maker.pem')) });
  for (const at of [1, 2]) {
    const source = app.admitFile(
      await signedFolder(join(dir, `b${at}`), { ...plainFiles, 'n.txt': String(at) }),
    );
    await wait(contract.bundles.import, client.bundles.import({ source, name: 'tested' }));
  }
  await client.models.retire({ version: 'tested@1', reason });
  const run = await keptRun(test);
  const { retention } = await client.policy.show(null);
  expect(Object.values(retention).every((days) => days === null)).toBe(true);
  await client.policy.set({
    retention: { ...retention, keptData: 30, retiredVersions: 90, runRecords: 365 },
    reason,
  });
  const later = async (days: number): Promise<string[]> => {
    now = new Date(now.getTime() + days * 24 * 3600 * 1000);
    await test.as('ada');
    return (await client.erasure.overview(null)).due.map(({ kind, id }) => `${kind} ${id}`);
  };
  expect(await later(29)).toEqual([]);
  expect(await later(2)).toEqual([`keptData ${run.runId}`]);
  expect(await client.erasure.due({ reason })).toMatchObject({
    erased: [run.runId],
    keys: 2,
    remaining: 0,
  });
  expect(await later(60)).toEqual(['retiredVersions tested@1']);
  expect(await later(300)).toEqual(['retiredVersions tested@1', `runRecords ${run.runId}`]);
  expect(await client.erasure.due({ reason })).toMatchObject({
    erased: ['tested@1', run.runId],
    complete: true,
  });
  expect(await client.runs.list({})).toEqual([]);
  await expect(client.runs.show({ runId: run.runId })).rejects.toMatchObject({ code: 'not-found' });
  const { entries } = await client.audit.list({ action: 'retention.erase', limit: 500 });
  expect(entries[1]?.entry.reason ?? entries[0]?.entry.reason).toBe(reason);
  expect(entries.find(({ entry }) => entry.phase === 'outcome')?.entry).toMatchObject({
    outcome: 'ok',
    objects: [
      { type: 'version', id: 'tested@1' },
      { type: 'run', id: run.runId },
    ],
    details: {
      rules: {
        retiredVersions: { days: 90, erased: 1 },
        runRecords: { days: 365, erased: 1 },
      },
    },
  });
  await intact(test);
});
