/**
 * In the core: a file into a new file. Everything is written beside the output under names of the run, and gets its own name
 * when it is whole. A run that fails leaves nothing; one that was killed leaves what its journal speaks of.
 */
import {
  constants,
  link,
  lstat,
  open,
  readdir,
  rename,
  rm,
  type FileHandle,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AppError } from '#shared/errors.ts';
import type { Pipeline } from '#domain/pipeline/index.ts';
import type { Profile } from '#domain/monitoring/index.ts';
import {
  formatOf,
  magicBytes,
  type Dialect,
  type TableFormat,
  type TableInfo,
} from '#domain/tables/index.ts';
import type { ObjectHandOver } from '#domain/vault/index.ts';
import { syncDirectory } from '#platform/atomic-file.ts';
import { step } from '#platform/steps.ts';
import { createOpenFiles, type ModelFiles } from '../open-files.ts';
import { firstFileDescriptor, type RunLimits } from '../process.ts';
import type { Source } from '../protocol.ts';
import { ResumeRefused, type BatchJournal } from './journal.ts';
import type { StageTimes } from './messages.ts';
import {
  mostChildren,
  scoreBatch,
  slotsEach,
  type BatchOutcome,
  type BatchOutput,
} from './score-batch.ts';

export interface BatchSettings {
  readonly limits: RunLimits;
  readonly checkpointMs?: number;
  readonly children?: number;
}

export interface Watching {
  readonly onProgress?: (done: number, total: number, rows: number) => void;
  readonly signal?: AbortSignal;
}

export interface ScoreRequest extends ModelFiles {
  readonly pipeline: Pipeline | undefined;
  readonly inputPath: string;
  readonly outputPath: string;
  readonly keepColumns: boolean;
  /** Names the unfinished files of this run, see `partPathsOf`. */
  readonly runId: string;
  readonly format?: TableFormat;
  /** What is known of the way the input is written; the rest is told from its beginning. */
  readonly dialect?: Partial<Dialect>;
  /** Where this run was when the program ended, to go on from there. */
  readonly journal?: BatchJournal;
  /** From time to time: what is in the unfinished files is durable then, and the run could go on from it. */
  readonly onCheckpoint?: (journal: BatchJournal) => void;
  /** Called when all rows are scored and nothing has its name yet; if it throws, nothing of the run stays. */
  readonly beforePublishing?: (
    outcome: ScoreOutcome,
    files: { readonly inputPath: string; readonly predictionsPath: string },
  ) => Promise<void>;
}

export interface ScoreOutcome extends Omit<BatchOutcome, 'columns'> {
  /** The number of the row first. */
  readonly outputColumns: string[];
}

export interface ScoreResult extends ScoreOutcome {
  /** Undefined when no row was rejected. */
  readonly rejectsPath: string | undefined;
  readonly seconds: number;
}

const newFile = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;

export async function scoreFile(
  request: ScoreRequest,
  settings: BatchSettings,
  { signal, onProgress }: Watching,
): Promise<ScoreResult> {
  const started = performance.now();
  const { outputPath, journal } = request;
  const rejectsPath = rejectsPathOf(outputPath);
  await refuseExisting(outputPath);
  await refuseExisting(rejectsPath);
  await using files = createOpenFiles();
  await using opened = createHandles();
  const input = await opened.open(request.inputPath, constants.O_RDONLY);
  const before = await factsOf(input, request.inputPath);
  const parts = partPathsOf(outputPath, request.runId);
  let isRefused = false;
  try {
    const output = await openOutput(opened, { parts, request });
    step('run: part files made');
    const model = await files.model(request);
    const outcome = await scoreBatch({
      model,
      pipeline: request.pipeline,
      limits: settings.limits,
      scorerFiles: [...files.descriptors(), input.fd],
      scorerSource: before.source(firstFileDescriptor + files.descriptors().length),
      readerFiles: [input.fd],
      readerSource: before.source(firstFileDescriptor),
      inputBytes: before.size,
      inputModifiedMs: before.mtimeMs,
      format: request.format ?? before.format,
      asked: request.dialect ?? {},
      output,
      journal,
      onCheckpoint: request.onCheckpoint,
      checkpointMs: settings.checkpointMs ?? 1000,
      signal,
      onProgress,
      children: settings.children,
    });
    const after = await factsOf(input, request.inputPath);
    if (after.size !== before.size || after.mtimeMs !== before.mtimeMs)
      throw new AppError(
        'io',
        'The input changed while it was read, so its predictions mean nothing and were not kept. Try again with a file that nobody writes to.',
      );
    const { columns, ...rest } = outcome;
    const scored = { ...rest, outputColumns: ['row', ...columns.map(({ name }) => name)] };
    await request.beforePublishing?.(scored, {
      inputPath: request.inputPath,
      predictionsPath: parts[0],
    });
    await publish(parts[0], outputPath);
    step('run: predictions published');
    if (outcome.rejected > 0) await publish(parts[1], rejectsPath);
    await syncDirectory(dirname(outputPath));
    await requireThere(outputPath);
    step('run: output folder synced');
    return {
      ...scored,
      rejectsPath: outcome.rejected > 0 ? rejectsPath : undefined,
      seconds: (journal?.seconds ?? 0) + (performance.now() - started) / 1000,
    };
  } catch (error) {
    isRefused = error instanceof ResumeRefused;
    throw error;
  } finally {
    if (!isRefused) await removeAll(parts);
  }
}

/** Runs the model over an encrypted table of the vault for its profile alone. */
export async function profileSealed(
  request: ModelFiles & {
    readonly pipeline: Pipeline | undefined;
    readonly source: ObjectHandOver;
  },
  settings: BatchSettings,
  { signal, onProgress }: Watching,
): Promise<{ readonly profile: Profile; readonly table: TableInfo; readonly times: StageTimes }> {
  await using files = createOpenFiles();
  await using alone = createOpenFiles();
  const model = await files.model(request);
  return await scoreBatch({
    model,
    pipeline: request.pipeline,
    limits: settings.limits,
    scorerSource: { kind: 'sealed', file: await files.sealed(request.source) },
    scorerFiles: files.descriptors(),
    readerSource: { kind: 'sealed', file: await alone.sealed(request.source) },
    readerFiles: alone.descriptors(),
    inputBytes: request.source.sizeBytes,
    inputModifiedMs: 0,
    format: 'csv',
    asked: {},
    output: undefined,
    journal: undefined,
    onCheckpoint: undefined,
    checkpointMs: 0,
    signal,
    onProgress,
    children: settings.children,
  });
}

/** Where a run writes before it is done: beside the output, so that the final rename stays on one file system. */
export function partPathsOf(outputPath: string, runId: string): readonly [string, string] {
  const part = (path: string): string => join(dirname(path), `.${basename(path)}.${runId}.part`);
  return [part(outputPath), part(rejectsPathOf(outputPath))];
}

const mostPieces = mostChildren * slotsEach;

/** Files that a run has a name for only for a moment, on some systems as long as it goes on. */
export function piecePathsOf(part: string): readonly string[] {
  return Array.from({ length: mostPieces }, (_, at) => part.replace(/part$/, `${at}.part`));
}

/** `predictions.csv` → `predictions.csv.rejects.csv`. */
export function rejectsPathOf(outputPath: string): string {
  return `${outputPath}.rejects.csv`;
}

interface InputFacts {
  /** Bytes of a file, entries of a folder. */
  readonly size: number;
  readonly mtimeMs: number;
  readonly format: TableFormat;
  /** `fd` is that of the child. */
  source(fd: number): Source;
}

async function factsOf(input: FileHandle, path: string): Promise<InputFacts> {
  const facts = await input.stat();
  const { size, mtimeMs } = facts;
  if (facts.isDirectory()) {
    // Which of the two it is, its reader tells.
    const entries = (await readdir(path)).length;
    return {
      size: entries,
      mtimeMs,
      format: 'images',
      source: (fd) => ({ kind: 'folder', fd, path }),
    };
  }
  if (!facts.isFile())
    throw new AppError('invalid-input', 'The input is neither a file nor a folder.');
  const first = new Uint8Array(magicBytes);
  const { bytesRead } = await input.read(first, 0, first.length, 0);
  return {
    size,
    mtimeMs,
    format: formatOf(first.subarray(0, bytesRead), basename(path)),
    source: (fd) => ({ kind: 'plain', fd, sizeBytes: size }),
  };
}

async function openOutput(
  opened: Handles,
  from: { readonly parts: readonly [string, string]; readonly request: ScoreRequest },
): Promise<BatchOutput> {
  const { parts, request } = from;
  const flags = request.journal === undefined ? newFile : constants.O_RDWR;
  const [output, rejects] = await Promise.all(parts.map((path) => opened.open(path, flags))).catch(
    (error: unknown) => {
      const isGone = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      if (request.journal === undefined || !isGone) throw error;
      throw new ResumeRefused('The unfinished output is not there any more.');
    },
  );
  if (output === undefined || rejects === undefined) throw new Error('Two files were opened.');
  const paths = piecePathsOf(parts[0]).values();
  return {
    output,
    rejects,
    openSlot: () => opened.nameless(paths.next().value ?? parts[0]),
    keepColumns: request.keepColumns,
  };
}

interface Handles extends AsyncDisposable {
  open(path: string, flags: number): Promise<FileHandle>;
  /** A new file that loses its name at once, where the system allows that, and in any case in the end. */
  nameless(path: string): Promise<FileHandle>;
}

function createHandles(): Handles {
  const handles: FileHandle[] = [];
  const named: string[] = [];
  const handlesOf: Handles = {
    async open(path, flags) {
      // A pipe in the place of a file would keep whoever opens it waiting for ever.
      const handle = await open(path, flags | (constants.O_NONBLOCK ?? 0), 0o600);
      handles.push(handle);
      return handle;
    },
    async nameless(path) {
      const handle = await handlesOf.open(path, newFile);
      await rm(path).catch(() => named.push(path));
      step('run: piece file has no name');
      return handle;
    },
    async [Symbol.asyncDispose]() {
      for (const handle of handles) await handle.close();
      for (const path of named) await rm(path, { force: true });
    },
  };
  return handlesOf;
}

/** Each is tried, whatever becomes of the others; then the first error is thrown. */
async function removeAll(paths: readonly string[]): Promise<void> {
  const failures: unknown[] = [];
  for (const path of paths) {
    await rm(path, { force: true }).catch((error: unknown) => failures.push(error));
    step('run: part file removed');
  }
  if (failures.length > 0) throw failures[0];
}

/** A medium that was pulled leaves an empty folder in its place, and that one can be synced too. */
async function requireThere(path: string): Promise<void> {
  await lstat(path).catch((cause: unknown) => {
    throw new AppError(
      'io',
      'The predictions are no longer where they were written: the medium went away. Plug it in, or choose another folder, and run again.',
      { cause },
    );
  });
}

async function refuseExisting(path: string): Promise<void> {
  const exists = await lstat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
  if (exists) throw taken();
}

/** Gives the finished file its name, and never takes one from another file that came in the meantime. */
async function publish(part: string, path: string): Promise<void> {
  try {
    await link(part, path);
    step('run: output named');
    await rm(part);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') throw taken();
    // Sticks are often formatted in a way that knows no second names.
    await refuseExisting(path);
    await rename(part, path);
  }
}

function taken(): AppError {
  return new AppError(
    'conflict',
    'There is a file of that name already, and results never overwrite one. Choose another name.',
  );
}
