/** The folder of a vault: empty for a new one, and rid of what a killed program left. */
import { readdirSync, rmSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '#shared/errors.ts';
import { acquireLock } from '#platform/lock.ts';
import { readVaultFile } from './vault-file.ts';

/** Stands in the folder while a vault is being created: what is beside it is worthless until there is a `vault.json`. */
export const creatingMark = '.strongroom-creating';

/** Everything that a creation may have left. */
const createdName =
  /^(lock(-journal)?|(catalog|audit|records)\.db(-wal|-shm|-journal)?|objects|staging|quarantine|\.vault\.json\..*|\.strongroom-creating)$/;

/** Throws `conflict` when there is a vault, or anything else, in it. */
export async function makeFolder(dir: string): Promise<void> {
  if ((await readVaultFile(dir)) !== undefined)
    throw new AppError(
      'conflict',
      'There is a vault in this folder already. Open it, or choose another folder.',
    );
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const found = await readdir(dir);
  const isLeftOver = found.includes(creatingMark) && found.every((name) => createdName.test(name));
  if (isLeftOver) {
    // A creation that was killed. Held by the lock, so that a creation under way is not swept away.
    const lock = acquireLock(join(dir, 'lock'));
    if ((await readVaultFile(dir)) === undefined) emptyFolder(dir);
    lock.release();
  } else if (found.some((name) => name !== 'lock' && name !== 'lock-journal'))
    throw new AppError(
      'conflict',
      'A new vault needs an empty folder, and this one has files in it. Choose another.',
    );
}

/**
 * What a kill leaves in the folder of a vault: files written aside, the mark of a creation when all else was done, and
 * rollback journals, which a database uses only while it changes to its write-ahead log and has no use for once it is open.
 */
const leftover = /^(\..*\.part|\.strongroom-creating|(catalog|audit|records)\.db-journal)$/;

export function sweepLeftovers(dir: string): void {
  for (const name of readdirSync(dir))
    if (leftover.test(name)) rmSync(join(dir, name), { force: true });
}

/** Only for a creation that failed: the folder was empty before, so everything in it is ours and worthless. */
export function emptyFolder(dir: string): void {
  for (const name of readdirSync(dir)) rmSync(join(dir, name), { recursive: true, force: true });
}
