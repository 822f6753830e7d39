/**
 * The command line killed at every write that it waits for (`strace` turns the k-th sync into SIGKILL), while it imports,
 * retires and scores. After each kill the next sign-in must find all or nothing, and log and catalog must tell one story.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contract } from '#shared/contract/index.ts';
import type { LogEntry } from '#shared/contract/audit.ts';
import { appPasswords, openTestApp, type TestApp } from '../../support/apps.ts';
import { plainFiles, signedFolder, signingKey } from '../../support/bundles.ts';
import { temporaryFolder } from '../../support/vaults.ts';

const root = join(import.meta.dirname, '../../..');
const rows = 40;

/** A vault with one model, and beside it another bundle and a file to score. */
async function prepare(dir: string): Promise<void> {
  const { app, client, wait } = openTestApp(dir);
  await client.vault.create({ user: 'ada', password: appPasswords.ada, policy: 'solo' });
  writeFileSync(join(dir, 'maker.pem'), signingKey.publicPem);
  await client.trust.add({ name: 'Model maker', file: app.admitFile(join(dir, 'maker.pem')) });
  const first = app.admitFile(await signedFolder(join(dir, 'first')));
  await wait(contract.bundles.import, client.bundles.import({ source: first, name: 'tested' }));
  const reference = `a,b\n${'1,2\n'.repeat(rows)}`;
  await signedFolder(join(dir, 'second'), { ...plainFiles, 'reference.csv': reference });
  writeFileSync(join(dir, 'in.csv'), reference);
  await app.close();
}

/** Whether the command ended by itself, before its k-th sync. */
function runKilled(dir: string, args: readonly string[], sync: number): boolean {
  const { status, signal } = spawnSync(
    'strace',
    [
      '-qq',
      '-e',
      'trace=fsync,fdatasync',
      '-e',
      `inject=fsync,fdatasync:signal=SIGKILL:when=${sync}`,
      '-f',
      '-o',
      '/dev/null',
      process.execPath,
      join(root, 'electron/cli.ts'),
      ...args,
    ],
    {
      cwd: dir,
      env: {
        PATH: process.env['PATH'],
        STRONGROOM_VAULT: join(dir, 'vault'),
        STRONGROOM_PINS: join(dir, 'pins'),
        STRONGROOM_USER: 'ada',
        STRONGROOM_PASSWORD: appPasswords.ada,
      },
    },
  );
  return status === 0 && signal === null;
}

/** The last act of that kind: announced, and what became of it. */
async function lastAct(test: TestApp, action: LogEntry['action']): Promise<LogEntry | undefined> {
  const { entries } = await test.client.audit.list({ limit: 500, action });
  const outcome = entries.find(({ entry }) => entry.phase === 'outcome')?.entry;
  const begun = entries.filter(({ entry }) => entry.phase === 'begin');
  const ended = entries.filter(({ entry }) => entry.phase === 'outcome');
  expect(ended.length).toBe(begun.length);
  return outcome;
}

const acts: readonly {
  readonly args: readonly string[];
  readonly check: (test: TestApp) => Promise<void>;
}[] = [
  {
    args: ['retire', 'tested@1', '--reason', 'too old'],
    async check(opened) {
      const { stage } = await opened.client.models.version({ version: 'tested@1' });
      const outcome = await lastAct(opened, 'model.retire');
      expect(stage).toBe(outcome?.outcome === 'ok' ? 'retired' : 'candidate');
    },
  },
  {
    args: ['import', 'second', '--name', 'other'],
    async check(opened) {
      const { client, dir } = opened;
      const outcome = await lastAct(opened, 'bundle.import');
      const models = (await client.models.list(null)).map(({ name }) => name);
      const stored =
        outcome?.outcome === 'ok' && outcome.objects.some(({ id }) => id === 'other@1');
      expect(models).toEqual(stored ? ['other', 'tested'] : ['tested']);
      if (stored)
        expect(await client.monitor.show({ version: 'other@1' })).toMatchObject({
          reference: { source: 'bundle', rows },
        });
      expect(readdirSync(join(dir, 'vault/staging'))).toEqual([]);
      expect(readdirSync(join(dir, 'vault/quarantine'))).toEqual([]);
      const objects = readdirSync(join(dir, 'vault/objects'), { recursive: true }).filter((name) =>
        String(name).includes('/'),
      );
      const files = Object.keys(plainFiles).length + 1;
      expect(objects.length).toBe(stored ? 2 * files + 1 : files);
    },
  },
  {
    args: ['run', 'tested', '--input', 'in.csv', '--output', 'out.csv'],
    async check(opened) {
      const outcome = await lastAct(opened, 'run.score');
      const [run] = await opened.client.runs.list({});
      expect(run?.state ?? 'none').toBe(
        outcome?.outcome === 'ok' ? 'done' : run === undefined ? 'none' : 'interrupted',
      );
      expect(readdirSync(opened.dir).filter((name) => name.endsWith('.part'))).toEqual([]);
      if (outcome?.outcome === 'ok') expect(readdirSync(opened.dir)).toContain('out.csv');
    },
  },
];

describe.skipIf(spawnSync('strace', ['-V']).status !== 0)('killed at every sync', () => {
  const prepared = mkdtempSync(join(tmpdir(), 'strongroom-kills-'));
  beforeAll(() => prepare(prepared));
  afterAll(() => rmSync(prepared, { recursive: true, force: true }));
  test.each(acts)('$args.0', { timeout: 300_000 }, async ({ args, check }) => {
    let kills = 0;
    for (let sync = 1; sync < 200; sync += 1) {
      const dir = temporaryFolder();
      cpSync(prepared, dir, { recursive: true });
      const ended = runKilled(dir, args, sync);
      if (!ended) kills += 1;
      const opened = openTestApp(dir);
      await opened.client.vault.signIn({ user: 'ada', password: appPasswords.ada });
      await check(opened);
      expect(
        await opened.wait(contract.audit.verify, opened.client.audit.verify({})),
      ).toMatchObject({ status: 'intact' });
      await opened.app.close();
      if (ended) break;
    }
    expect(kills).toBeGreaterThan(5);
  });
});
