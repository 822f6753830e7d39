/**
 * In the core: a file into a new file. Everything is written beside the output under names of the run, and gets its own name
 * when it is whole. A run that fails leaves nothing, unless the medium went away; one that was killed leaves what its journal
 * speaks of.
 */
import { constants, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError } from '#shared/errors.ts';
import type { Pipeline } from '#domain/pipeline/index.ts';
import type { Profile } from '#domain/monitoring/index.ts';
import {
  rawNames,
  type Dialect,
  type OutputFormat,
  type TableFormat,
  type TableInfo,
} from '#domain/tables/index.ts';
import type { ObjectHandOver } from '#domain/vault/index.ts';
import { syncDirectory } from '#platform/atomic-file.ts';
import { step } from '#platform/steps.ts';
import { createOpenFiles, type ModelFiles } from '../open-files.ts';
import { firstFileDescriptor, type RunLimits } from '../process.ts';
import { convertFile } from './convert-file.ts';
import { factsOf } from './input-facts.ts';
import { ResumeRefused, type BatchJournal } from './journal.ts';
import type { StageTimes } from './messages.ts';
import {
  convertedPathOf,
  createHandles,
  deviceOf,
  newFile,
  PartsLeft,
  partPathsOf,
  piecePathsOf,
  publish,
  refuseExisting,
  rejectsPathOf,
  removeAll,
  removeLeft,
  requireThere,
  type Handles,
} from './part-files.ts';
import { scoreBatch, type BatchOutcome, type BatchOutput } from './score-batch.ts';

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
  /** CSV when left out. What is kept of a run is CSV in any case. */
  readonly outputFormat?: OutputFormat;
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
  const converted = convertedPathOf(outputPath, request.runId);
  const device = await deviceOf(outputPath);
  try {
    const output = await openOutput(opened, { parts, request });
    step('run: part files made');
    const model = await files.model(request);
    const outcome = await scoreBatch({
      model,
      pipeline: request.pipeline,
      limits: settings.limits,
      scorerFiles: [...files.descriptors(), ...before.files],
      scorerSource: before.source(firstFileDescriptor + files.descriptors().length),
      readerFiles: before.files,
      readerSource: before.source(firstFileDescriptor),
      shows: before.shows,
      inputBytes: before.size,
      inputModifiedMs: before.mtimeMs,
      format: request.format ?? journal?.table.format ?? before.format,
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
    const format = request.outputFormat ?? 'csv';
    let { outputSha256 } = scored;
    if (format !== 'csv') {
      // What a killed run has left of it says nothing: it is made anew from the whole CSV.
      await rm(converted, { force: true });
      outputSha256 = await convertFile({
        from: output.output,
        to: await opened.open(converted, newFile),
        format,
        columns: [
          { name: 'row', kind: 'integer', float: false },
          ...(request.keepColumns ? rawNames(outcome.table) : []).map(
            (name) => ({ name, kind: 'text', float: false }) as const,
          ),
          ...columns,
        ],
        limits: settings.limits,
        signal,
      });
      step('run: predictions converted');
    }
    await publish(format === 'csv' ? parts[0] : converted, outputPath);
    step('run: predictions published');
    if (outcome.rejected > 0) await publish(parts[1], rejectsPath);
    await syncDirectory(dirname(outputPath));
    await requireThere(outputPath);
    step('run: output folder synced');
    await removeAll([...parts, converted]);
    return {
      ...scored,
      outputSha256,
      rejectsPath: outcome.rejected > 0 ? rejectsPath : undefined,
      seconds: (journal?.seconds ?? 0) + (performance.now() - started) / 1000,
    };
  } catch (error) {
    if (error instanceof ResumeRefused) throw error;
    throw (await removeLeft([...parts, converted], device)) ? error : new PartsLeft(error);
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
    shows: [],
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
