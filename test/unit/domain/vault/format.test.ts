/** FORMAT.md is enough: its worked example is computed again, and a program in another language, written from it, opens vaults. */
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openDatabase } from '#platform/database.ts';
import { vaultSchema } from '#app/open-state.ts';
import { createApp } from '#app/create-app.ts';
import { contract } from '#shared/contract/index.ts';
import { createClient } from '#shared/rpc.ts';
import { openVault, type KdfChoice } from '#domain/vault/index.ts';
import { passwordToKey } from '#domain/vault/kdf.ts';
import { deriveKey, requireKey } from '#domain/vault/purposes.ts';
import { openPasswordSlot, slotTag, unwrap } from '#domain/vault/slots.ts';
import { parseVaultFile, type PasswordSlot } from '#domain/vault/vault-file.ts';
import { plainFiles, signedFolder, signingKey } from '../../../support/bundles.ts';
import { cheapKdf, temporaryFolder } from '../../../support/vaults.ts';

const root = join(import.meta.dirname, '../../../..');
const vectors = join(root, 'test/vectors');
const password = 'a quiet harbour';
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('the worked example of FORMAT.md is what the vault beside it gives', async () => {
  const page = readFileSync(join(root, 'electron/domain/vault/FORMAT.md'), 'utf8');
  const example = page.slice(page.indexOf('## 10. Worked example'));
  const told = [...example.matchAll(/^\| (.+?) +\| `(.+?)` +\|$/gm)].map(([, step, value]) => [
    step,
    value,
  ]);

  const dir = join(temporaryFolder(), 'vault');
  cpSync(join(vectors, 'vault-v2/vault'), dir, { recursive: true });
  const { file } = parseVaultFile(readFileSync(join(dir, 'vault.json'), 'utf8'));
  const tag = slotTag(file, 'Ada');
  const slot = file.slots.find(
    (each): each is PasswordSlot => each.kind === 'password' && each.tag === tag,
  );
  if (slot === undefined) throw new Error('The example has no such slot.');
  const kek = await passwordToKey(password, slot.kdf, Buffer.from(slot.salt, 'base64'));
  const { keys = {} } = (await openPasswordSlot(file, slot, password)) ?? {};
  const key = (purpose: 'models' | 'records' | 'catalog' | 'audit', use?: string): string => {
    const rootKey = requireKey(keys, purpose);
    return hex(use === undefined ? rootKey.reveal() : deriveKey(rootKey, use));
  };
  const catalogKey = Buffer.from(key('catalog', 'catalog.db'), 'hex');
  const catalog = openDatabase(join(dir, 'catalog.db'), catalogKey, 'existing');
  const row = catalog
    .prepare<[], { id: string; wrapped_key: Uint8Array; epoch: number; sha256: string }>(
      "SELECT o.* FROM version_files f JOIN objects o ON o.id = f.object_id WHERE f.path = 'model.onnx'",
    )
    .get();
  catalog.close();
  if (row === undefined) throw new Error('The example has no such object.');
  const aad = Buffer.concat([Buffer.from(row.id, 'hex'), Buffer.of(0, 0, 0, row.epoch)]);
  const wrapping = Buffer.from(key('models', 'object keys v1'), 'hex');
  const { models, records, catalog: ofCatalog, audit } = file.epochs;

  expect(told).toEqual([
    ['tag of the name', tag],
    ['KEK from the password', hex(kek)],
    [`purpose key \`models\`, epoch ${models}`, key('models')],
    [`purpose key \`records\`, epoch ${records}`, key('records')],
    [`purpose key \`catalog\`, epoch ${ofCatalog}`, key('catalog')],
    [`purpose key \`audit\`, epoch ${audit}`, key('audit')],
    ['key of the MAC of `vault.json`', key('catalog', 'vault.json v1')],
    ['key of `catalog.db`', hex(catalogKey)],
    ['key that wraps object keys', hex(wrapping)],
    ['object of `model.onnx` in `tested@1`', row.id],
    ['its wrapped key', hex(row.wrapped_key)],
    ['its key', hex(unwrap(wrapping, row.wrapped_key, aad) ?? Buffer.of())],
    ['SHA-256 of its 199 bytes of plaintext', row.sha256],
  ]);
  const opened = await openVault({
    dir,
    user: 'Audrey',
    password: 'trust but recompute',
    clock: () => new Date(),
    schema: vaultSchema,
  });
  expect(opened.holds('models')).toBe(false);
  opened.close();
});

/** Debian's Python, which has the packages; others may be first in the path. */
const python = ['/usr/bin/python3', 'python3'].find(
  (name) => spawnSync(name, ['-c', 'import argon2, cryptography']).status === 0,
);

describe.skipIf(python === undefined)('a stranger with Python', () => {
  function strangerReads(
    dir: string,
    path: string,
    by: { readonly user: string; readonly password: string } | { readonly recovery: string },
  ): Buffer {
    const who = 'user' in by ? ['--user', by.user] : ['--recovery'];
    const script = join(root, 'test/support/stranger/open_vault.py');
    const { stdout, stderr, status } = spawnSync(
      python ?? '',
      [script, dir, 'tested', '1', path, ...who],
      {
        maxBuffer: 2 ** 24,
        env: 'user' in by ? { PASSWORD: by.password } : { RECOVERY: by.recovery },
      },
    );
    expect(status, stderr.toString()).toBe(0);
    return stdout;
  }

  test.each(['vault-v1', 'vault-v2'])('opens %s', (version) => {
    const plaintext = readFileSync(join(vectors, version, 'model.onnx'));
    const dir = join(vectors, version, 'vault');
    expect(strangerReads(dir, 'model.onnx', { user: 'ADA', password })).toEqual(plaintext);
  });

  test.each([
    ['standard', cheapKdf],
    ['fips', { name: 'pbkdf2-hmac-sha512', iterations: 1000 }],
  ] as const)(
    'opens a fresh vault of profile %s, with the password and with shares',
    async (profile, kdf: KdfChoice) => {
      const dir = temporaryFolder();
      const app = createApp({ vaultDir: join(dir, 'vault'), host: 'cli', kdf });
      const client = createClient(contract, (path, input) => app.dispatch(path, input));
      const { recoveryKey } = await client.vault.create({
        user: 'Zoë',
        password: 'Å quiet harbour',
        profile,
        recoveryShares: { threshold: 3, shares: 4 },
      });
      const pem = join(dir, 'maker.pem');
      writeFileSync(pem, signingKey.publicPem);
      await client.trust.add({ name: 'Maker', file: app.admitFile(pem) });
      // Over two segments, so that their order and their end are read too.
      const long = Buffer.alloc(2_500_000, 'over several segments ');
      const files = { ...plainFiles, 'docs/long.txt': long };
      const source = app.admitFile(await signedFolder(join(dir, 'bundle'), files));
      const { operationId } = await client.bundles.import({ source, name: 'tested' });
      expect((await app.settled(operationId, () => undefined)).error).toBeNull();
      await client.keys.rotate({ reason: 'test' });
      await app.close();
      const opened = { user: 'ZOË', password: 'A\u030A quiet harbour' };
      expect(strangerReads(join(dir, 'vault'), 'docs/long.txt', opened).equals(long)).toBe(true);
      const shares = recoveryKey.split('\n');
      const recovery = [shares[3], shares[0], shares[2]].join('\n');
      expect(strangerReads(join(dir, 'vault'), 'docs/notes.txt', { recovery }).toString()).toBe(
        plainFiles['docs/notes.txt'],
      );
    },
  );
});
