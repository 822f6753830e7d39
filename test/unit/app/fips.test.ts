/** The life of a vault of the FIPS profile, and what stands in it afterwards. */
import { spawnSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openVault } from '#domain/vault/index.ts';
import { vaultSchema } from '#app/open-state.ts';
import { signedFolder, signingKey } from '../../support/bundles.ts';
import { temporaryFolder } from '../../support/vaults.ts';

const root = join(import.meta.dirname, '../../..');
const password = 'a quiet harbour';

/** In a process of its own, because what has been loaded there is part of the answer. */
const life = `
  import { contract } from '#shared/contract/index.ts';
  import { createClient } from '#shared/rpc.ts';
  import { createApp } from '#app/create-app.ts';
  const [dir, profile] = process.argv.slice(1);
  const kdf = profile === 'fips' ? { name: 'pbkdf2-hmac-sha512', iterations: 1000 } : { name: 'argon2id', memoryKib: 8, passes: 1, lanes: 1 };
  const app = createApp({ vaultDir: dir + '/vault', host: 'cli', kdf });
  const client = createClient(contract, (path, input) => app.dispatch(path, input));
  const wait = async (started) => {
    const { operationId } = await started;
    const { error, result } = await app.settled(operationId, () => undefined);
    if (error !== null) throw new Error(JSON.stringify(error));
    return result;
  };
  const password = ${JSON.stringify(password)};
  const { recoveryKey } = await client.vault.create({ user: 'ada', password, profile, policy: 'solo' });
  await client.users.add({ name: 'alan', role: 'auditor', password });
  await client.users.password({ name: 'alan', password: password + '!' });
  await client.trust.add({ name: 'Maker', file: app.admitFile(dir + '/maker.pem') });
  await wait(client.bundles.import({ source: app.admitFile(dir + '/bundle'), name: 'tested' }));
  await client.models.promote({ version: 'tested@1', to: 'production', reason: 'test' });
  const folder = app.admitFile(dir);
  await wait(client.runs.start({ version: 'tested', input: app.admitFile(dir + '/in.csv'), folder, name: 'out.csv' }));
  await client.keys.rotate({ reason: 'test' });
  await wait(client.reports.make({ kind: 'production-history', folder, name: 'history.pdf' }));
  await client.vault.seal(null);
  await client.vault.recover({ recoveryKey, user: 'ada', newPassword: password, reason: 'test' });
  await wait(client.audit.verify({}));
  const checkpoint = await client.audit.checkpoint(null);
  const report = await wait(client.reports.verify({ file: app.admitFile(dir + '/history.pdf'), verifierKey: checkpoint.verifierKey }));
  const { profile: shown } = await client.vault.status(null);
  await app.close();
  const loaded = process.report.getReport().sharedObjects.filter((path) => /argon2/.test(path));
  console.log(JSON.stringify({ shown, checkpoint, report: report.status, loaded: loaded.length }));
`;

async function live(profile: 'fips' | 'standard'): Promise<{ dir: string; told: Told }> {
  const dir = temporaryFolder();
  writeFileSync(join(dir, 'maker.pem'), signingKey.publicPem);
  writeFileSync(join(dir, 'in.csv'), `a,b\n${'1,2\n'.repeat(40)}`);
  await signedFolder(join(dir, 'bundle'));
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', life, dir, profile], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(child.status, child.stderr).toBe(0);
  return { dir, told: JSON.parse(child.stdout) as Told };
}

interface Told {
  readonly shown: string;
  readonly checkpoint: { readonly text: string; readonly verifierKey: string };
  readonly report: string;
  readonly loaded: number;
}

/** The byte that names the kind of key in a verifier key of signed notes. */
function noteType(verifierKey: string): number | undefined {
  return Buffer.from(verifierKey.split('+').slice(2).join('+'), 'base64')[0];
}

test('a FIPS vault uses PBKDF2, AES-GCM and ECDSA P-256 from its creation to its report', async () => {
  const { dir, told } = await live('fips');
  expect(told).toMatchObject({ shown: 'fips', report: 'valid', loaded: 0 });
  expect(noteType(told.checkpoint.verifierKey)).toBe(2);

  const text = readFileSync(join(dir, 'vault/vault.json'), 'utf8');
  expect(text).toContain('"pbkdf2-hmac-sha512"');
  expect(text).not.toMatch(/argon2/i);
  const vault = await openVault({
    dir: join(dir, 'vault'),
    user: 'ada',
    password,
    clock: () => new Date(),
    schema: vaultSchema,
  });
  const key = vault.audit.prepare<[], Buffer>('SELECT private_key FROM meta').pluck().get();
  expect(
    createPrivateKey({ key: key ?? Buffer.of(), type: 'pkcs8', format: 'der' })
      .asymmetricKeyDetails,
  ).toEqual({ namedCurve: 'prime256v1' });
  for (const db of [vault.catalog, vault.audit, vault.records])
    expect(db.pragma('cipher', { simple: true })).toBe('sqlcipher');
  vault.close();
  // Every object names its AEAD (AES-256-GCM) and KDF (HKDF-SHA-384) in its first two bytes.
  const objects = readdirSync(join(dir, 'vault/objects'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
  expect(objects.length).toBeGreaterThan(2);
  for (const object of objects) expect([...object.subarray(0, 2)]).toEqual([0, 0]);
});

test('the standard profile shows that the test above could fail', async () => {
  const { dir, told } = await live('standard');
  expect(told).toMatchObject({ shown: 'standard', report: 'valid', loaded: 1 });
  expect(noteType(told.checkpoint.verifierKey)).toBe(1);
  expect(readFileSync(join(dir, 'vault/vault.json'), 'utf8')).toMatch(/argon2id/);
});

test('a FIPS vault whose slot asks for another hash is not opened', async () => {
  const { dir } = await live('fips');
  const path = join(dir, 'vault/vault.json');
  const file = JSON.parse(readFileSync(path, 'utf8')) as { slots: { kdf?: unknown }[] };
  for (const slot of file.slots)
    if (slot.kdf !== undefined) slot.kdf = { name: 'argon2id', memoryKib: 8, passes: 1, lanes: 1 };
  writeFileSync(path, JSON.stringify(file));
  await expect(
    openVault({
      dir: join(dir, 'vault'),
      user: 'ada',
      password,
      clock: () => new Date(),
      schema: vaultSchema,
    }),
  ).rejects.toMatchObject({ code: 'corrupt' });
});

test('no code of the product knows ChaCha, and one file knows Ed25519', () => {
  const sources = readdirSync(join(root, 'electron'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name));
  const mentioning = (word: RegExp): string[] =>
    sources
      .filter((path) => word.test(readFileSync(path, 'utf8')))
      .map((path) => path.slice(root.length + 1));
  expect(mentioning(/chacha/i)).toEqual([]);
  expect(mentioning(/generateKeyPair(Sync)?\(\s*'(ed|x)(25519|448)/)).toEqual([
    'electron/domain/audit/note.ts',
  ]);
});
