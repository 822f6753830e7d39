import { hash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { contract } from '#shared/contract/index.ts';
import { generateSigningKey } from '#domain/bundle/index.ts';
import { appPasswords, openPeopledApp, type TestApp } from '../../support/apps.ts';
import {
  plainFiles,
  signedFolder,
  signingKey,
  writeFolder,
  writeZip,
  zipEntries,
} from '../../support/bundles.ts';

const importFrom = (
  { client, wait, app }: TestApp,
  path: string,
  override?: { user: string; password: string; reason: string },
) =>
  wait(
    contract.bundles.import,
    client.bundles.import({
      source: app.admitFile(path),
      name: 'tested',
      ...(override === undefined ? {} : { override }),
    }),
  );

async function trustMaker({ client, app, dir }: TestApp): Promise<string> {
  mkdirSync(join(dir, 'keys'));
  const path = join(dir, 'keys', 'maker.pub.pem');
  writeFileSync(path, signingKey.publicPem);
  const { keyId } = await client.trust.add({ name: 'Model maker', file: app.admitFile(path) });
  return keyId;
}

async function writeVerdict(
  { client, app, dir }: TestApp,
  of: { version: string } | { entry: number },
  name: string,
) {
  const made = await client.bundles.verdict({ ...of, folder: app.admitFile(dir), name });
  const svr = join(made.path, 'svr.dsse.json');
  const envelope = JSON.parse(readFileSync(svr, 'utf8')) as { payload: string };
  return {
    ...made,
    svr,
    statement: JSON.parse(Buffer.from(envelope.payload, 'base64').toString()) as {
      subject: { name: string; digest: { sha256: string } }[];
      predicateType: string;
      predicate: { properties: string[] };
    },
    sarif: join(made.path, 'findings.sarif'),
  };
}

/** In the central directory of a zip: the method of its first entry, and the flag of a password. */
function withMethod12(bytes: Buffer): Buffer {
  bytes.writeUInt16LE(12, bytes.indexOf('PK\u0001\u0002') + 10);
  return bytes;
}
function withPassword(bytes: Buffer): Buffer {
  const at = bytes.indexOf('PK\u0001\u0002') + 8;
  bytes.writeUInt16LE(bytes.readUInt16LE(at) | 1, at);
  return bytes;
}

const digestOf = (path: string): string => `sha256:${hash('sha256', readFileSync(path))}`;

test('an import leaves a signed verdict that anybody can check and that the log names', async () => {
  const one = await openPeopledApp();
  const { client, wait, app, as, dir } = one;
  await trustMaker(one);
  await as('grace');
  const imported = await importFrom(one, await signedFolder(join(dir, 'bundle')));
  const verdict = await writeVerdict(one, { version: 'tested@1' }, 'verdict');
  expect(verdict.decision).toBe('accepted');
  expect(verdict.statement).toMatchObject({
    _type: 'https://in-toto.io/Statement/v1',
    predicateType: 'https://in-toto.io/attestation/svr/v0.2',
  });
  expect(verdict.statement.subject).toEqual([
    { name: imported.name, digest: { sha256: imported.digest.replace('sha256:', '') } },
    ...imported.files.map(({ path, sha256 }) => ({ name: path, digest: { sha256 } })),
  ]);
  expect(verdict.statement.predicate.properties).toEqual(
    expect.arrayContaining([
      'STRONGROOM_GATE_ACCEPTED',
      'STRONGROOM_SIGNATURE_VERIFIED',
      'STRONGROOM_SIGNERS_1_OF_1',
      `STRONGROOM_FINDINGS_SHA256_${digestOf(verdict.sarif).replace('sha256:', '')}`,
    ]),
  );
  const { entries } = await client.audit.list({ action: 'bundle.import' });
  expect(entries[0]?.entry.objects).toEqual(
    expect.arrayContaining([
      { type: 'verdict', id: 'svr.dsse.json', digest: digestOf(verdict.svr) },
      { type: 'findings', id: 'findings.sarif', digest: digestOf(verdict.sarif) },
    ]),
  );
  const { verifierKey } = await client.audit.checkpoint(null);
  const check = (path: string, key?: string) =>
    wait(
      contract.reports.verify,
      client.reports.verify({
        file: app.admitFile(path),
        ...(key === undefined ? {} : { verifierKey: key }),
      }),
    );
  expect(await check(verdict.svr, verifierKey)).toMatchObject({ status: 'valid', kind: 'verdict' });
  const text = readFileSync(verdict.svr, 'utf8');
  const { payload } = JSON.parse(text) as { payload: string };
  const other = Buffer.from(payload, 'base64').toString().replace('ACCEPTED', 'OVERRIDE');
  const forged = join(dir, 'forged.json');
  writeFileSync(forged, text.replace(payload, Buffer.from(other).toString('base64')));
  expect(await check(forged)).toMatchObject({ status: 'invalid', kind: 'verdict' });
  const stranger = await openPeopledApp();
  const otherKey = (await stranger.client.audit.checkpoint(null)).verifierKey;
  expect(await check(verdict.svr, otherKey)).toMatchObject({ status: 'invalid' });
});

test('a bundle that stays out leaves its verdict under the entry that announced it', async () => {
  const one = await openPeopledApp();
  const { client, as, dir } = one;
  await as('grace');
  await expect(importFrom(one, writeFolder(join(dir, 'unsigned')))).rejects.toMatchObject({
    code: 'refused',
  });
  const { entries } = await client.audit.list({ action: 'bundle.import' });
  const entry = entries.find((item) => item.entry.phase === 'begin')?.entry.index ?? -1;
  const verdict = await writeVerdict(one, { entry }, 'refusal');
  expect(verdict.decision).toBe('refused');
  expect(verdict.statement.predicate.properties).toContain('STRONGROOM_FOUND_SR-SIG-001');
  expect(JSON.parse(readFileSync(verdict.sarif, 'utf8'))).toMatchObject({
    version: '2.1.0',
    runs: [
      {
        results: expect.arrayContaining([
          expect.objectContaining({ ruleId: 'SR-SIG-001' }),
        ]) as unknown,
      },
    ],
  });
  expect(entries[0]?.entry.objects).toContainEqual({
    type: 'verdict',
    id: 'svr.dsse.json',
    digest: digestOf(verdict.svr),
  });
  await expect(client.models.list(null)).resolves.toEqual([]);
  await expect(
    client.bundles.verdict({ entry: 0, folder: one.app.admitFile(dir), name: 'none' }),
  ).rejects.toMatchObject({ code: 'not-found' });
});

test.each([
  ['cut off', (bytes: Buffer) => bytes.subarray(0, -100), 'corrupt', 'SR-BUNDLE-006'],
  ['of another compression', withMethod12, 'unsupported', 'SR-BUNDLE-007'],
  ['with a password', withPassword, 'refused', 'SR-BUNDLE-005'],
])('an archive %s leaves a verdict about its own bytes', async (_how, change, code, ruleId) => {
  const one = await openPeopledApp();
  const { client, as, dir } = one;
  await as('grace');
  const path = join(dir, 'bundle.zip');
  await writeZip(path, zipEntries(plainFiles));
  writeFileSync(path, change(readFileSync(path)));
  await expect(importFrom(one, path)).rejects.toMatchObject({ code });
  const { entries } = await client.audit.list({ action: 'bundle.import' });
  const entry = entries.find((item) => item.entry.phase === 'begin')?.entry.index ?? -1;
  const verdict = await writeVerdict(one, { entry }, 'refusal');
  expect(verdict.decision).toBe('refused');
  expect(verdict.statement.subject).toEqual([
    { name: 'bundle.zip', digest: { sha256: digestOf(path).replace('sha256:', '') } },
  ]);
  expect(verdict.statement.predicate.properties).toEqual(
    expect.arrayContaining([
      'STRONGROOM_GATE_REFUSED',
      'STRONGROOM_SIGNATURE_NOT_CHECKED',
      `STRONGROOM_FOUND_${ruleId}`,
    ]),
  );
  expect(entries[0]?.entry.objects).toContainEqual({
    type: 'verdict',
    id: 'svr.dsse.json',
    digest: digestOf(verdict.svr),
  });
});

test('an override shows its second person and reason on the version, in its history and in its runs', async () => {
  const one = await openPeopledApp();
  const { client, wait, app, as, dir } = one;
  await client.policy.set({ unsigned: 'override', reason: 'trial' });
  await as('grace');
  const reason = 'the maker is in the next room';
  await importFrom(one, writeFolder(join(dir, 'unsigned')), {
    user: 'ALAN',
    password: appPasswords.alan,
    reason,
  });
  const mark = { by: 'alan', reason };
  const [listed] = await client.models.list(null);
  expect(listed?.overridden).toEqual([1]);
  expect(listed?.latest).toMatchObject({ overridden: true, override: mark, signerTrust: 'never' });
  expect(await client.models.version({ version: 'tested@1' })).toMatchObject({ override: mark });
  const { events } = await client.models.history({ model: 'tested' });
  expect(events[0]).toMatchObject({ kind: 'imported', reason: `let in by alan: ${reason}` });
  const verdict = await writeVerdict(one, { version: 'tested@1' }, 'verdict');
  expect(verdict.statement.predicate.properties).toContain('STRONGROOM_GATE_OVERRIDDEN');
  await client.models.promote({ version: 'tested@1', to: 'candidate', reason: 'looked at' });
  await as('alan');
  await client.models.approve({ version: 'tested@1', reason: 'looked at too' });
  await as('grace');
  writeFileSync(join(dir, 'data.csv'), 'a,b\n1,2\n');
  const run = await wait(
    contract.runs.start,
    client.runs.start({
      version: 'tested@1',
      input: app.admitFile(join(dir, 'data.csv')),
      folder: app.admitFile(dir),
      name: 'o.csv',
    }),
  );
  expect(run.override).toEqual(mark);
  expect((await client.runs.show({ runId: run.runId })).result?.override).toEqual(mark);
});

test('a version whose signer was removed says so, and says it no longer when the signer is back', async () => {
  const one = await openPeopledApp();
  const { client, dir } = one;
  const keyId = await trustMaker(one);
  await importFrom(one, await signedFolder(join(dir, 'bundle')));
  const state = async () => (await client.models.version({ version: 'tested@1' })).signerTrust;
  expect(await state()).toBe('trusted');
  await client.trust.remove({ keyId });
  expect(await client.trust.list(null)).toEqual([]);
  expect(await state()).toBe('removed');
  const file = one.app.admitFile(join(dir, 'keys', 'maker.pub.pem'));
  await client.trust.add({ name: 'Maker again', file, role: 'maker' });
  expect(await state()).toBe('trusted');
});

test('the policy asks for signers by number and by role', async () => {
  const one = await openPeopledApp();
  const { client, dir } = one;
  await trustMaker(one);
  const from = (name: string) =>
    client.policy.set({ signers: { required: 1, from: [name] }, reason: 'four eyes' });
  // A name that nobody has would refuse everything.
  await expect(from('validator')).rejects.toMatchObject({
    code: 'invalid-input',
    message: expect.stringContaining('There are: Model maker.') as string,
  });
  writeFileSync(join(dir, 'keys', 'validator.pub.pem'), generateSigningKey().publicPem);
  const validator = await client.trust.add({
    name: 'Vera',
    file: one.app.admitFile(join(dir, 'keys', 'validator.pub.pem')),
    role: 'validator',
  });
  await from('validator');
  await expect(importFrom(one, await signedFolder(join(dir, 'bundle')))).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining('among validator') as string,
  });
  // Who leaves the trust list does not stand in the way of another change.
  await client.trust.remove({ keyId: validator.keyId });
  const { signers } = await client.policy.show(null);
  await client.policy.set({ signers, idleMinutes: 9, reason: 'test' });
});
