import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { contentOf } from '#platform/content.ts';
import { createFloeWriter, objectShape } from '../../../../electron/domain/floe/writer.ts';
import { chunksOf, freshVault, temporaryFolder } from '../../../support/vaults.ts';

const ringBytes = objectShape.laneCount * objectShape.segmentsPerBlock * objectShape.segmentBytes;
const support = new URL('../../../support/', import.meta.url);

describe('a file larger than the memory it goes through', () => {
  const plaintext = randomBytes(ringBytes + 12_345_678);
  const sha256 = createHash('sha256').update(plaintext).digest('hex');

  test('comes out as it went in, from a file on a medium and from the chunks of an archive', async () => {
    const { vault } = await freshVault();
    const path = join(temporaryFolder(), 'weights');
    writeFileSync(path, plaintext);
    await using file = await open(path);
    for (const source of [contentOf(file), chunksOf(plaintext, 77_777)]) {
      let seen = 0;
      const staged = await vault.objects.stage({ source, onBytes: (count) => (seen += count) });
      expect(staged).toMatchObject({ sizeBytes: plaintext.length, sha256 });
      expect(seen).toBe(plaintext.length);
      await vault.objects.commit([staged], () => undefined);
      const object = await vault.objects.open(staged.objectId);
      const back = createHash('sha256');
      for await (const part of object.stream()) back.update(part);
      await object.close();
      expect(back.digest('hex')).toBe(sha256);
    }
    vault.close();
  });

  test('two are taken in at the same time, each under its own key', async () => {
    const { vault } = await freshVault();
    const others = [plaintext, plaintext.subarray(1_000_000)];
    const staged = await Promise.all(
      others.map((bytes) => vault.objects.stage({ source: chunksOf(bytes, 1_000_000) })),
    );
    await vault.objects.commit(staged, () => undefined);
    for (const [at, { objectId }] of staged.entries()) {
      const object = await vault.objects.open(objectId);
      expect(Buffer.compare(await object.readAll(), others[at] ?? Buffer.alloc(0))).toBe(0);
      await object.close();
    }
    vault.close();
  });

  test('leaves nothing when it is cancelled half-way, and the next one is taken in', async () => {
    const { vault, dir } = await freshVault();
    const abort = new AbortController();
    let seen = 0;
    const cancelled = vault.objects.stage({
      source: chunksOf(plaintext, 1_000_000),
      signal: abort.signal,
      onBytes: (count) => {
        seen += count;
        if (seen > plaintext.length / 2) abort.abort();
      },
    });
    await expect(cancelled).rejects.toThrow();
    expect(seen).toBeLessThan(plaintext.length);
    expect(readdirSync(join(dir, 'staging'))).toEqual([]);
    const staged = await vault.objects.stage({ source: chunksOf(plaintext, 1_000_000) });
    expect(staged.sha256).toBe(sha256);
    vault.close();
  });
});

describe('the thread that hashes', () => {
  test.each([
    ['throws', 'broken-hash-thread.ts'],
    ['ends', 'broken-hash-thread.ts#exit'],
  ])('fails the file when it %s, and is not used again', async (_how, entry) => {
    const writer = createFloeWriter({ threadEntry: new URL(entry, support) });
    const writing = writer.write({
      path: join(temporaryFolder(), 'object'),
      source: chunksOf(Buffer.alloc(ringBytes * 2), 1_000_000),
      key: randomBytes(32),
      aad: randomBytes(32),
    });
    await expect(writing).rejects.toMatchObject({ code: 'unavailable' });
    expect(writer.hasher.isUsable()).toBe(false);
    writer.hasher.close();
  });

  test.each([
    ['a small file', 1000, undefined],
    ['a large one', ringBytes + 5, undefined],
    ['one that is cancelled', ringBytes, 5_000_000],
  ])(
    'leaves neither key nor plaintext of %s in the memory that it shares',
    async (_what, sizeBytes, until) => {
      const { hasher, write } = createFloeWriter();
      const key = randomBytes(32);
      const source = chunksOf(Buffer.alloc(sizeBytes, 'secret'), 1_000_000);
      const path = join(temporaryFolder(), 'object');
      const abort = new AbortController();
      let seen = 0;
      const onBytes = (count: number): void => {
        seen += count;
        if (until !== undefined && seen > until) abort.abort();
      };
      const writing = write({
        path,
        source,
        key,
        aad: randomBytes(32),
        onBytes,
        signal: abort.signal,
      });
      await (until === undefined ? writing : expect(writing).rejects.toThrow());
      expect(key).toEqual(Buffer.alloc(32));
      for (const lane of hasher.lanes) expect(lane.every((byte) => byte === 0)).toBe(true);
      hasher.close();
    },
  );
});

/** A mount of its own for one process, where the system lets anybody have one. */
const unshare = ['--user', '--map-root-user', '--mount', '--'];
const canMount = spawnSync('unshare', [...unshare, 'mount', '-t', 'tmpfs', 'none', tmpdir()]);

test.skipIf(canMount.status !== 0)('a disk that fills up is told as what it is', () => {
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-full-'));
  const script = fileURLToPath(new URL('fill-disk.ts', support));
  const { stdout } = spawnSync(
    'unshare',
    [
      ...unshare,
      'sh',
      '-c',
      'mount -t tmpfs -o size=24m none "$1" && exec "$2" --no-warnings "$3" "$1"',
      'sh',
      folder,
      process.execPath,
      script,
    ],
    { encoding: 'utf8' },
  );
  rmSync(folder, { recursive: true });
  expect(JSON.parse(stdout)).toEqual({ code: 'ENOSPC', told: 'io', left: [] });
});

/** What refuses O_DIRECT when a file is opened (ramfs), or only at its first write (here by `strace`), is written through the cache. */
describe('a file system that refuses to write past the cache', () => {
  const script = fileURLToPath(new URL('write-object.ts', support));
  const node = [process.execPath, '--no-warnings', script];
  const taken = { same: true, hashed: true };

  test.skipIf(canMount.status !== 0)('when the file is opened', () => {
    const folder = temporaryFolder();
    const mounted = 'mount -t ramfs none "$1" && folder="$1" && shift && exec "$@" "$folder"';
    const command = [...unshare, 'sh', '-c', mounted, 'sh', folder, ...node];
    const { stdout } = spawnSync('unshare', command, { encoding: 'utf8' });
    expect(JSON.parse(stdout)).toEqual(taken);
  });

  test.skipIf(spawnSync('strace', ['-V']).status !== 0)('at the first write', () => {
    const folder = temporaryFolder();
    const inject = ['-e', 'trace=pwrite64', '-e', 'inject=pwrite64:error=EINVAL:when=1'];
    const traced = ['-f', '-qq', '-P', join(folder, 'object'), ...inject, ...node, folder];
    const { stdout, stderr } = spawnSync('strace', traced, {
      encoding: 'utf8',
      // `strace` counts in each thread of the pool.
      env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
    });
    expect(JSON.parse(stdout)).toEqual(taken);
    expect(stderr).toContain('INJECTED');
  });
});
