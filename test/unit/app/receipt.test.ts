import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { contract } from '#shared/contract/index.ts';
import { verifyFile } from '#domain/compliance/index.ts';
import { openPeopledApp, type TestApp } from '../../support/apps.ts';
import { signedFolder, signingKey } from '../../support/bundles.ts';

interface Statement {
  readonly subject: readonly {
    readonly name: string;
    readonly digest: { readonly sha256: string };
  }[];
  readonly predicateType: string;
  readonly predicate: Readonly<Record<string, unknown>>;
}

async function appWithModel(): Promise<TestApp> {
  const one = await openPeopledApp();
  const { client, wait, app, as, dir } = one;
  mkdirSync(join(dir, 'files'));
  const key = join(dir, 'files', 'maker.pub.pem');
  writeFileSync(key, signingKey.publicPem);
  await client.trust.add({ name: 'Model maker', file: app.admitFile(key) });
  await as('grace');
  const source = app.admitFile(await signedFolder(join(dir, 'bundle')));
  await wait(contract.bundles.import, client.bundles.import({ source, name: 'tested' }));
  writeFileSync(join(dir, 'files', 'may.csv'), 'a,b\n1,2\nx,2\n3,4\n');
  return one;
}

const score = ({ client, wait, app, dir }: TestApp, name: string) =>
  wait(
    contract.runs.start,
    client.runs.start({
      version: 'tested@1',
      input: app.admitFile(join(dir, 'files', 'may.csv')),
      folder: app.admitFile(join(dir, 'files')),
      name,
    }),
  );

const sha256 = (path: string): string => hash('sha256', readFileSync(path));
const failed = ({ checks }: Awaited<ReturnType<typeof verifyFile>>): string[] =>
  checks.filter(({ ok }) => ok === false).map(({ name }) => name);

function statementOf(path: string): Statement {
  const { payload } = JSON.parse(readFileSync(path, 'utf8')) as { payload: string };
  return JSON.parse(Buffer.from(payload, 'base64').toString()) as Statement;
}

test('a finished run leaves a receipt of what it read and wrote, which is in the log and can be saved again', async () => {
  const one = await appWithModel();
  const { client, app, as, dir } = one;
  const run = await score(one, 'may.out.csv');
  const path = join(dir, 'files', 'may.out.csv.receipt.json');
  expect(run.receiptPath).toBe(path);
  const { subject, predicate, predicateType } = statementOf(path);
  expect(predicateType).toBe('https://strongroom.invalid/run/v1');
  expect(subject).toEqual(
    ['may.out.csv', 'may.out.csv.rejects.csv'].map((name) => ({
      name,
      digest: { sha256: sha256(join(dir, 'files', name)) },
    })),
  );
  expect(predicate).toMatchObject({
    runId: run.runId,
    input: {
      name: 'may.csv',
      format: 'csv',
      digest: { sha256: sha256(join(dir, 'files', 'may.csv')) },
    },
    model: { name: 'tested', version: 1, digest: { sha256: run.versionDigest.slice(7) } },
    counts: { rows: 2, rejected: 1 },
    by: 'grace',
    log: { index: run.logIndex },
  });
  const { entries } = await client.audit.list({ action: 'run.score', limit: 1 });
  expect(entries[0]?.entry.objects).toContainEqual({
    type: 'receipt',
    id: 'receipt.json',
    digest: `sha256:${sha256(path)}`,
  });
  const { verifierKey } = await client.audit.checkpoint(null);
  const verdict = await verifyFile(path, { verifierKey });
  expect(verdict).toMatchObject({ status: 'valid', kind: 'receipt' });
  expect(verdict.checks.map(({ name }) => name)).toEqual([
    'signature',
    'signer',
    'statement',
    'file',
    'file',
    'input',
  ]);
  expect(verdict.unseen).toEqual([]);
  await as('audrey');
  const again = await client.runs.receipt({
    runId: run.runId,
    folder: app.admitFile(dir),
    name: 'again.json',
  });
  expect(readFileSync(again.path)).toEqual(readFileSync(path));
  // Elsewhere there is nothing to compare with, and a receipt alone says nothing of the files.
  const elsewhere = await verifyFile(again.path, { verifierKey });
  expect(elsewhere.status).toBe('incomplete');
  expect(elsewhere.checks.map(({ ok }) => ok)).toEqual([true, true, true, null, null]);
  expect(elsewhere.checks.at(-1)?.detail).toContain('not beside the receipt');
  expect(elsewhere.unseen).toEqual([expect.stringMatching(/^The input, may\.csv with sha256:/)]);
});

test('a changed file beside it, a changed receipt and the receipt of another vault are found', async () => {
  const one = await appWithModel();
  const run = await score(one, 'o.csv');
  const path = run.receiptPath ?? '';
  const output = readFileSync(run.outputPath, 'utf8');
  writeFileSync(run.outputPath, output.replace('1,', '3,'));
  expect(failed(await verifyFile(path))).toEqual(['file']);
  // What is no file is not read, and a pipe keeps nobody waiting.
  for (const put of [mkdirSync, (at: string) => execFileSync('mkfifo', [at])]) {
    rmSync(run.outputPath, { recursive: true });
    put(run.outputPath);
    const unread = await verifyFile(path);
    expect(unread.status).toBe('incomplete');
    expect(unread.checks.find(({ ok }) => ok === null)?.detail).toContain('no plain file');
  }
  // A file that is wrong weighs more than one that is not there.
  writeFileSync(run.rejectsPath ?? '', 'row\n');
  expect((await verifyFile(path)).status).toBe('invalid');
  const stranger = await openPeopledApp();
  const { verifierKey } = await stranger.client.audit.checkpoint(null);
  expect(failed(await verifyFile(path, { verifierKey }))).toEqual(['signer']);
  const receipt = readFileSync(path);
  const changed = join(one.dir, 'changed.json');
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: receipt.length - 2 }),
      fc.integer({ min: 1, max: 255 }),
      async (at, change) => {
        const bytes = Buffer.from(receipt);
        bytes[at] = (bytes[at] ?? 0) ^ change;
        writeFileSync(changed, bytes);
        expect((await verifyFile(changed)).status, `byte ${at}`).toBe('invalid');
      },
    ),
    { numRuns: 200 },
  );
});

test('what a run has read is compared where it is at hand, and else the answer says that nobody looked', async () => {
  const one = await appWithModel();
  const { client, app, dir, wait } = one;
  const input = join(dir, 'files', 'may.csv');
  const path = (await score(one, 'o.csv')).receiptPath ?? '';
  const inputCheck = async (given?: string) => {
    const { status, checks, unseen } = await verifyFile(path, { input: given });
    const found = checks.find(({ name }) => name === 'input');
    return { status, ok: found?.ok, detail: found?.detail, unseen: unseen.length };
  };
  const kept = readFileSync(input);
  renameSync(input, join(dir, 'elsewhere.csv'));
  expect(await inputCheck()).toMatchObject({ status: 'valid', ok: undefined, unseen: 1 });
  expect(await inputCheck(join(dir, 'elsewhere.csv'))).toMatchObject({
    status: 'valid',
    ok: true,
    detail: 'elsewhere.csv is the file that the run read.',
    unseen: 0,
  });
  writeFileSync(input, kept.toString().replace('1,2', '2,1'));
  expect(await inputCheck()).toMatchObject({ status: 'invalid', ok: false, unseen: 0 });
  expect(await inputCheck(dir)).toMatchObject({ status: 'incomplete', ok: null });
  // No other file names an input.
  const { text } = await client.audit.checkpoint(null);
  writeFileSync(join(dir, 'checkpoint'), text);
  await expect(verifyFile(join(dir, 'checkpoint'), { input })).rejects.toMatchObject({
    code: 'invalid-input',
  });

  // A result of the name of its input, in another folder, is not taken for the input.
  const same = await wait(
    contract.runs.start,
    client.runs.start({
      version: 'tested@1',
      input: app.admitFile(input),
      folder: app.admitFile(dir),
      name: 'may.csv',
    }),
  );
  const verdict = await verifyFile(same.receiptPath ?? '');
  expect(verdict).toMatchObject({ status: 'valid', unseen: [expect.any(String)] });
});

test('a receipt that points out of its folder is none', async () => {
  const one = await appWithModel();
  const run = await score(one, 'o.csv');
  const envelope = JSON.parse(readFileSync(run.receiptPath ?? '', 'utf8')) as { payload: string };
  const payload = Buffer.from(envelope.payload, 'base64').toString();
  const path = join(one.dir, 'files', 'bad.json');
  const bad = payload.replace('"o.csv"', '"../o.csv"');
  expect(bad).not.toBe(payload);
  writeFileSync(
    path,
    JSON.stringify({ ...envelope, payload: Buffer.from(bad).toString('base64') }),
  );
  expect(failed(await verifyFile(path))).toEqual(['signature', 'statement']);
});

test('a file where the receipt would stand stops the run before a row is scored', async () => {
  const one = await appWithModel();
  writeFileSync(join(one.dir, 'files', 'o.csv.receipt.json'), 'mine');
  await expect(score(one, 'o.csv')).rejects.toMatchObject({ code: 'conflict' });
  expect(existsSync(join(one.dir, 'files', 'o.csv'))).toBe(false);
  expect(readFileSync(join(one.dir, 'files', 'o.csv.receipt.json'), 'utf8')).toBe('mine');
  const [run] = await one.client.runs.list({});
  expect(run?.state).toBe('failed');
  await expect(
    one.client.runs.receipt({
      runId: run?.runId ?? '',
      folder: one.app.admitFile(one.dir),
      name: 'r.json',
    }),
  ).rejects.toMatchObject({ code: 'not-found' });
});
