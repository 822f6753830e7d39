/** Backup and restore in a process of their own that is killed at each of their steps, one after the other. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkBackup, restoreVault } from '#domain/custody/index.ts';
import {
  contentOf,
  custodyOf,
  custodyTestSchema,
  filesBelow,
  openCustody,
  randomContent,
} from '../../../support/custody.ts';
import { freshVault, temporaryFolder } from '../../../support/vaults.ts';

const child = join(import.meta.dirname, '../../../support/killed-custody.ts');
const signal = new AbortController().signal;
const content = randomContent(150_000);

/** Whether the act came to its end before its k-th step. */
function ended(...args: readonly string[]): boolean {
  const {
    status,
    signal: by,
    stderr,
  } = spawnSync(process.execPath, [child, ...args], {
    encoding: 'utf8',
  });
  expect(by === 'SIGKILL' || status === 0, stderr).toBe(true);
  return status === 0;
}

async function preparedVault(): Promise<{ readonly dir: string; readonly id: string }> {
  const { vault, dir } = await freshVault(undefined, custodyTestSchema);
  const id = await custodyOf(vault).add(content);
  vault.close();
  return { dir, id };
}

const restore = (medium: string, target: string) =>
  restoreVault({
    dirs: [medium],
    target,
    clock: () => new Date(),
    signal,
    onProgress: () => undefined,
  });

async function expectContent(dir: string, id: string): Promise<void> {
  const { vault } = await openCustody(dir);
  expect((await contentOf(vault, id)).equals(content)).toBe(true);
  expect(vault.recovery.quarantined).toBe(0);
  vault.close();
}

test('a backup that is killed at any step goes on with what is there, and is whole', async () => {
  const { dir, id } = await preparedVault();
  let kills = 0;
  for (let at = 1; at < 100; at += 1) {
    const vaultDir = join(temporaryFolder(), 'vault');
    const medium = temporaryFolder();
    cpSync(dir, vaultDir, { recursive: true });
    if (ended('backup', vaultDir, medium, String(at))) break;
    kills += 1;
    const written = [...filesBelow(medium).keys()].filter((path) => /[0-9a-f]{64}$/.test(path));
    const { vault, backUp, history } = await openCustody(vaultDir);
    expect(readdirSync(join(vaultDir, 'staging'))).toEqual([]);
    const { state, keptBytes } = await backUp(medium);
    expect(state).toBe('complete');
    // The last piece may have been named and not yet been remembered: then it is written once more.
    if (written.length > 1) expect(keptBytes).toBeGreaterThan(0);
    expect(history.list()[0]?.state).toBe('complete');
    vault.close();
    const checked = await checkBackup([medium], { signal, onProgress: () => undefined });
    expect(checked.problems).toEqual([]);
    const target = join(temporaryFolder(), 'vault');
    await restore(medium, target);
    await expectContent(target, id);
  }
  expect(kills).toBeGreaterThan(8);
});

test('a restore that is killed at any step is no vault yet or a whole one, and can be gone on with', async () => {
  const { dir, id } = await preparedVault();
  const medium = temporaryFolder();
  const { vault, backUp } = await openCustody(dir);
  await backUp(medium);
  vault.close();
  let kills = 0;
  for (let at = 1; at < 100; at += 1) {
    const target = join(temporaryFolder(), 'vault');
    if (ended('restore', target, medium, String(at))) break;
    kills += 1;
    if (existsSync(join(target, 'vault.json'))) await expectContent(target, id);
    else await expect(openCustody(target)).rejects.toMatchObject({ code: 'not-found' });
    await restore(medium, target);
    await expectContent(target, id);
    expect(readdirSync(target).filter((name) => name.startsWith('.'))).toEqual([]);
  }
  expect(kills).toBeGreaterThan(6);
});

test('work in a restored vault is not undone by restoring once more', async () => {
  const { dir } = await preparedVault();
  const medium = temporaryFolder();
  const { vault, backUp } = await openCustody(dir);
  await backUp(medium);
  vault.close();
  const target = join(temporaryFolder(), 'vault');
  // Killed at its last step: `vault.json` is there, and the mark of the restore too.
  let at = 1;
  while (!existsSync(join(target, 'vault.json')) && at < 100)
    ended('restore', target, medium, String(at++));
  const worked = await openCustody(target);
  const id = await worked.add(content);
  worked.vault.close();
  await restore(medium, target);
  await expectContent(target, id);
});
