/**
 * Makes a vault from a backup, with no password: all of it is ciphertext. The signature of the manifest and the digest of every
 * piece are checked on the way. The target becomes a vault with the last file, `vault.json`; a restore that was interrupted goes
 * on in the same folder with what is there, which is read again first. Beside the vault's own files it leaves `restored.json`:
 * the manifest, from which the next sign-in writes into the log what happened.
 */
import { createHash, randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { open, readdir, readFile, rename, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { makeFolder } from '#platform/make-folder.ts';
import { AppError } from '#shared/errors.ts';
import { syncDirectory, writeFileAtomic } from '#platform/atomic-file.ts';
import type { Clock } from '#platform/clock.ts';
import { acquireLock } from '#platform/lock.ts';
import { readUncached } from '#platform/read-uncached.ts';
import { step } from '#platform/steps.ts';
import { findBackup } from './check.ts';
import { readManifest, type Manifest, type Piece } from './manifest.ts';
import { hashOf, type BackupSet } from './medium.ts';

/** Names the snapshot that a restore under way is of; a folder with it is no vault yet. */
const restoringMark = '.strongroom-restoring';
const restoredMark = 'restored.json';
/** No files of anybody: what the lock leaves, and the mark when a kill came before it had its name. */
const leftByLess = /^(lock(-journal)?|\.\.strongroom-restoring\..*\.part)$/;
const unfinishedName = /^\.restoring-/;

export interface RestoreOptions {
  readonly dirs: readonly string[];
  readonly target: string;
  readonly vaultId?: string | undefined;
  /** The newest that can be believed, unless one is asked for. */
  readonly snapshot?: number | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

/** Throws `conflict` for a folder with something in it, `io` without room, `tampered` or `corrupt` for what does not hold. */
export async function restoreVault(options: RestoreOptions): Promise<Manifest> {
  const { target } = options;
  const { set, snapshots } = await findBackup(options.dirs, options.vaultId);
  const chosen =
    options.snapshot === undefined
      ? (snapshots.findLast(({ manifest }) => manifest !== undefined) ?? snapshots.at(-1))
      : snapshots.find(({ number }) => number === options.snapshot);
  if (chosen === undefined)
    throw new AppError(
      'not-found',
      'There is no such snapshot in this place. A backup that was never finished cannot be restored.',
    );
  if (chosen.manifest === undefined)
    throw new AppError('tampered', chosen.problem ?? 'The manifest does not hold.');
  const { manifest } = chosen;
  requirePieces(manifest, set);
  await makeFolder(target, 0o700);
  await requireTarget(target, manifest.digest);
  const lock = acquireLock(join(target, 'lock'));
  try {
    await requireTarget(target, manifest.digest);
    if (await isThere(join(target, 'vault.json'))) {
      // All was restored and only the mark was left. Somebody may have worked in it since, so nothing is written again.
      await rm(join(target, restoringMark));
      return manifest;
    }
    await writeFileAtomic(join(target, restoringMark), Buffer.from(manifest.digest));
    step('restore: begun');
    await restoreFiles(manifest, set, options);
    const mark = {
      restoredAt: options.clock().toISOString(),
      manifest: await readFile(chosen.path, 'utf8'),
    };
    await writeFileAtomic(join(target, restoredMark), Buffer.from(JSON.stringify(mark)));
    step('restore: all but the vault file');
    await restoreFile('vault.json', piecesOf(manifest, 'vault.json'), { set, options });
    step('restore: vault file in its place');
    await rm(join(target, restoringMark));
    await syncDirectory(target);
    return manifest;
  } finally {
    lock.release();
  }
}

const markSchema = z.strictObject({ restoredAt: z.iso.datetime(), manifest: z.string() });

export interface RestoredFrom {
  readonly restoredAt: string;
  readonly manifest: Manifest;
}

/** What a restore left for the next sign-in; `forged` for anything that a backup of this vault did not sign. */
export async function readRestoredMark(
  dir: string,
  verifierKey: string,
): Promise<RestoredFrom | 'forged' | undefined> {
  const text = await readFile(join(dir, restoredMark), 'utf8').catch(() => undefined); // the rule
  if (text === undefined) return undefined;
  try {
    const { restoredAt, manifest } = markSchema.parse(JSON.parse(text));
    const read = readManifest(manifest);
    return read.verifierKey === verifierKey ? { restoredAt, manifest: read } : 'forged';
  } catch {
    return 'forged';
  }
}

export function removeRestoredMark(dir: string): void {
  rmSync(join(dir, restoredMark), { force: true });
}

function piecesOf(manifest: Manifest, name: string): readonly Piece[] {
  return manifest.files.get(name) ?? [];
}

/** Before anything is written: a medium that was left out is asked for by what is missing. */
function requirePieces(manifest: Manifest, set: BackupSet): void {
  const missing = [...manifest.files].filter(([, pieces]) =>
    pieces.some(({ sha256, bytes }) => set.pieces.get(sha256)?.bytes !== bytes),
  );
  const [first] = missing;
  if (first === undefined) return;
  throw new AppError(
    'corrupt',
    `Pieces of ${missing.length} of ${manifest.files.size} files are not in this place, ${first[0]} among them. If the backup is on several media, name them all; nothing was written.`,
    { details: { missingFiles: missing.length } },
  );
}

async function requireTarget(target: string, digest: string): Promise<void> {
  const names = (await readdir(target)).filter((name) => !leftByLess.test(name));
  if (names.length === 0) return;
  const mark = await readFile(join(target, restoringMark), 'utf8').catch(() => undefined); // not a restore
  if (mark === digest) return;
  throw new AppError(
    'conflict',
    mark === undefined
      ? 'A restore needs an empty folder, and this one has files in it. Choose another.'
      : 'In this folder another snapshot was being restored. Go on with that one, or choose another folder.',
  );
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false, // the answer
  );
}

async function restoreFiles(
  manifest: Manifest,
  set: BackupSet,
  options: RestoreOptions,
): Promise<void> {
  const { target } = options;
  for (const name of ['objects', 'staging', 'quarantine'])
    await makeFolder(join(target, name), 0o700);
  const sizes = [...manifest.files.values()].map(sizeOf);
  const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
  const there = await presentBytes(target, manifest);
  const { bavail, bsize } = await statfs(target);
  const missing = total - there - bavail * bsize;
  if (missing > 0)
    throw new AppError(
      'io',
      `There is not enough room for the vault: about ${Math.ceil(missing / 1e6)} MB more are needed. The backup is untouched; choose another folder.`,
      { details: { system: 'ENOSPC', missingBytes: missing } },
    );
  let done = 0;
  for (const [name, pieces] of manifest.files) {
    if (name === 'vault.json') continue;
    await restoreFile(name, pieces, { set, options });
    step('restore: a file is in its place');
    options.onProgress((done += sizeOf(pieces)), total);
  }
}

async function presentBytes(target: string, manifest: Manifest): Promise<number> {
  let bytes = 0;
  for (const name of manifest.files.keys())
    bytes += await stat(join(target, name)).then(
      ({ size }) => size,
      () => 0, // not there yet
    );
  return bytes;
}

async function restoreFile(
  name: string,
  pieces: readonly Piece[],
  { set, options }: { readonly set: BackupSet; readonly options: RestoreOptions },
): Promise<void> {
  const path = join(options.target, name);
  const folder = dirname(path);
  await makeFolder(folder, 0o700);
  if (await isRestored(path, pieces, options.signal)) return;
  for (const left of await readdir(folder))
    if (unfinishedName.test(left)) await rm(join(folder, left));
  const temporary = join(folder, `.restoring-${randomBytes(6).toString('hex')}`);
  try {
    await using file = await open(temporary, 'wx', 0o600);
    for (const { sha256 } of pieces) {
      const source = set.pieces.get(sha256)?.path ?? '';
      const hash = createHash('sha256');
      for await (const chunk of readUncached(source)) {
        options.signal.throwIfAborted();
        hash.update(chunk);
        await file.writeFile(chunk);
      }
      if (hash.digest('hex') !== sha256)
        throw new AppError(
          'corrupt',
          `A piece of ${name} on the medium was changed: ${source}. The target is no vault yet; restore from another copy of this backup.`,
        );
    }
    await file.sync();
    await rename(temporary, path);
    await syncDirectory(folder);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Whether an earlier try has put it there, whole. */
async function isRestored(
  path: string,
  pieces: readonly Piece[],
  signal: AbortSignal,
): Promise<boolean> {
  const size = await stat(path).then(
    (facts) => facts.size,
    () => -1, // not there yet
  );
  if (size !== sizeOf(pieces)) return false;
  if (pieces.length === 1) return (await hashOf(path, signal)) === pieces[0]?.sha256;
  await using file = await open(path, 'r');
  let offset = 0;
  for (const { sha256, bytes } of pieces) {
    const hash = createHash('sha256');
    const stream = file.createReadStream({
      start: offset,
      end: offset + bytes - 1,
      autoClose: false,
    });
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      signal.throwIfAborted();
      hash.update(chunk);
    }
    if (hash.digest('hex') !== sha256) return false;
    offset += bytes;
  }
  return true;
}

function sizeOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { bytes }) => sum + bytes, 0);
}
