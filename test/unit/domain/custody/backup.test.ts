import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AppError } from '#shared/errors.ts';
import {
  checkBackup,
  findBackups,
  restoreVault,
  verifyManifest,
  type BackupOutcome,
} from '#domain/custody/index.ts';
import { openVault } from '#domain/vault/index.ts';
import { adminPassword } from '../../../support/bare-vault.ts';
import {
  contentOf,
  custodyOf,
  custodyTestSchema,
  filesBelow,
  openCustody,
  pieceBytes,
  randomContent,
  type Custody,
} from '../../../support/custody.ts';
import { freshVault, temporaryFolder } from '../../../support/vaults.ts';

const signal = new AbortController().signal;
const clock = (): Date => new Date();

async function freshCustody(dir?: string): Promise<Custody> {
  const { vault } = await freshVault(dir, custodyTestSchema);
  onTestFinished(() => vault.close());
  return custodyOf(vault);
}

function mediaFolders(count: number): string[] {
  return Array.from({ length: count }, () => temporaryFolder());
}

const check = (dirs: readonly string[], vaultId?: string) =>
  checkBackup(dirs, { vaultId, signal, onProgress: () => undefined });

const restore = (
  dirs: readonly string[],
  target: string,
  more: { vaultId?: string; snapshot?: number } = {},
) => restoreVault({ dirs, target, clock, signal, onProgress: () => undefined, ...more });

/** The pieces that hold a file of a snapshot, by its path on the medium. */
function pathOfPiece(medium: string, sha256: string): string {
  const path = [...filesBelow(medium).keys()].find((each) => each.endsWith(sha256));
  if (path === undefined) throw new Error('No such piece.');
  return path;
}

test('a second backup copies only what is new, and both snapshots restore', async () => {
  const custody = await freshCustody();
  const [medium = ''] = mediaFolders(1);
  const first = randomContent(200_000);
  const firstId = await custody.add(first);
  const one = await custody.backUp(medium);
  expect(one).toMatchObject({ state: 'complete', snapshot: 1, keptBytes: 0 });
  const before = filesBelow(medium);
  const written = new Map([...before.keys()].map((path) => [path, statSync(path).mtimeMs]));

  const second = randomContent(100_000);
  const secondId = await custody.add(second);
  const two = await custody.backUp(medium);
  const objectBytes = statSync(
    join(custody.vault.dir, 'objects', firstId.slice(0, 2), firstId),
  ).size;
  expect(two).toMatchObject({ state: 'complete', snapshot: 2, keptBytes: objectBytes });
  for (const [path, at] of written) expect(statSync(path).mtimeMs, path).toBe(at);

  for (const [snapshot, contents] of [
    [1, new Map([[firstId, first]])],
    [
      2,
      new Map([
        [firstId, first],
        [secondId, second],
      ]),
    ],
  ] as const) {
    const target = join(temporaryFolder(), 'vault');
    const { facts } = await restore([medium], target, { snapshot });
    const restored = await openCustody(target);
    expect(restored.log.head().size).toBe(facts.log.size);
    expect(restored.vault.recovery).toEqual({ rolledBack: 0, swept: 0, quarantined: 0 });
    for (const [id, content] of contents)
      expect((await contentOf(restored.vault, id)).equals(content)).toBe(true);
    const count = restored.vault.catalog.prepare('SELECT count(*) FROM objects').pluck().get();
    expect(count).toBe(contents.size);
    restored.vault.close();
    expect(statSync(target).mode & 0o077).toBe(0);
    // The lock is an empty file; the program's own umask closes it.
    for (const path of filesBelow(target).keys())
      if (!path.endsWith('lock')) expect(statSync(path).mode & 0o077, path).toBe(0);
  }
});

test('nothing of the content, the people or the log stands on the medium in the clear', async () => {
  const custody = await freshCustody();
  const [medium = ''] = mediaFolders(1);
  await custody.add(Buffer.from('a secret of the bank '.repeat(5000)));
  await custody.backUp(medium);
  for (const path of filesBelow(medium).keys()) {
    const bytes = readFileSync(path);
    const texts = [bytes, Buffer.from(String(payloadOf(bytes)))];
    for (const word of [
      'secret of the bank',
      // With its quotes: three letters alone stand in random base64 now and then.
      '"Ada"',
      'vault.backup',
      'administrator',
      'CREATE TABLE',
    ])
      for (const text of texts) expect(text.includes(word), `${word} in ${path}`).toBe(false);
  }
});

function payloadOf(bytes: Buffer): string | undefined {
  if (bytes[0] !== '{'.charCodeAt(0)) return undefined;
  const { payload } = JSON.parse(bytes.toString('utf8')) as { payload?: string };
  return Buffer.from(payload ?? '', 'base64').toString('utf8');
}

test('one flipped bit in any file of a backup is found and named, and not restored', async () => {
  const custody = await freshCustody();
  const [medium = ''] = mediaFolders(1);
  await custody.add(randomContent(150_000));
  await custody.backUp(medium);
  expect(await check([medium])).toMatchObject({ problems: [] });
  const files = [...filesBelow(medium)];
  expect(files.length).toBeGreaterThan(6);
  for (const [path, size] of files)
    for (const at of [0, Math.floor(size / 2), size - 1]) {
      const whole = readFileSync(path);
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 1;
      writeFileSync(path, changed);
      const { problems } = await check([medium]);
      expect(
        problems.map(({ file }) => file),
        `${path} at ${at}`,
      ).toEqual([path]);
      await expect(
        restore([medium], join(temporaryFolder(), 'vault')),
        `${path} at ${at}`,
      ).rejects.toMatchObject({ code: expect.stringMatching(/corrupt|tampered/) as string });
      writeFileSync(path, whole);
    }
});

test('any bit of a manifest counts', async () => {
  const custody = await freshCustody();
  const [medium = ''] = mediaFolders(1);
  await custody.backUp(medium);
  const [found] = await findBackups([medium]);
  const whole = readFileSync(found?.snapshots[0]?.path ?? '');
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(7), (at, bit) => {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ (1 << bit);
      expect(verifyManifest(changed.toString('utf8')).status).toBe('invalid');
    }),
    { numRuns: 500 },
  );
});

test('a piece that is missing or cut off is found and named', async () => {
  const custody = await freshCustody();
  const [medium = ''] = mediaFolders(1);
  await custody.backUp(medium);
  for (const path of filesBelow(medium).keys()) {
    if (path.endsWith('.json')) continue;
    const whole = readFileSync(path);
    writeFileSync(path, whole.subarray(0, -1));
    expect((await check([medium])).problems.map(({ file }) => file)).toEqual([path]);
    rmSync(path);
    const [problem] = (await check([medium])).problems;
    expect(path.endsWith(problem?.file ?? '-')).toBe(true);
    await expect(restore([medium], join(temporaryFolder(), 'v'))).rejects.toMatchObject({
      code: 'corrupt',
    });
    writeFileSync(path, whole);
  }
});

describe('media of limited size', () => {
  test('a backup goes on on the next medium until it is whole, and restores from all of them', async () => {
    const custody = await freshCustody();
    const contents = new Map<string, Buffer>();
    for (let at = 0; at < 6; at += 1) {
      const content = randomContent(150_000);
      contents.set(await custody.add(content), content);
    }
    const media = mediaFolders(3);
    const outcomes: BackupOutcome[] = [];
    for (const [at, medium] of media.entries())
      outcomes.push(
        await custody.backUp(medium, {
          spans: true,
          continues: at > 0,
          ...(at < 2 ? { mediaBytes: 400_000 } : {}),
        }),
      );
    expect(outcomes.map(({ state }) => state)).toEqual(['next-medium', 'next-medium', 'complete']);
    for (const medium of media.slice(0, 2)) {
      const bytes = [...filesBelow(medium).values()].reduce((sum, size) => sum + size, 0);
      expect(bytes).toBeLessThanOrEqual(400_000);
      expect(bytes).toBeGreaterThan(400_000 - 2 * pieceBytes);
    }
    // Nothing is on two media, and what is left shrinks with each.
    const names = media.flatMap((medium) =>
      [...filesBelow(medium).keys()].map((path) => path.slice(-64)),
    );
    expect(new Set(names).size).toBe(names.length);
    expect(custody.history.list()).toMatchObject([{ state: 'complete', snapshot: 1 }]);
    expect(custody.history.list()[0]?.places.length).toBe(3);

    const target = join(temporaryFolder(), 'vault');
    await expect(restore(media.slice(1), target)).rejects.toMatchObject({ code: 'corrupt' });
    expect(existsSync(target)).toBe(false);
    await restore(media, target);
    const restored = await openCustody(target);
    for (const [id, content] of contents)
      expect((await contentOf(restored.vault, id)).equals(content)).toBe(true);
    restored.vault.close();
    expect(await check(media)).toMatchObject({ problems: [] });
  });

  test('part folders stay below their size, and each can be kept elsewhere', async () => {
    const custody = await freshCustody();
    await custody.add(randomContent(500_000));
    const [medium = ''] = mediaFolders(1);
    await custody.backUp(medium, { partBytes: 200_000 });
    const set = join(medium, 'strongroom-backup', custody.vault.id);
    const parts = readdirSync(set).filter((name) => name.startsWith('part-'));
    expect(parts.length).toBeGreaterThan(2);
    const discs = parts.map((part) => {
      const bytes = [...filesBelow(join(set, part)).values()].reduce((sum, size) => sum + size, 0);
      expect(bytes).toBeLessThanOrEqual(200_000);
      const disc = temporaryFolder();
      cpSync(join(set, part), join(disc, part), { recursive: true });
      return disc;
    });
    const last = temporaryFolder();
    cpSync(join(set, 'snapshots'), join(last, 'snapshots'), { recursive: true });
    const target = join(temporaryFolder(), 'vault');
    await restore([...discs, last], target);
    (await openCustody(target)).vault.close();
  });

  test('without leave to span media, a medium that is too small is refused before anything is written', async () => {
    const custody = await freshCustody();
    await custody.add(randomContent(500_000));
    const [medium = ''] = mediaFolders(1);
    const refusal = await custody
      .backUp(medium, { mediaBytes: 300_000 })
      .catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'io' });
    const missing = (refusal as AppError).details?.['missingBytes'];
    expect(missing).toBeGreaterThan(200_000);
    expect(missing).toBeLessThan(500_000);
    expect([...filesBelow(medium)]).toEqual([]);
    expect(custody.history.list()).toEqual([]);
  });

  test('going on needs a backup that waits', async () => {
    const custody = await freshCustody();
    const [medium = ''] = mediaFolders(1);
    await custody.backUp(medium);
    await expect(custody.backUp(medium, { continues: true })).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  test.skipIf(process.getuid?.() !== 0)(
    'three small file systems that are really full hold one backup',
    async (context) => {
      const media = mediaFolders(3).map((folder) => {
        const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', folder]);
        if (mounted.status !== 0) context.skip();
        onTestFinished(() => void spawnSync('umount', [folder]));
        return folder;
      });
      const custody = await freshCustody();
      const content = randomContent(4_300_000);
      const id = await custody.add(content);
      await expect(custody.backUp(media[0] ?? '')).rejects.toMatchObject({ code: 'io' });
      const states: string[] = [];
      for (const [at, medium] of media.entries()) {
        const { state } = await custody.backUp(medium, { spans: true, continues: at > 0 });
        states.push(state);
        if (state === 'complete') break;
      }
      expect(states).toEqual(['next-medium', 'next-medium', 'complete']);
      const target = join(temporaryFolder(), 'vault');
      await restore(media, target);
      const restored = await openCustody(target);
      expect((await contentOf(restored.vault, id)).equals(content)).toBe(true);
      restored.vault.close();
    },
  );
});

test('two vaults on one medium do not mix', async () => {
  const [medium = ''] = mediaFolders(1);
  const both = [await freshCustody(), await freshCustody()];
  const ids = [];
  for (const custody of both) {
    ids.push(await custody.add(randomContent(100_000)));
    await custody.backUp(medium);
  }
  await expect(restore([medium], join(temporaryFolder(), 'v'))).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining(both[1]?.vault.id ?? '-') as string,
  });
  const found = (await findBackups([medium])).map(({ set }) => set.vaultId);
  expect(new Set(found)).toEqual(new Set(both.map(({ vault }) => vault.id)));
  for (const [at, custody] of both.entries()) {
    const target = join(temporaryFolder(), 'vault');
    await restore([medium], target, { vaultId: custody.vault.id });
    const restored = await openCustody(target);
    expect(restored.vault.id).toBe(custody.vault.id);
    const found = restored.vault.catalog.prepare('SELECT id FROM objects').pluck().all();
    expect(found).toEqual([ids[at]]);
    restored.vault.close();
    expect(await check([medium], custody.vault.id)).toMatchObject({ problems: [] });
  }
});

test('a restore takes an empty folder only, and goes on with its own', async () => {
  const custody = await freshCustody();
  const [medium = ''] = mediaFolders(1);
  const id = await custody.add(randomContent(100_000));
  await custody.backUp(medium);
  await custody.backUp(medium);
  const full = temporaryFolder();
  writeFileSync(join(full, 'letter.txt'), 'mine');
  await expect(restore([medium], full)).rejects.toMatchObject({ code: 'conflict' });
  await expect(restore([medium], custody.vault.dir)).rejects.toMatchObject({ code: 'conflict' });
  expect(readdirSync(full)).toEqual(['letter.txt']);

  const target = join(temporaryFolder(), 'vault');
  const broken = pathOfPiece(medium, await pieceOfAudit(medium));
  const whole = readFileSync(broken);
  writeFileSync(broken, Buffer.alloc(whole.length));
  await expect(restore([medium], target)).rejects.toMatchObject({ code: 'corrupt' });
  expect(existsSync(join(target, 'vault.json'))).toBe(false);
  await expect(
    openVault({
      dir: target,
      user: 'Ada',
      password: adminPassword,
      clock,
      schema: custodyTestSchema,
    }),
  ).rejects.toMatchObject({ code: 'not-found' });
  writeFileSync(broken, whole);
  await expect(restore([medium], target, { snapshot: 1 })).rejects.toMatchObject({
    code: 'conflict',
  });
  await restore([medium], target);
  const restored = await openCustody(target);
  expect((await contentOf(restored.vault, id)).length).toBe(100_000);
  restored.vault.close();
  await expect(restore([medium], target)).rejects.toMatchObject({ code: 'conflict' });
});

async function pieceOfAudit(medium: string): Promise<string> {
  const [found] = await findBackups([medium]);
  return found?.snapshots.at(-1)?.manifest?.files.get('audit.db')?.[0]?.sha256 ?? '';
}

test('a manifest holds only with the signature of the log and under its own number', async () => {
  const custody = await freshCustody();
  const other = await freshCustody();
  const [medium = ''] = mediaFolders(1);
  await custody.backUp(medium);
  const [found] = await findBackups([medium]);
  const path = found?.snapshots[0]?.path ?? '';
  const text = readFileSync(path, 'utf8');
  expect(verifyManifest(text)).toMatchObject({ status: 'valid', kind: 'backup' });
  expect(verifyManifest(text, { pinned: custody.log.head().verifierKey }).status).toBe('valid');
  expect(verifyManifest(text, { pinned: other.log.head().verifierKey }).status).toBe('invalid');
  const envelope = JSON.parse(text) as { payload: string };
  const payload = Buffer.from(envelope.payload, 'base64').toString('utf8');
  const forged = payload.replace(/"madeAt":"\d{4}/, '"madeAt":"1999');
  expect(forged).not.toBe(payload);
  expect(
    verifyManifest(JSON.stringify({ ...envelope, payload: Buffer.from(forged).toString('base64') }))
      .status,
  ).toBe('invalid');
  writeFileSync(path.replace('0001', '0002'), text);
  expect((await check([medium])).problems.map(({ file }) => file)).toEqual([
    path.replace('0001', '0002'),
  ]);
});

test('the vault tells which backups are older than a moment, the unfinished ones too', async () => {
  const custody = await freshCustody();
  const id = await custody.add(randomContent(200_000));
  const [medium = '', small = ''] = mediaFolders(2);
  await custody.backUp(medium);
  await custody.backUp(small, { spans: true, mediaBytes: 100_000 });
  const after = new Date(Date.now() + 1000).toISOString();
  expect(custody.history.backupsBefore(after)).toMatchObject([
    { state: 'unfinished', startedBy: 'Ada', snapshot: undefined },
    { state: 'complete', snapshot: 1, logSize: 1 },
  ]);
  expect(custody.history.backupsBefore('2000-01-01T00:00:00.000Z')).toEqual([]);
  // What was remembered of an object goes with it.
  expect(custody.history.piecesOf(id).size).toBeGreaterThan(1);
  custody.vault.objects.destroyKeys([id]);
  expect(custody.history.piecesOf(id).size).toBe(0);
});

test('one backup of a vault is made at a time', async () => {
  const custody = await freshCustody();
  await custody.add(randomContent(200_000));
  const [one = '', other = ''] = mediaFolders(2);
  const first = custody.backUp(one);
  await expect(custody.backUp(other)).rejects.toMatchObject({ code: 'busy' });
  expect((await first).state).toBe('complete');
  expect((await custody.backUp(other)).state).toBe('complete');
});

test('a backup that was cancelled leaves no half piece and goes on where it was', async () => {
  const custody = await freshCustody();
  await custody.add(randomContent(600_000));
  const [medium = ''] = mediaFolders(1);
  const controller = new AbortController();
  const cancelled = new AppError('cancelled', 'Cancelled.');
  await expect(
    custody.backUp(medium, {
      signal: controller.signal,
      onProgress: (done) => done > 300_000 && controller.abort(cancelled),
    }),
  ).rejects.toMatchObject({ code: 'cancelled' });
  expect([...filesBelow(medium).keys()].every((path) => /[0-9a-f]{64}$/.test(path))).toBe(true);
  expect(readdirSync(join(custody.vault.dir, 'staging'))).toEqual([]);
  const again = await custody.backUp(medium);
  expect(again.keptBytes).toBeGreaterThan(300_000);
  expect(again.state).toBe('complete');
  mkdirSync(join(medium, 'strongroom-backup', custody.vault.id, 'part-0001'), { recursive: true });
  expect(await check([medium])).toMatchObject({ problems: [] });
});
