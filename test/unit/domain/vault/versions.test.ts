/** Old vaults are read for ever: each format version has a vault in test/vectors that is never changed. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { vaultSchema } from '#app/open-state.ts';
import { openVault, openVaultWithRecoveryKey, readVaultInfo } from '#domain/vault/index.ts';
import { temporaryFolder } from '../../../support/vaults.ts';

const vectors = join(import.meta.dirname, '../../../vectors');
const clock = (): Date => new Date();
const recoveryKey = '54V4N-YFD14-1V43G-TVZ7M-X75DT-4J0WM-VPD1M-9X1HH-8PX2B-ZPS20-WZVKV-3TN';

function copyOf(version: string): string {
  const dir = join(temporaryFolder(), 'vault');
  cpSync(join(vectors, version, 'vault'), dir, { recursive: true });
  return dir;
}

function jsonOf(dir: string): { formatVersion: number; epochs?: unknown } {
  return JSON.parse(readFileSync(join(dir, 'vault.json'), 'utf8')) as { formatVersion: number };
}

test('a vault of version 1 opens for its people and its recovery key, and becomes version 2 when it is written', async () => {
  const dir = copyOf('vault-v1');
  const options = { dir, clock, schema: vaultSchema };
  expect(await readVaultInfo(dir)).toMatchObject({ formatVersion: 1, profile: 'standard' });
  const ada = await openVault({ ...options, user: 'ada', password: 'a quiet harbour' });
  const id = ada.catalog
    .prepare<[string], string>('SELECT object_id FROM version_files WHERE path = ?')
    .pluck()
    .get('model.onnx');
  const model = async (vault: typeof ada): Promise<Buffer> => {
    await using object = await vault.objects
      .open(id ?? '')
      .then((opened) => ({ ...opened, [Symbol.asyncDispose]: () => opened.close() }));
    return Buffer.from(await object.readAll());
  };
  const expected = readFileSync(join(vectors, 'vault-v1/model.onnx'));
  expect(await model(ada)).toEqual(expected);
  // Looking changes nothing.
  expect(jsonOf(dir).formatVersion).toBe(1);
  await ada.slots.setPassword(ada.slotId, 'another harbour');
  ada.close();
  expect(jsonOf(dir)).toMatchObject({
    formatVersion: 2,
    epochs: { models: 1, records: 1, catalog: 1, audit: 1 },
  });

  const again = await openVault({ ...options, user: 'ada', password: 'another harbour' });
  const rotated = await again.rotate(['models', 'records', 'catalog', 'audit'], () => undefined);
  expect(await model(rotated)).toEqual(expected);
  rotated.close();
  (await openVault({ ...options, user: 'Audrey', password: 'trust but recompute' })).close();
  const recovered = await openVaultWithRecoveryKey({ ...options, recoveryKey });
  expect(await model(recovered)).toEqual(expected);
  recovered.close();
});

test('a file of version 1 with members of version 2 is refused', async () => {
  const dir = copyOf('vault-v1');
  const path = join(dir, 'vault.json');
  writeFileSync(path, JSON.stringify({ ...jsonOf(dir), epochs: {} }));
  await expect(
    openVault({ dir, clock, schema: vaultSchema, user: 'ada', password: 'a quiet harbour' }),
  ).rejects.toMatchObject({ code: 'corrupt' });
});
