import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { contract } from '#shared/contract/index.ts';
import type { RunSummary } from '#shared/contract/runs.ts';
import { verifyFile } from '#domain/compliance/index.ts';
import { openTestApp, appPasswords, type TestApp } from '../../support/apps.ts';
import { signedFolder, signingKey } from '../../support/bundles.ts';
import { temporaryFolder } from '../../support/vaults.ts';

const script = join(import.meta.dirname, '../../support/killed-run.ts');
const rows = 60_000;

/** A vault with a model, and a file of several segments whose every thousandth row is bad. */
async function prepare(): Promise<TestApp> {
  const opened = openTestApp(temporaryFolder());
  const { app, client, dir, wait } = opened;
  await client.vault.create({ user: 'ada', password: appPasswords.ada });
  writeFileSync(join(dir, 'maker.pem'), signingKey.publicPem);
  await client.policy.set({ secondPerson: false, reason: 'as tested' });
  await client.trust.add({ name: 'Maker', file: app.admitFile(join(dir, 'maker.pem')) });
  const source = app.admitFile(await signedFolder(join(dir, 'tested')));
  await wait(contract.bundles.import, client.bundles.import({ source, name: 'tested' }));
  const lines = Array.from({ length: rows }, (_, at) =>
    at % 1000 === 7 ? `${at},?` : `${at},${(at * 7919) % 1013}.25`,
  );
  writeFileSync(join(dir, 'rows.csv'), `a,b\n${lines.join('\n')}\n`);
  return opened;
}

/** Ends the program in the middle of a run; the vault is closed meanwhile. */
async function killRun({ app, dir }: TestApp, ...args: readonly string[]): Promise<TestApp> {
  await app.close();
  const { signal, stderr } = spawnSync(process.execPath, ['--no-warnings', script, dir, ...args], {
    encoding: 'utf8',
  });
  expect(signal, stderr).toBe('SIGKILL');
  const again = openTestApp(dir);
  await again.client.vault.signIn({ user: 'ada', password: appPasswords.ada });
  return again;
}

async function newest({ client }: TestApp): Promise<RunSummary> {
  const [run] = await client.runs.list({});
  if (run === undefined) throw new Error('There is no run.');
  return run;
}

/** Where the run that is killed writes. */
const resultsOf = (dir: string): string => join(dir, 'results');
const hidden = (dir: string): string[] =>
  readdirSync(resultsOf(dir)).filter((name) => name.endsWith('.part'));

test(
  'a run that was killed twice goes on, and ends as one that nobody disturbed',
  { timeout: 300_000 },
  async () => {
    const first = await prepare();
    const { app, client, dir, wait } = first;
    const input = app.admitFile(join(dir, 'rows.csv'));
    const folder = app.admitFile(dir);
    const whole = await wait(
      contract.runs.start,
      client.runs.start({ version: 'tested', input, folder, name: 'whole.csv' }),
    );
    expect(whole).toMatchObject({ rows: rows - 60, rejected: 60 });

    const second = await killRun(first, '1');
    const killed = await newest(second);
    expect(killed).toMatchObject({ state: 'interrupted', canGoOn: true });
    expect(hidden(dir).length).toBe(2);

    const third = await killRun(second, '1', 'run', killed.runId);
    expect(await newest(third)).toMatchObject({ runId: killed.runId, canGoOn: true });
    await third.client.users.add({
      name: 'grace',
      role: 'analyst',
      password: appPasswords.grace,
    });
    await third.as('grace');
    const resumed = await third.wait(
      contract.runs.start,
      third.client.runs.start({
        version: 'tested',
        input: third.app.admitFile(join(dir, 'rows.csv')),
        folder: third.app.admitFile(resultsOf(dir)),
        name: 'killed.csv',
        resume: true,
      }),
    );
    expect(resumed).toMatchObject({
      runId: killed.runId,
      rows: whole.rows,
      rejected: whole.rejected,
      inputDigest: whole.inputDigest,
      outputDigest: whole.outputDigest,
      rejectsDigest: whole.rejectsDigest,
      firstRows: whole.firstRows,
      firstRejects: whole.firstRejects,
      resumedBy: ['ada', 'grace'],
    });
    expect(whole.resumedBy).toEqual([]);
    // Receipt, list and log agree who did what.
    const receipt = readFileSync(resumed.receiptPath ?? '', 'utf8');
    const { payload } = JSON.parse(receipt) as { readonly payload: string };
    expect(JSON.parse(Buffer.from(payload, 'base64').toString())).toMatchObject({
      predicate: { by: 'ada', resumedBy: ['ada', 'grace'] },
    });
    expect(await verifyFile(resumed.receiptPath ?? '')).toMatchObject({ status: 'valid' });
    expect(readFileSync(join(resultsOf(dir), 'killed.csv'))).toEqual(
      readFileSync(join(dir, 'whole.csv')),
    );
    expect(hidden(dir)).toEqual([]);
    expect(await newest(third)).toMatchObject({ state: 'done', canGoOn: false, actor: 'ada' });
    const { entries } = await third.client.audit.list({ action: 'run.score', limit: 20 });
    expect(entries.toReversed().map(({ entry }) => entry.outcome ?? entry.phase)).toEqual([
      'begin',
      'ok',
      'begin',
      'error',
      'begin',
      'error',
      'begin',
      'ok',
    ]);
  },
);

test(
  'what no longer fits is refused and can go on still; given up, nothing is left',
  { timeout: 300_000 },
  async () => {
    const opened = await killRun(await killRun(await prepare(), '1'), '1');
    const { app, client, dir, wait } = opened;
    const [newer, older] = await client.runs.list({});
    const runId = newer?.runId ?? '';
    const asked = {
      version: 'tested',
      input: app.admitFile(join(dir, 'rows.csv')),
      folder: app.admitFile(resultsOf(dir)),
      name: 'killed.csv',
      resume: true,
    };
    const resume = (): Promise<unknown> =>
      wait(contract.runs.resume, client.runs.resume({ runId }));
    const content = readFileSync(join(dir, 'rows.csv'), 'utf8');
    await expect(
      wait(contract.runs.start, client.runs.start({ ...asked, keepColumns: true })),
    ).rejects.toMatchObject({ code: 'conflict', message: /settings/ });
    writeFileSync(join(dir, 'rows.csv'), content.replace('\n5,', '\n6,'));
    await expect(resume()).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(`input.*runs give-up ${runId}`),
    });
    // Nor is it lost when something else is in the way.
    rmSync(join(dir, 'rows.csv'));
    await expect(resume()).rejects.toMatchObject({ code: 'not-found', message: /give-up/ });
    writeFileSync(join(dir, 'rows.csv'), content);
    writeFileSync(join(resultsOf(dir), 'killed.csv'), '');
    await expect(resume()).rejects.toMatchObject({ code: 'conflict', message: /give-up/ });
    rmSync(join(resultsOf(dir), 'killed.csv'));
    expect(await newest(opened)).toMatchObject({ runId, state: 'interrupted', canGoOn: true });
    expect(hidden(dir).length).toBe(4);

    // A medium that is out of reach keeps its files, and the run is not said to be without them.
    renameSync(resultsOf(dir), join(dir, 'pulled'));
    await expect(client.runs.giveUp({ runId })).rejects.toMatchObject({ code: 'io' });
    mkdirSync(resultsOf(dir));
    await expect(client.runs.giveUp({ runId })).rejects.toMatchObject({ code: 'io' });
    rmdirSync(resultsOf(dir));
    renameSync(join(dir, 'pulled'), resultsOf(dir));
    expect(await client.runs.giveUp({ runId })).toMatchObject({
      canGoOn: false,
      state: 'interrupted',
    });
    expect(hidden(dir).length).toBe(2);
    for (const work of [client.runs.giveUp({ runId }), resume()])
      await expect(work).rejects.toMatchObject({ code: 'conflict' });

    // Begun anew, the same output leaves nothing of the other run that was on its way there; files of others stay.
    const stranger = join(resultsOf(dir), '.killed.csv.0123456789abcdef.part');
    writeFileSync(stranger, 'mine');
    expect(
      await wait(contract.runs.start, client.runs.start({ ...asked, resume: false })),
    ).toMatchObject({ rejected: 60 });
    expect(hidden(dir)).toEqual([basename(stranger)]);
    const { summary } = await client.runs.show({ runId: older?.runId ?? '' });
    expect(summary).toMatchObject({ state: 'interrupted', canGoOn: false });
    const { entries } = await client.audit.list({ action: 'run.score', limit: 1 });
    expect(entries[0]?.entry.details).toMatchObject({ gaveUp: [older?.runId] });

    // Whose files somebody has removed is given up by saying so.
    rmSync(resultsOf(dir), { recursive: true });
    mkdirSync(resultsOf(dir));
    const again = await killRun(opened, '1');
    for (const name of hidden(dir)) rmSync(join(resultsOf(dir), name));
    const left = await newest(again);
    expect(left).toMatchObject({ state: 'interrupted', canGoOn: true });
    const giveUp = (gone: boolean) => again.client.runs.giveUp({ runId: left.runId, gone });
    await expect(giveUp(false)).rejects.toMatchObject({
      code: 'io',
      message: /--gone/,
      details: { output: 'not there' },
    });
    expect(await giveUp(true)).toMatchObject({ canGoOn: false });
  },
);
