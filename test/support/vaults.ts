/** Vaults in temporary folders, with a password hash that costs nothing. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createVault, type OpenVault } from '#domain/vault/index.ts';
import { adminPassword, bareSchema, cheapKdf } from './bare-vault.ts';

export { adminPassword, bareSchema, cheapKdf, chunksOf } from './bare-vault.ts';

/** A folder that goes away with the test. */
export function temporaryFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'strongroom-test-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export async function freshVault(
  dir = join(temporaryFolder(), 'vault'),
  schema = bareSchema,
  recoveryShares?: { readonly threshold: number; readonly shares: number },
): Promise<{ vault: OpenVault; recoveryKey: string; dir: string }> {
  const created = await createVault({
    dir,
    user: 'Ada',
    password: adminPassword,
    profile: 'standard',
    recoveryShares,
    kdf: cheapKdf,
    clock: () => new Date(),
    schema,
  });
  return { ...created, dir };
}
