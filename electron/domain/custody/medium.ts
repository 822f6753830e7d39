/**
 * A backup on its media, as FORMAT.md lays it out: pieces that are named by their digest, in part folders, and manifests beside
 * them. A piece gets its name only when it has been read back from the medium, so what has a name is whole when it is written.
 */
import { createHash, randomBytes } from 'node:crypto';
import { lstat, open, readdir, rename, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '#platform/make-folder.ts';
import { AppError } from '#shared/errors.ts';
import { syncDirectory } from '#platform/atomic-file.ts';
import { readUncached } from '#platform/read-uncached.ts';
import type { Piece } from './manifest.ts';

const backupFolder = 'strongroom-backup';
const snapshotFolder = 'snapshots';
const unfinishedName = /^\.writing-/;
const pieceName = /^[0-9a-f]{64}$/;
const partName = /^part-(\d{4,})$/;
const snapshotName = /^(\d{4,})\.json$/;
/** For the manifest, and for what a file system needs besides the bytes of files. */
const reserveBytes = 1024 * 1024;

interface StoredPiece {
  readonly path: string;
  readonly bytes: number;
}

/** What one vault has in one folder, or in several of one backup. */
export interface BackupSet {
  readonly vaultId: string | undefined;
  readonly pieces: ReadonlyMap<string, StoredPiece>;
  /** By number. */
  readonly snapshots: ReadonlyMap<number, string>;
}

/**
 * The backups below these folders, by vault. A folder may be a medium with `strongroom-backup` on it, the folder of one vault in
 * that, or a part folder that was copied alone; what does not say whose it is belongs to the only vault that the others name.
 */
export async function findSets(dirs: readonly string[]): Promise<BackupSet[]> {
  const found: BackupSet[] = [];
  for (const dir of dirs) {
    const names = await readdir(join(dir, backupFolder)).catch(() => undefined); // not a whole medium
    if (names === undefined) found.push(await readSet(dir, vaultIdOf(dir)));
    else
      for (const name of names.filter((each) => /^[0-9a-f]{32}$/.test(each)))
        found.push(await readSet(join(dir, backupFolder, name), name));
  }
  const ids = new Set(found.flatMap(({ vaultId }) => vaultId ?? []));
  const only = ids.size === 1 ? [...ids][0] : undefined;
  const byId = Map.groupBy(found, ({ vaultId }) => vaultId ?? only);
  return [...byId]
    .map(([vaultId, sets]) => ({
      vaultId,
      pieces: new Map(sets.flatMap(({ pieces }) => [...pieces])),
      snapshots: new Map(sets.flatMap(({ snapshots }) => [...snapshots])),
    }))
    .filter(({ pieces, snapshots }) => pieces.size + snapshots.size > 0);
}

function vaultIdOf(dir: string): string | undefined {
  return /(?:^|[/\\])strongroom-backup[/\\]([0-9a-f]{32})(?:[/\\]|$)/.exec(dir)?.[1];
}

async function readSet(dir: string, vaultId: string | undefined): Promise<BackupSet> {
  const pieces = new Map<string, StoredPiece>();
  const snapshots = new Map<number, string>();
  const folders = [dir, ...(await partsOf(dir)).map((part) => join(dir, part))];
  for (const folder of folders)
    for (const [name, piece] of await piecesIn(folder)) pieces.set(name, piece);
  for (const folder of [dir, join(dir, snapshotFolder)])
    for (const name of await readdir(folder).catch(() => [])) {
      const number = Number(snapshotName.exec(name)?.[1] ?? Number.NaN);
      if (!Number.isNaN(number)) snapshots.set(number, join(folder, name));
    }
  return { vaultId, pieces, snapshots };
}

async function partsOf(dir: string): Promise<string[]> {
  return (await readdir(dir)).filter((name) => partName.test(name)).toSorted();
}

async function piecesIn(folder: string): Promise<[string, StoredPiece][]> {
  const found: [string, StoredPiece][] = [];
  for (const name of await readdir(folder)) {
    if (!pieceName.test(name)) continue;
    const path = join(folder, name);
    const facts = await lstat(path);
    if (facts.isFile()) found.push([name, { path, bytes: facts.size }]);
  }
  return found;
}

/** The one place on a medium that one backup writes to. */
export interface PieceStore {
  /** For display. */
  readonly dir: string;
  /** Highest number of a snapshot that is there; 0 for none. */
  readonly lastSnapshot: number;
  has(piece: Piece): boolean;
  /** Bytes that may still be written, with room for the manifest left aside. */
  room(): Promise<number>;
  /** Writes, syncs, reads back, then names. Throws `io` when the medium gives back something else than it was given. */
  put(source: AsyncIterable<Uint8Array>, bytes: number, signal: AbortSignal): Promise<Piece>;
  /** Resolves with the path. */
  putSnapshot(number: number, text: string): Promise<string>;
}

export async function openPieceStore(options: {
  readonly medium: string;
  readonly vaultId: string;
  /** A part folder takes no more than this. */
  readonly partBytes: number | undefined;
  /** This vault takes no more than this of the medium. */
  readonly mediaBytes: number | undefined;
}): Promise<PieceStore> {
  const dir = join(options.medium, backupFolder, options.vaultId);
  const snapshots = join(dir, snapshotFolder);
  await makeFolder(snapshots, 0o700);
  const set = await readSet(dir, options.vaultId);
  const known = new Map(set.pieces);
  const parts = await partsOf(dir);
  for (const part of parts)
    for (const name of await readdir(join(dir, part)))
      // Of a program that was killed while it wrote.
      if (unfinishedName.test(name)) await rm(join(dir, part, name), { force: true });
  let total = [...known.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  let part = Math.max(1, ...parts.map((name) => Number(partName.exec(name)?.[1])));
  let inPart = [...known.values()]
    .filter(({ path }) => path.startsWith(join(dir, partFolder(part))))
    .reduce((sum, { bytes }) => sum + bytes, 0);

  async function folderFor(bytes: number): Promise<string> {
    if (options.partBytes !== undefined && inPart > 0 && inPart + bytes > options.partBytes) {
      part += 1;
      inPart = 0;
    }
    const folder = join(dir, partFolder(part));
    await makeFolder(folder, 0o700);
    return folder;
  }

  return {
    dir,
    lastSnapshot: Math.max(0, ...set.snapshots.keys()),
    has: ({ sha256, bytes }) => known.get(sha256)?.bytes === bytes,

    async room() {
      const { bavail, bsize } = await statfs(dir);
      const free = bavail * bsize - reserveBytes;
      const { mediaBytes } = options;
      return Math.max(0, mediaBytes === undefined ? free : Math.min(free, mediaBytes - total));
    },

    async put(source, bytes, signal) {
      const folder = await folderFor(bytes);
      const temporary = join(folder, `.writing-${randomBytes(6).toString('hex')}`);
      try {
        const { sha256, written } = await writeHashed(temporary, source, signal);
        if (written !== bytes)
          throw new AppError(
            'corrupt',
            'A file of the vault changed its length while it was read.',
          );
        if ((await hashOf(temporary, signal)) !== sha256) throw readsBackWrong();
        if (known.get(sha256)?.bytes === bytes) {
          await rm(temporary);
          return { sha256, bytes };
        }
        const path = join(folder, sha256);
        await rename(temporary, path);
        await syncDirectory(folder);
        known.set(sha256, { path, bytes });
        total += bytes;
        inPart += bytes;
        return { sha256, bytes };
      } catch (error) {
        await rm(temporary, { force: true }).catch(() => undefined); // the medium may be gone
        throw error;
      }
    },

    async putSnapshot(number, text) {
      const path = join(snapshots, `${String(number).padStart(4, '0')}.json`);
      const temporary = join(snapshots, `.writing-${randomBytes(6).toString('hex')}`);
      const signal = new AbortController().signal;
      const { sha256 } = await writeHashed(temporary, [Buffer.from(text)], signal);
      if ((await hashOf(temporary, signal)) !== sha256) throw readsBackWrong();
      await rename(temporary, path);
      for (const folder of [snapshots, dir]) await syncDirectory(folder);
      return path;
    },
  };
}

/** Hex SHA-256 of a file as it stands on the medium. */
export async function hashOf(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of readUncached(path)) {
    signal.throwIfAborted();
    hash.update(chunk);
  }
  return hash.digest('hex');
}

async function writeHashed(
  path: string,
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  signal: AbortSignal,
): Promise<{ readonly sha256: string; readonly written: number }> {
  const hash = createHash('sha256');
  let written = 0;
  await using file = await open(path, 'wx', 0o600);
  for await (const chunk of source) {
    signal.throwIfAborted();
    hash.update(chunk);
    await file.writeFile(chunk);
    written += chunk.length;
  }
  await file.sync();
  return { sha256: hash.digest('hex'), written };
}

function partFolder(number: number): string {
  return `part-${String(number).padStart(4, '0')}`;
}

function readsBackWrong(): AppError {
  return new AppError(
    'io',
    'The medium does not give back what was written to it. The vault is unharmed; make the backup on another medium.',
  );
}
