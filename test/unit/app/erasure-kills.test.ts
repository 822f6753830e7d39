/**
 * Erasure killed between its durable steps: after the next sign-in all of it is done or nothing, the log says the same, and no
 * key or file of what was erased is left.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contract } from '#shared/contract/index.ts';
import type { AuditAction } from '#shared/actions.ts';
import { appPasswords, openTestApp, type TestApp } from '../../support/apps.ts';
import { plainFiles, signedFolder, signingKey } from '../../support/bundles.ts';
import { temporaryFolder } from '../../support/vaults.ts';

const root = join(import.meta.dirname, '../../..');
const reason = 'as tested';
const filesOfVersion = Object.keys(plainFiles).length + 2;

/** Two versions, and a run that keeps rows of two people. Returns its id. */
async function prepare(dir: string): Promise<string> {
  const { app, client, wait } = openTestApp(dir);
  await client.vault.create({ user: 'ada', password: appPasswords.ada, policy: 'solo' });
  writeFileSync(join(dir, 'maker.pem'), signingKey.publicPem);
  await client.trust.add({ name: 'Model maker', file: app.admitFile(join(dir, 'maker.pem')) });
  for (const at of ['1', '2']) {
    const files = { ...plainFiles, 'n.txt': at };
    const source = app.admitFile(await signedFolder(join(dir, `bundle-${at}`), files));
    await wait(contract.bundles.import, client.bundles.import({ source, name: 'tested' }));
  }
  await client.models.retire({ version: 'tested@1', reason });
  writeFileSync(join(dir, 'people.csv'), 'who,a,b\nanna-17,1,2\nbela-23,3,4\n');
  const { runId } = await wait(
    contract.runs.start,
    client.runs.start({
      version: 'tested@2',
      input: app.admitFile(join(dir, 'people.csv')),
      folder: app.admitFile(dir),
      name: 'out.csv',
      keep: true,
      subject: 'who',
    }),
  );
  await app.close();
  return runId;
}

/** Undefined when it was killed, else the points that it passed. */
function perform(dir: string, act: string, killAt: number, runId: string): string[] | undefined {
  const { stdout, stderr, signal, status } = spawnSync(
    process.execPath,
    [join(root, 'test/support/killed-erasure.ts'), dir, act, String(killAt), runId],
    { encoding: 'utf8' },
  );
  if (signal === 'SIGKILL') return undefined;
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return JSON.parse(stdout) as string[];
}

function objectFiles(dir: string): number {
  return readdirSync(join(dir, 'vault/objects'), { recursive: true }).filter((name) =>
    String(name).includes('/'),
  ).length;
}

/** What the log says of the act: `all`, or `nothing` where it was cut off or never begun. */
async function told({ client }: TestApp, action: AuditAction): Promise<'all' | 'nothing'> {
  const { entries } = await client.audit.list({ action, limit: 500 });
  const newest = entries.find(({ entry }) => entry.phase === 'outcome')?.entry;
  expect(entries.filter(({ entry }) => entry.phase === 'begin').length).toBe(
    entries.filter(({ entry }) => entry.phase === 'outcome').length,
  );
  return newest?.outcome === 'ok' ? 'all' : 'nothing';
}

const acts: readonly {
  readonly act: string;
  readonly action: AuditAction;
  /** What is found in the vault, without looking into the log. */
  readonly found: (test: TestApp, runId: string) => Promise<'all' | 'nothing'>;
}[] = [
  {
    act: 'version',
    action: 'model.erase',
    async found({ client, dir }) {
      const { stage } = await client.models.version({ version: 'tested@1' });
      // The object of the kept rows, and the files of one version or of both.
      expect(objectFiles(dir)).toBe(1 + filesOfVersion * (stage === 'erased' ? 1 : 2));
      return stage === 'erased' ? 'all' : 'nothing';
    },
  },
  {
    act: 'data',
    action: 'data.erase',
    async found({ client, dir }, runId) {
      const { kept } = await client.runs.show({ runId });
      expect(objectFiles(dir)).toBe(2 * filesOfVersion + (kept?.state === 'erased' ? 0 : 1));
      return kept?.state === 'erased' ? 'all' : 'nothing';
    },
  },
  {
    act: 'subject',
    action: 'subject.erase',
    async found({ app, client, dir, wait }, runId) {
      const folder = app.admitFile(dir);
      const { rows, erasedRows } = await wait(
        contract.runs.export,
        client.runs.export({ runId, folder, name: 'kept' }),
      );
      expect(rows + erasedRows).toBe(2);
      return erasedRows === 1 ? 'all' : 'nothing';
    },
  },
  {
    act: 'run',
    action: 'run.score',
    async found({ client, dir }, runId) {
      const again = (await client.runs.list({})).find((run) => run.runId !== runId);
      const kept =
        again === undefined ? null : (await client.runs.show({ runId: again.runId })).kept;
      expect(objectFiles(dir)).toBe(2 * filesOfVersion + (kept === null ? 1 : 2));
      const { rows } = await client.erasure.showSubject({ subject: 'anna-17' });
      expect(rows).toBe(kept === null ? 1 : 2);
      expect(again?.state === 'done').toBe(kept !== null);
      return kept === null ? 'nothing' : 'all';
    },
  },
];

describe('killed between its durable steps', () => {
  const prepared = mkdtempSync(join(tmpdir(), 'strongroom-erasure-kills-'));
  let runId = '';
  beforeAll(async () => {
    runId = await prepare(prepared);
  });
  afterAll(() => rmSync(prepared, { recursive: true, force: true }));

  test.each(acts)('$act', { timeout: 240_000 }, async ({ act, action, found }) => {
    const outcomes = new Set<string>();
    for (let killAt = 1; ; killAt += 1) {
      const dir = temporaryFolder();
      cpSync(prepared, dir, { recursive: true });
      const points = perform(dir, act, killAt, runId);
      const opened = openTestApp(dir);
      await opened.client.vault.signIn({ user: 'ada', password: appPasswords.ada });
      // The earlier run of `prepare` is an act of the same name that went well.
      const said = act === 'run' ? await found(opened, runId) : await told(opened, action);
      expect(act === 'run' ? said : await found(opened, runId), `${act} ${killAt}`).toBe(said);
      outcomes.add(said);
      expect(readdirSync(join(dir, 'vault/quarantine'))).toEqual([]);
      expect(readdirSync(join(dir, 'vault/staging'))).toEqual([]);
      expect(
        await opened.wait(contract.audit.verify, opened.client.audit.verify({})),
      ).toMatchObject({ status: 'intact' });
      await opened.app.close();
      if (points === undefined) continue;
      expect(said).toBe('all');
      expect(points.length).toBeGreaterThan(1);
      break;
    }
    expect(outcomes.has('all')).toBe(true);
  });
});
