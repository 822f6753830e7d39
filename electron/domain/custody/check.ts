/** Reads a whole backup again: every piece against its name, every manifest against its signature and against the pieces. */
import { readFile, stat } from 'node:fs/promises';
import { AppError } from '#shared/errors.ts';
import { readManifest, type Manifest } from './manifest.ts';
import { findSets, hashOf, type BackupSet } from './medium.ts';

/** A manifest has some 250 bytes for each 64 MiB and each file. */
const maxManifestBytes = 512 * 1024 * 1024;
const shownProblems = 100;

export interface Snapshot {
  readonly number: number;
  readonly path: string;
  /** Undefined when it cannot be believed; `problem` says why. */
  readonly manifest: Manifest | undefined;
  readonly problem: string | undefined;
}

export interface BackupCheck {
  readonly vaultId: string | undefined;
  readonly snapshots: readonly Snapshot[];
  readonly pieces: number;
  readonly bytes: number;
  /** At most 100, each with the file it is about; none when all is whole. */
  readonly problems: readonly { readonly file: string; readonly problem: string }[];
}

export interface FoundBackup {
  readonly set: BackupSet;
  /** By number. */
  readonly snapshots: readonly Snapshot[];
}

/** What is in these folders, by vault. */
export async function findBackups(dirs: readonly string[]): Promise<FoundBackup[]> {
  return Promise.all(
    (await findSets(dirs)).map(async (set) => ({
      set,
      snapshots: await Promise.all(
        [...set.snapshots]
          .toSorted(([a], [b]) => a - b)
          .map(([number, path]) => look(number, path)),
      ),
    })),
  );
}

/** Throws `not-found` and, when there are several vaults and none is named, `conflict`. */
export async function findBackup(
  dirs: readonly string[],
  vaultId: string | undefined,
): Promise<FoundBackup> {
  const found = (await findBackups(dirs)).filter(
    ({ set }) => vaultId === undefined || set.vaultId === vaultId,
  );
  const [backup, ...others] = found;
  if (backup === undefined) throw new AppError('not-found', 'There is no backup in this place.');
  if (others.length > 0)
    throw new AppError(
      'conflict',
      `There are backups of several vaults: ${found.map(({ set }) => set.vaultId ?? 'unknown').join(', ')}. Say which one is meant.`,
    );
  return backup;
}

async function look(number: number, path: string): Promise<Snapshot> {
  try {
    if ((await stat(path)).size > maxManifestBytes)
      throw new AppError('limit', 'A manifest is longer than it can be.');
    const manifest = readManifest(await readFile(path, 'utf8'));
    if (manifest.facts.snapshot !== number)
      throw new AppError('tampered', 'A manifest of the backup stands under another number.');
    return { number, path, manifest, problem: undefined };
  } catch (error) {
    const problem = error instanceof AppError ? error.message : 'The manifest cannot be read.';
    return { number, path, manifest: undefined, problem };
  }
}

export async function checkBackup(
  dirs: readonly string[],
  options: {
    readonly vaultId?: string | undefined;
    readonly signal: AbortSignal;
    readonly onProgress: (done: number, total: number) => void;
  },
): Promise<BackupCheck> {
  const { set, snapshots } = await findBackup(dirs, options.vaultId);
  const problems: { file: string; problem: string }[] = [];
  const tell = (file: string, problem: string): void => {
    if (problems.length < shownProblems) problems.push({ file, problem });
  };
  for (const { path, problem } of snapshots) if (problem !== undefined) tell(path, problem);
  if (snapshots.length === 0)
    tell(
      'snapshots',
      'There is no manifest: the backup was never finished, or a medium is missing.',
    );
  const nameByPiece = new Map<string, { name: string; bytes: number }>();
  for (const { manifest } of snapshots)
    for (const [name, pieces] of manifest?.files ?? [])
      for (const { sha256, bytes } of pieces) nameByPiece.set(sha256, { name, bytes });
  const total = [...set.pieces.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  for (const [sha256, { path, bytes }] of set.pieces) {
    const of = nameByPiece.get(sha256);
    const about = of === undefined ? '' : ` It holds a part of ${of.name}.`;
    const actual = await hashOf(path, options.signal).catch((error: unknown) => {
      options.signal.throwIfAborted();
      tell(
        path,
        `It cannot be read (${error instanceof Error ? error.message : 'unknown'}).${about}`,
      );
      return sha256;
    });
    if (actual !== sha256 || (of !== undefined && of.bytes !== bytes))
      tell(path, `Its content is not what was written.${about}`);
    options.onProgress((done += bytes), total);
  }
  for (const [sha256, { name }] of nameByPiece)
    if (!set.pieces.has(sha256)) tell(sha256, `It is missing. It holds a part of ${name}.`);
  return { vaultId: set.vaultId, snapshots, pieces: set.pieces.size, bytes: total, problems };
}
