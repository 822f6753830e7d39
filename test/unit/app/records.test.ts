import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { contract } from '#shared/contract/index.ts';
import type { ReasonTexts, RecordValues } from '#shared/contract/records.ts';
import { verifyFile } from '#domain/compliance/index.ts';
import { canonicalBytes } from '#platform/canonical-json.ts';
import { openPeopledApp, type TestApp } from '../../support/apps.ts';
import { codeOf } from '../../support/bare-app.ts';
import { scoredFiles, signedFolder, signingKey } from '../../support/bundles.ts';

/** Adverse by a wide margin, with values that nothing else in the vault holds. */
const record: RecordValues = { a: 9.8125, b: '9.9375' };
const texts: ReasonTexts = {
  adverse: 'at-or-above',
  most: 2,
  texts: [
    { column: 'a', text: 'The first number is high.' },
    { column: 'b', text: 'The second number is high.' },
  ],
};

async function withModel(): Promise<TestApp> {
  const test = await openPeopledApp();
  const { app, client, dir, wait } = test;
  writeFileSync(join(dir, 'maker.pem'), signingKey.publicPem);
  await client.trust.add({ name: 'Maker', file: app.admitFile(join(dir, 'maker.pem')) });
  const source = app.admitFile(await signedFolder(join(dir, 'scored'), scoredFiles));
  await wait(contract.bundles.import, client.bundles.import({ source, name: 'scored' }));
  return test;
}

test('what is told of reasons is proposed by one person and approved by another, and nothing else is told', async () => {
  const { client, as } = await withModel();
  const version = 'scored';
  await as('grace');
  expect(await codeOf(client.records.reasons({ version, record }))).toBe('conflict');
  await expect(
    client.records.proposeTexts({
      version,
      texts: { ...texts, texts: [...texts.texts, { column: 'shoe size', text: 'Large feet.' }] },
    }),
  ).rejects.toMatchObject({
    code: 'invalid-input',
    message: 'The version has no column shoe size. Its columns are: a, b.',
  });
  expect(await client.records.reasonTexts({ version })).toMatchObject({ proposed: null });
  const proposal = await client.records.proposeTexts({ version, texts });
  const digest = proposal.proposed?.digest ?? '';
  expect(proposal).toMatchObject({ approved: null, proposed: { proposedBy: 'grace', ...texts } });
  const { entries } = await client.audit.list({ limit: 2 });
  const done = entries.find(({ entry }) => entry.phase === 'outcome' && entry.outcome === 'ok');
  expect(done?.entry.objects.map(({ type, id }) => `${type} ${id}`)).toEqual([
    'version scored@1',
    'texts reasons',
  ]);
  const before = await client.records.reasons({ version, record });
  expect(before).toMatchObject({ status: 'adverse', notice: null });
  expect(before.reasons.map(({ text }) => text)).toEqual([null, null]);
  expect(await codeOf(client.records.approveTexts({ version, digest }))).toBe('forbidden');

  await as('ada');
  await client.records.proposeTexts({ version, texts: { ...texts, most: 1 } });
  const own = (await client.records.reasonTexts({ version })).proposed?.digest ?? '';
  expect(await codeOf(client.records.approveTexts({ version, digest: own }))).toBe('forbidden');
  await as('alan');
  // What waits is no longer what was read.
  expect(await codeOf(client.records.approveTexts({ version, digest }))).toBe('conflict');
  const approved = await client.records.approveTexts({ version, digest: own });
  expect(approved).toMatchObject({
    proposed: null,
    approved: { proposedBy: 'ada', approvedBy: 'alan', most: 1 },
  });
  expect(await codeOf(client.records.approveTexts({ version, digest: own }))).toBe('not-found');
  const told = await client.records.reasons({ version, record });
  expect(told.notice).toHaveLength(1);
  expect(texts.texts.map(({ text }) => text)).toContain(told.notice?.[0]);

  // Texts that wait change nothing of what is told; a reason without a text keeps the whole notice back.
  await as('grace');
  await client.records.proposeTexts({ version, texts: { ...texts, most: 2, texts: [] } });
  expect((await client.records.reasons({ version, record })).notice).toEqual(told.notice);
  const { proposed } = await client.records.reasonTexts({ version });
  await as('alan');
  await client.records.approveTexts({ version, digest: proposed?.digest ?? '' });
  expect((await client.records.reasons({ version, record })).notice).toBe(null);
});

test('a column that is to stay and is not in the record is refused, not passed over', async () => {
  const { client, as } = await withModel();
  await as('grace');
  const asked = { version: 'scored', record, immutable: ['A'] };
  expect(await codeOf(client.records.change(asked))).toBe('invalid-input');
});

test('values that the maker of the bundle does not expect are scored, and said: of a record, of a file, in its receipt', async () => {
  const { app, client, dir, as, wait } = await withModel();
  await as('grace');
  const version = 'scored';
  const odd = await client.records.predict({ version, record: { a: 11, b: '3' } });
  expect(odd.unusual).toEqual([{ column: 'a', code: 'range' }]);
  expect((await client.records.predict({ version, record })).unusual).toEqual([]);
  writeFileSync(join(dir, 'rows.csv'), 'a,b\n1,2\n11,2\n3,\n-1,x\n12,10.5\n');
  const input = { input: app.admitFile(join(dir, 'rows.csv')), folder: app.admitFile(dir) };
  const run = await wait(contract.runs.start, client.runs.start({ version, ...input, name: 'o' }));
  // A row that is rejected counts for nothing.
  const outOfRange = [
    { column: 'a', rows: 2 },
    { column: 'b', rows: 1 },
  ];
  expect(run).toMatchObject({ rows: 4, rejected: 1, outOfRange });
  const { payload } = JSON.parse(readFileSync(run.receiptPath ?? '', 'utf8')) as {
    payload: string;
  };
  expect(JSON.parse(Buffer.from(payload, 'base64').toString())).toMatchObject({
    predicate: { counts: { rows: 4, rejected: 1, outOfRange } },
  });
  const { checks } = await verifyFile(run.receiptPath ?? '');
  expect(checks[2]?.detail).toContain(
    'Outside of what the model states, and scored: a in 2, b in 1.',
  );
});

test('every act on a record is in the log, with a commitment that the salt opens and no value of it', async () => {
  const { client, as } = await withModel();
  const version = 'scored';
  await as('grace');
  const predicted = await client.records.predict({ version, record });
  expect(predicted).toMatchObject({ target: 'score', threshold: 30 });
  expect(predicted.value).toBeCloseTo(2 * 9.8125 + 3 * 9.9375 + 1, 4);
  const explained = await client.records.explain({ version, record });
  expect(explained).toMatchObject({ method: 'linear', scale: 'output', rows: 120 });
  const change = await client.records.change({ version, record, immutable: ['a'] });
  expect(change).toMatchObject({ status: 'found', changes: [{ column: 'b', from: '9.9375' }] });
  expect(change.changedValue).toBeLessThan(30);
  expect(
    await codeOf(client.records.predict({ version, record: { a: 'not a number 4711', b: 1 } })),
  ).toBe('invalid-input');

  const { salt, digest } = predicted.commitment;
  const bytes = Buffer.concat([
    Buffer.from(salt, 'hex'),
    canonicalBytes({ outputs: predicted.outputs, record }),
  ]);
  expect(`sha256:${createHash('sha256').update(bytes).digest('hex')}`).toBe(digest);
  const entries = (await client.audit.list({ limit: 100 })).entries.map(({ entry }) => entry);
  const outcomes = entries
    .filter(({ action, phase }) => action.startsWith('record.') && phase === 'outcome')
    .map(({ action, outcome, code, details }) => ({
      action,
      outcome,
      code,
      kind: details?.['kind'],
    }));
  expect(outcomes.toReversed()).toEqual([
    { action: 'record.predict', outcome: 'ok', code: undefined, kind: undefined },
    { action: 'record.explain', outcome: 'ok', code: undefined, kind: 'contributions' },
    { action: 'record.explain', outcome: 'ok', code: undefined, kind: 'change' },
    { action: 'record.predict', outcome: 'error', code: 'invalid-input', kind: undefined },
  ]);
  const log = JSON.stringify(entries);
  expect(log).toContain(digest);
  for (const secret of ['9.8125', '9.9375', '4711', salt]) expect(log).not.toContain(secret);
});

test('a model that may not run answers no record, and an erased one has no child left', async () => {
  const { client, as } = await withModel();
  await as('ada');
  await client.records.predict({ version: 'scored', record });
  await client.models.retire({ version: 'scored@1', reason: 'as tested' });
  expect(await codeOf(client.records.predict({ version: 'scored@1', record }))).toBe('refused');
  await client.erasure.version({ version: 'scored@1', reason: 'as tested' });
  expect(await codeOf(client.records.form({ version: 'scored@1' }))).toBe('refused');
});
