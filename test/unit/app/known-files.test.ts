/** Bundles that leave out what the vault has, and imports that go on after their medium was pulled. */
import { existsSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { contract } from '#shared/contract/index.ts';
import type { ImportResult, InspectReport } from '#shared/contract/bundles.ts';
import { generateSigningKey, signFolder } from '#domain/bundle/index.ts';
import { onStep } from '#platform/steps.ts';
import { appPasswords, openPeopledApp, type TestApp } from '../../support/apps.ts';
import { plainFiles, signedFolder, signingKey, writeFolder } from '../../support/bundles.ts';
import { pass } from '../../support/gate.ts';

async function trusting(): Promise<TestApp> {
  const test = await openPeopledApp();
  const { app, client, dir } = test;
  writeFileSync(join(dir, 'maker.pem'), signingKey.publicPem);
  await client.trust.add({ name: 'Model maker', file: app.admitFile(join(dir, 'maker.pem')) });
  return test;
}

const bring = ({ app, client, wait }: TestApp, path: string): Promise<ImportResult> =>
  wait(
    contract.bundles.import,
    client.bundles.import({ source: app.admitFile(path), name: 'risk' }),
  );
const look = ({ app, client, wait }: TestApp, path: string): Promise<InspectReport> =>
  wait(contract.bundles.inspect, client.bundles.inspect({ source: app.admitFile(path) }));
const write = ({ app, client, dir, wait }: TestApp, name: string, since?: string) =>
  wait(
    contract.bundles.export,
    client.bundles.export({
      version: 'risk@2',
      folder: app.admitFile(dir),
      name,
      ...(since === undefined ? {} : { since }),
    }),
  );
const staging = ({ dir }: TestApp): string[] => readdirSync(join(dir, 'vault/staging'));

const newer = { ...plainFiles, 'docs/notes.txt': 'read me again' };

test('a differential bundle brings what changed; the rest is taken from the vault and signed like it', async () => {
  const here = await trusting();
  await bring(here, await signedFolder(join(here.dir, 'first')));
  const whole = await pass(await signedFolder(join(here.dir, 'second'), newer));
  await bring(here, join(here.dir, 'second'));
  const { files } = await write(here, 'difference', 'risk@1');
  expect(files).toBe(2);
  expect(existsSync(join(here.dir, 'difference/model.onnx'))).toBe(false);

  const there = await trusting();
  const difference = join(there.dir, 'difference');
  renameSync(join(here.dir, 'difference'), difference);
  // Where the first version is missing, so are its files.
  expect((await look(there, difference)).signature.status).toBe('invalid');
  await bring(there, await signedFolder(join(there.dir, 'first')));
  const reused = ['model.onnx', 'pipeline.json'].map((path) => ({ path, from: 'vault' }));
  expect(await look(there, difference)).toMatchObject({ verdict: 'accept', reused });
  // An auditor's keys open no model, so there is nothing to compare with.
  await there.as('audrey');
  expect((await look(there, difference)).signature.status).toBe('invalid');
  await there.as('ada');
  const result = await bring(there, difference);
  expect(result).toMatchObject({
    version: 2,
    digest: whole.report.manifestDigest,
    firstContact: { status: 'passed' },
    reused,
  });
  await write(there, 'out');
  expect((await pass(join(there.dir, 'out'))).report).toMatchObject({
    verdict: 'accept',
    manifestDigest: whole.report.manifestDigest,
  });
  expect(staging(there)).toEqual([]);
});

test('what an untrusted signer lists is not looked for in the vault', async () => {
  const test = await trusting();
  await bring(test, await signedFolder(join(test.dir, 'first')));
  const dir = await signedFolder(join(test.dir, 'second'), newer);
  await signFolder(dir, { privatePem: generateSigningKey().privatePem });
  rmSync(join(dir, 'model.onnx'));
  const report = await look(test, dir);
  expect(report).toMatchObject({ verdict: 'refuse', overridable: false, reused: [] });
});

test('a version without a signature has no differential bundle', async () => {
  const test = await trusting();
  const { app, client, dir, wait } = test;
  await bring(test, await signedFolder(join(dir, 'first')));
  await client.policy.set({ unsigned: 'override', reason: 'as tested' });
  const override = { user: 'alan', password: appPasswords.alan, reason: 'as tested' };
  const source = app.admitFile(writeFolder(join(dir, 'second'), newer));
  await wait(contract.bundles.import, client.bundles.import({ source, name: 'risk', override }));
  await expect(write(test, 'x', 'risk@1')).rejects.toMatchObject({ code: 'refused' });
  expect(existsSync(join(dir, 'x'))).toBe(false);
});

test('an import whose medium was pulled goes on with what it had read, and only if that is what is signed', async () => {
  const test = await trusting();
  const dir = await signedFolder(join(test.dir, 'stick'), {
    ...plainFiles,
    'weights/a.bin': Buffer.alloc(4_000_000, 7),
    'weights/b.bin': 'the rest',
  });
  // The drive goes before the last file.
  const away = join(test.dir, 'away');
  onStep((name) => {
    if (name === 'import: object staged' && staging(test).length === 4)
      renameSync(join(dir, 'weights/b.bin'), away);
  });
  await expect(bring(test, dir)).rejects.toMatchObject({ code: 'io' });
  onStep(() => undefined);
  expect(staging(test)).toHaveLength(4);
  renameSync(away, join(dir, 'weights/b.bin'));
  // Were the file before it read again, this would be seen: content counts, not the name.
  truncateSync(join(dir, 'weights/a.bin'), 10);
  const result = await bring(test, dir);
  expect(result.reused).toEqual(
    ['model.onnx', 'pipeline.json', 'weights/a.bin'].map((path) => ({ path, from: 'interrupted' })),
  );
  expect(result.files.find(({ path }) => path === 'weights/a.bin')?.bytes).toBe(4_000_000);
  expect(staging(test)).toEqual([]);
});
