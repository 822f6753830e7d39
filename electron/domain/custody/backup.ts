/**
 * Makes a backup: the ciphertext of the vault as it stands, cut into pieces, and a signed manifest as the last act. What the
 * medium has already is not written again, so one that was interrupted, by a kill or by a full medium, goes on where it was.
 *
 *   1. Databases and `vault.json` are copied into `staging/` in one turn of the event loop. Everything that writes to them
 *      runs in this process, so the copies are one state of the vault: one that a kill at that moment could have left.
 *   2. Pieces of the objects, then of those copies, are written, synced and read back, one after the other.
 *   3. The manifest is written: from now on there is a snapshot. Without it the pieces are only a head start.
 */
import { constants, copyFileSync, createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { AppError } from '#shared/errors.ts';
import type { Clock } from '#platform/clock.ts';
import { step } from '#platform/steps.ts';
import type { AuditLog } from '#domain/audit/index.ts';
import type { OpenVault } from '#domain/vault/index.ts';
import type { BackupHistory, CompletedBackup } from './history.ts';
import { readManifest, signManifest, type Piece, type SnapshotFacts } from './manifest.ts';
import { openPieceStore, type PieceStore } from './medium.ts';

/** Fits every file system, wastes little at the end of a medium, and is what an interrupted backup loses at most. */
const standardPieceBytes = 64 * 1024 * 1024;

interface BackupDeps {
  readonly vault: OpenVault;
  readonly log: AuditLog;
  readonly history: BackupHistory;
  readonly clock: Clock;
  /** Runs inside the transaction that remembers the backup as complete. */
  readonly settle: (facts: CompletedBackup) => void;
}

export interface BackupOptions {
  /** The folder on the medium; the backup makes its own below it. */
  readonly medium: string;
  readonly partBytes?: number | undefined;
  readonly mediaBytes?: number | undefined;
  /** A full medium ends this run and not the backup. */
  readonly spans: boolean;
  /** Goes on with the newest backup that waits for its next medium. */
  readonly continues: boolean;
  /** Tests cut smaller. */
  readonly pieceBytes?: number | undefined;
  readonly by: string;
  /** Index of the entry that announced this. */
  readonly announced: number;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

export interface BackupOutcome {
  readonly state: 'complete' | 'next-medium';
  readonly backupId: string;
  readonly dir: string;
  /** Undefined while it is not complete. */
  readonly snapshot: number | undefined;
  readonly digest: string | undefined;
  readonly logSize: number;
  readonly writtenBytes: number;
  /** Was there already, from an earlier backup or run. */
  readonly keptBytes: number;
  /** What is left for the next medium. */
  readonly missingBytes: number;
}

interface PlannedFile {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  readonly objectId: string | undefined;
  /** What is known of it from earlier backups, by place. */
  readonly known: ReadonlyMap<number, Piece>;
}

/** Vaults with a backup under way: two at once would write the same pieces. */
const underWay = new WeakSet<OpenVault>();

/** Throws `io` when there is not room for all of it and the backup may not span media, `busy` when one is being made already. */
export async function makeBackup(deps: BackupDeps, options: BackupOptions): Promise<BackupOutcome> {
  if (underWay.has(deps.vault))
    throw new AppError('busy', 'A backup of this vault is being made already. Wait for its end.');
  underWay.add(deps.vault);
  try {
    return await make(deps, options);
  } finally {
    underWay.delete(deps.vault);
  }
}

async function make(deps: BackupDeps, options: BackupOptions): Promise<BackupOutcome> {
  const { vault, log, history } = deps;
  const pieceBytes = options.pieceBytes ?? standardPieceBytes;
  const unfinished = history.unfinished();
  if (options.continues && unfinished === undefined)
    throw new AppError(
      'not-found',
      'No backup waits for its next medium. Start one without --continue.',
    );
  const store = await openPieceStore({
    medium: options.medium,
    vaultId: vault.id,
    partBytes: options.partBytes,
    mediaBytes: options.mediaBytes,
  });
  // Interrupted in this place, it is the same backup; what other media have counts only when that is asked for.
  const isHere = unfinished?.places.at(-1) === store.dir;
  const waiting = options.continues || isHere ? unfinished : undefined;
  const elsewhere =
    options.continues && waiting !== undefined ? history.written(waiting.id) : new Set<string>();
  const has = (piece: Piece): boolean => store.has(piece) || elsewhere.has(piece.sha256);
  const copies = await copyAside(vault, log);
  try {
    const planned = await plan(vault, history, copies);
    const missing = missingBytesOf(planned, { has, pieceBytes });
    await requireRoom(store, missing, options.spans);
    const backup = waiting ?? history.begin({ by: options.by, place: store.dir });
    if (waiting !== undefined) history.goOn(backup.id, store.dir);
    step('backup: remembered as begun');
    const stored = await storeAll(planned, {
      store,
      has,
      history,
      backupId: backup.id,
      pieceBytes,
      options,
      total: missing,
    });
    const outcome = {
      backupId: backup.id,
      dir: store.dir,
      logSize: copies.head.size,
      writtenBytes: stored.writtenBytes,
      keptBytes: planned.reduce((sum, { bytes }) => sum + bytes, 0) - missing,
      missingBytes: stored.files === undefined ? Math.max(0, missing - stored.writtenBytes) : 0,
    };
    if (stored.files === undefined)
      return { ...outcome, state: 'next-medium', snapshot: undefined, digest: undefined };
    const snapshot = Math.max(history.lastSnapshot(), store.lastSnapshot) + 1;
    const facts: SnapshotFacts = {
      vaultId: vault.id,
      snapshot,
      backupId: backup.id,
      madeAt: deps.clock().toISOString(),
      log: { ...copies.head, announced: options.announced },
    };
    const text = signManifest(facts, stored.files, log);
    const { digest } = readManifest(text);
    await store.putSnapshot(snapshot, text);
    step('backup: manifest written');
    const completed = { snapshot, logSize: copies.head.size, digest };
    vault.catalog.transaction(() => {
      history.complete(backup.id, completed);
      deps.settle(completed);
    })();
    step('backup: remembered as complete');
    return { ...outcome, state: 'complete', snapshot, digest };
  } finally {
    for (const { path } of copies.files) {
      await rm(path, { force: true });
      step('backup: a copy removed');
    }
  }
}

interface Copies {
  readonly files: readonly { readonly name: string; readonly path: string }[];
  readonly head: Omit<SnapshotFacts['log'], 'announced'>;
}

/** One state of all four files, under names that are swept at the next opening if nobody removes them before. */
async function copyAside(vault: OpenVault, log: AuditLog): Promise<Copies> {
  const databases = [
    ['catalog.db', vault.catalog],
    ['audit.db', vault.audit],
    ['records.db', vault.records],
  ] as const;
  let bytes = 0;
  for (const [name] of databases)
    for (const suffix of ['', '-wal'])
      bytes += await stat(join(vault.dir, name + suffix)).then(
        ({ size }) => size,
        () => 0, // no write-ahead log at the moment
      );
  await vault.objects.requireSpace(bytes);
  const id = randomBytes(6).toString('hex');
  const pathOf = (name: string): string => join(vault.dir, 'staging', `backup-${id}-${name}`);
  const names = [...databases.map(([name]) => name), 'vault.json'];
  try {
    // No `await` from here on: nothing may write between the first copy and the last.
    for (const [name, db] of databases) {
      const [result] = db.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[];
      if (result?.busy !== 0)
        throw new AppError('busy', 'A database of the vault is being read. Try again in a moment.');
      copyFileSync(join(vault.dir, name), pathOf(name), constants.COPYFILE_FICLONE);
    }
    writeFileSync(pathOf('vault.json'), readFileSync(join(vault.dir, 'vault.json')), {
      mode: 0o600,
    });
    const { size, root, checkpoint } = log.head();
    const keyHistory = log.keyHistory();
    step('backup: databases copied aside');
    return {
      files: names.map((name) => ({ name, path: pathOf(name) })),
      head: { size, root, checkpoint, ...(keyHistory === '' ? {} : { keyHistory }) },
    };
  } catch (error) {
    for (const name of names) await rm(pathOf(name), { force: true });
    throw error;
  }
}

async function plan(
  vault: OpenVault,
  history: BackupHistory,
  copies: Copies,
): Promise<PlannedFile[]> {
  const ids = vault.catalog
    .prepare<[], string>("SELECT id FROM objects WHERE state = 'live' ORDER BY id")
    .pluck()
    .all();
  const planned: PlannedFile[] = [];
  for (const id of ids) {
    const name = `objects/${id.slice(0, 2)}/${id}`;
    const path = join(vault.dir, name);
    const { size } = await stat(path).catch((cause: unknown) => {
      throw new AppError(
        'corrupt',
        'The file of a stored object is missing from the vault folder, so a backup would not be whole. Restore the vault from an older one.',
        { cause, details: { object: id } },
      );
    });
    planned.push({ name, path, bytes: size, objectId: id, known: history.piecesOf(id) });
  }
  for (const { name, path } of copies.files)
    planned.push({
      name,
      path,
      bytes: (await stat(path)).size,
      objectId: undefined,
      known: new Map(),
    });
  return planned;
}

interface PlannedPiece {
  readonly file: PlannedFile;
  readonly at: number;
  readonly offset: number;
  readonly length: number;
}

function piecesToBe(file: PlannedFile, pieceBytes: number): PlannedPiece[] {
  const count = Math.max(1, Math.ceil(file.bytes / pieceBytes));
  return Array.from({ length: count }, (_, at) => {
    const offset = at * pieceBytes;
    return { file, at, offset, length: Math.min(pieceBytes, file.bytes - offset) };
  });
}

function missingBytesOf(
  planned: readonly PlannedFile[],
  { has, pieceBytes }: { has: (piece: Piece) => boolean; pieceBytes: number },
): number {
  let missing = 0;
  for (const file of planned)
    for (const { at, length } of piecesToBe(file, pieceBytes)) {
      const piece = file.known.get(at);
      if (piece?.bytes !== length || !has(piece)) missing += length;
    }
  return missing;
}

async function requireRoom(store: PieceStore, needed: number, spans: boolean): Promise<void> {
  const missing = needed - (await store.room());
  if (missing <= 0 || spans) return;
  throw new AppError(
    'io',
    `The medium has not got room for the backup: about ${Math.ceil(missing / 1e6)} MB more are needed. Nothing was written; make room, take a larger medium, or use several with --media-size.`,
    { details: { system: 'ENOSPC', missingBytes: missing } },
  );
}

/** `files` is undefined when the medium was full before everything was on it. */
async function storeAll(
  planned: readonly PlannedFile[],
  context: {
    readonly store: PieceStore;
    readonly has: (piece: Piece) => boolean;
    readonly history: BackupHistory;
    readonly backupId: string;
    readonly pieceBytes: number;
    readonly options: BackupOptions;
    readonly total: number;
  },
): Promise<{
  readonly files: ReadonlyMap<string, readonly Piece[]> | undefined;
  readonly writtenBytes: number;
}> {
  const { store, has, history, backupId, options } = context;
  const pieces = planned.flatMap((file) => piecesToBe(file, context.pieceBytes));
  const kept = pieces.flatMap(({ file, at, length }) => {
    const piece = file.known.get(at);
    return piece?.bytes === length && has(piece) ? [{ objectId: file.objectId, at, piece }] : [];
  });
  history.rememberPieces(backupId, kept);
  step('backup: pieces that are there remembered');
  const files = new Map<string, Piece[]>();
  let writtenBytes = 0;
  for (const { file, at, offset, length } of pieces) {
    options.signal.throwIfAborted();
    let piece = file.known.get(at);
    if (piece?.bytes !== length || !has(piece)) {
      const fits = !options.spans || (await store.room()) >= length;
      piece = fits ? await putUnlessFull(file, { offset, length, store, options }) : undefined;
      if (piece === undefined) return { files: undefined, writtenBytes };
      step('backup: a piece is on the medium');
      history.rememberPieces(backupId, [{ objectId: file.objectId, at, piece }]);
      step('backup: a piece is remembered');
      writtenBytes += length;
      options.onProgress(writtenBytes, context.total);
    }
    files.set(file.name, [...(files.get(file.name) ?? []), piece]);
  }
  step('backup: all pieces are on the media');
  return { files, writtenBytes };
}

/** Undefined when the medium turned out to be full; an error where that ends the backup. */
async function putUnlessFull(
  file: PlannedFile,
  {
    offset,
    length,
    store,
    options,
  }: {
    readonly offset: number;
    readonly length: number;
    readonly store: PieceStore;
    readonly options: BackupOptions;
  },
): Promise<Piece | undefined> {
  const source = createReadStream(file.path, {
    start: offset,
    end: offset + length - 1,
    highWaterMark: 1024 * 1024,
  });
  try {
    const piece = await store.put(source, length, options.signal);
    return piece;
  } catch (error) {
    if (options.spans && error instanceof Error && 'code' in error && error.code === 'ENOSPC')
      return undefined;
    throw error;
  } finally {
    source.destroy();
  }
}
