/** A run: recorded as started, scored in a child, compared with the reference, recorded as what it became. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { AppError } from '#shared/errors.ts';
import type { DriftReport } from '#shared/contract/monitor.ts';
import type { FinishedRun, RunResult } from '#shared/contract/runs.ts';
import type { Clock } from '#platform/clock.ts';
import { step } from '#platform/steps.ts';
import {
  PartsLeft,
  partPathsOf,
  ResumeRefused,
  type BatchJournal,
  type Inference,
  type ScoreResult,
} from '#domain/inference/index.ts';
import { compareProfiles, minimumRows } from '#domain/monitoring/index.ts';
import type { Pipeline } from '#domain/pipeline/index.ts';
import type { ResolvedVersion } from '#domain/registry/index.ts';
import { receiptPathOf } from '#domain/runs/index.ts';
import type { Dialect, TableFormat } from '#domain/tables/index.ts';
import { runFacts, runSubject } from './act-facts.ts';
import { bindingDigest } from './bindings.ts';
import { errorToBody } from './error-envelope.ts';
import type { CallContext } from './handler.ts';
import { keepData, planKeeping } from './keep-data.ts';
import { readPipeline, requireRunnable, storedModelFiles } from './model-access.ts';
import {
  createRunJournal,
  giveUpRun,
  startOver,
  type InterruptedRun,
  type RunSettings,
} from './run-journal.ts';
import { receiptOf, writeReceipt } from './run-receipt.ts';
import { refuseExisting } from './small-files.ts';

export interface RunInput extends RunSettings {
  readonly version: string;
  readonly inputPath: string;
  readonly outputPath: string;
  /** What is known of the way the input is written; a run that goes on knows it from its journal. */
  readonly format: TableFormat | undefined;
  readonly dialect: Partial<Dialect>;
}

export interface RunDeps {
  readonly clock: Clock;
  readonly inference: Inference;
}

/** `from`: the interrupted run that goes on. */
export async function scoreRun(
  context: CallContext,
  input: RunInput,
  deps: RunDeps,
  from?: InterruptedRun,
): Promise<FinishedRun> {
  const { vault, registry, runs, keptData, session } = context.open();
  const version = registry.resolve(input.version);
  const runId = from?.runId ?? randomBytes(8).toString('hex');
  const { outputPath } = input;
  context.note(
    runSubject({
      runId,
      model: version.model,
      version: version.version,
      versionDigest: version.digest,
    }),
  );
  requireRunnable(version);
  const now = (): string => deps.clock().toISOString();
  const startedAt = from?.startedAt ?? now();
  const resumedBy = from === undefined ? [] : [...new Set([...from.resumedBy, session.user])];
  if (from === undefined)
    runs.start({
      runId,
      model: version.model,
      version: version.version,
      digest: version.digest,
      at: startedAt,
      actor: session.user,
      inputName: basename(input.inputPath),
      outputPath,
    });
  else runs.goOn(runId);
  step('run: recorded as started');
  let furthest: BatchJournal | null = from?.batch ?? null;
  let keepJournal = (): void => undefined;
  try {
    await refuseExisting(receiptPathOf(outputPath));
    const asked = { ...input, runId, at: now() };
    const keeping = await planKeeping(context, version, asked, deps.inference);
    const pipeline = await readPipeline(vault, version);
    const journal = createRunJournal({ input, version, pipeline, resumedBy });
    keepJournal = () => runs.checkpoint(runId, journal.at(furthest));
    if (from !== undefined) journal.requireSame(from);
    if (from?.batch === null) startOver(from);
    // Each file of a folder is a row.
    const unit = (await stat(input.inputPath)).isDirectory() ? 'rows' : 'bytes';
    context.report({ step: 'Loading the model', done: 0, unit });
    const scored = await deps.inference.score(
      {
        ...storedModelFiles(vault, version, pipeline),
        pipeline,
        inputPath: input.inputPath,
        outputPath,
        runId,
        keepColumns: input.keepColumns,
        outputFormat: input.outputFormat,
        ...(furthest === null ? {} : { journal: furthest }),
        onCheckpoint(batch) {
          furthest = batch;
          keepJournal();
        },
        ...(input.format === undefined ? {} : { format: input.format }),
        dialect: input.dialect,
        ...(keeping === undefined
          ? {}
          : {
              beforePublishing: (outcome, files) =>
                keepData(
                  context,
                  keeping,
                  { outcome, ...files, keepColumns: input.keepColumns },
                  deps.inference,
                ),
            }),
      },
      {
        signal: context.signal,
        onProgress: (done, total) => context.report({ step: 'Scoring', done, total, unit }),
      },
    );
    const unsigned = toResult(scored, {
      runId,
      version,
      outputPath,
      pipeline,
      outputFormat: input.outputFormat,
      resumedBy,
      logIndex: context.logIndex,
    });
    const finishedAt = now();
    const receipt = receiptOf(context, {
      input,
      table: scored.table,
      pipeline,
      result: unsigned,
      by: from?.actor ?? session.user,
      startedAt,
      finishedAt,
    });
    const result = { ...unsigned, receiptDigest: receipt.digest };
    const drift = watch(context, { result, scored, asked: input.reference, at: finishedAt });
    // Rows that may have to be forgotten do not stand in the record of the run.
    const recorded = keeping?.subject === undefined ? result : { ...result, firstRows: [] };
    runs.finish({
      result: recorded,
      receipt: receipt.text,
      profile: scored.profile,
      drift,
      at: finishedAt,
    });
    step('run: recorded as done');
    const overtaken = giveUpOvertaken(context, outputPath);
    const kept = keptData.find(runId) ?? null;
    context.note(runFacts({ result, drift: drift?.state }));
    if (overtaken.length > 0) context.note({ details: { gaveUp: overtaken } });
    if (kept !== null) context.note({ details: { kept: kept.rows, subjects: kept.subjects } });
    return { ...result, receiptPath: await writeReceipt(outputPath, receipt.text), kept };
  } catch (error) {
    await takeBackKept(context, runId);
    const wasLeft = error instanceof PartsLeft;
    const body = errorToBody(wasLeft ? error.cause : error);
    // Whatever it was: while what the run would go on from is still there, it can.
    const isLeft =
      from !== undefined && partPathsOf(outputPath, runId).every((at) => existsSync(at));
    if (error instanceof ResumeRefused || isLeft || wasLeft) {
      if (wasLeft) keepJournal();
      runs.interrupt(runId, now(), wasLeft ? body : undefined);
      step('run: recorded as interrupted still');
      throw new AppError(
        body.code,
        wasLeft
          ? `${body.message} The unfinished output lies on its medium, which went away or cannot be written to. When it is back, go on with the run, or give it up (runs give-up ${runId}), and what is there is removed.`
          : `${body.message} The run can go on still with what it was begun with; give it up (runs give-up ${runId}), and its unfinished output is removed; or start anew, without resuming.`,
        { cause: error, ...(body.details === undefined ? {} : { details: body.details }) },
      );
    }
    runs.fail({
      runId,
      state: body.code === 'cancelled' ? 'cancelled' : 'failed',
      error: body,
      at: now(),
    });
    step('run: recorded as failed');
    throw new AppError(body.code, body.message, {
      cause: error,
      ...(body.details === undefined ? {} : { details: body.details }),
    });
  }
}

/** No other run can go on with an output that is whole. What cannot be removed now can be given up later. */
function giveUpOvertaken(context: CallContext, outputPath: string): string[] {
  const { runs } = context.open();
  const overtaken: string[] = [];
  for (const runId of runs.interruptedAt(outputPath))
    try {
      giveUpRun(runs, { runId, outputPath });
      overtaken.push(runId);
    } catch {
      // The result counts, and is there.
    }
  return overtaken;
}

/** A run that failed keeps nothing. What a seal or a full disk leaves is taken back at the next sign-in. */
async function takeBackKept(context: CallContext, runId: string): Promise<void> {
  try {
    const { keptData, vault } = context.open();
    if (!keptData.begun().includes(runId)) return;
    keptData.takeBack(runId);
    await vault.objects.finishErasures();
  } catch {
    // The error of the run is the one that counts.
  }
}

/** Compares with the reference, or becomes it: when asked to, or when there is none and the rows are enough. */
function watch(
  context: CallContext,
  run: {
    readonly result: RunResult;
    readonly scored: ScoreResult;
    readonly asked: boolean;
    readonly at: string;
  },
): { readonly state: DriftReport['state']; readonly drifted: number } | undefined {
  const { runs } = context.open();
  const { result, scored } = run;
  const reference = runs.reference(result);
  if (run.asked || (reference === undefined && scored.rows >= minimumRows)) {
    runs.setReference(result, {
      source: 'run',
      runId: result.runId,
      since: run.at,
      profile: scored.profile,
    });
    step('run: reference set');
    return undefined;
  }
  if (reference === undefined) return undefined;
  const report = compareProfiles(reference.profile, scored.profile);
  return {
    state: report.state,
    drifted: report.columns.filter(({ state }) => state === 'act').length,
  };
}

/** A column that is read in two ways is there twice. */
function outOfRangeOf({ profile }: ScoreResult): RunResult['outOfRange'] {
  const rowsByColumn = new Map<string, number>();
  for (const { role, name, outOfRange } of profile.columns)
    if (role === 'input' && outOfRange > 0)
      rowsByColumn.set(name, Math.max(outOfRange, rowsByColumn.get(name) ?? 0));
  return [...rowsByColumn].map(([column, rows]) => ({ column, rows }));
}

function toResult(
  scored: ScoreResult,
  run: {
    readonly runId: string;
    readonly version: ResolvedVersion;
    readonly outputPath: string;
    readonly pipeline: Pipeline | undefined;
    readonly outputFormat: RunInput['outputFormat'];
    readonly resumedBy: string[];
    readonly logIndex: number;
  },
): RunResult {
  const { version } = run;
  return {
    runId: run.runId,
    model: version.model,
    version: version.version,
    versionDigest: version.digest,
    rows: scored.rows,
    rejected: scored.rejected,
    resumedBy: run.resumedBy,
    outOfRange: outOfRangeOf(scored),
    seconds: scored.seconds,
    rowsPerSecond: scored.rows / Math.max(scored.seconds, 1e-6),
    bindingDigest: run.pipeline === undefined ? null : bindingDigest(run.pipeline),
    inputDigest: `sha256:${scored.inputSha256}`,
    outputDigest: `sha256:${scored.outputSha256}`,
    rejectsDigest: scored.rejectsPath === undefined ? null : `sha256:${scored.rejectsSha256}`,
    receiptDigest: null,
    outputPath: run.outputPath,
    rejectsPath: scored.rejectsPath ?? null,
    inputFormat: scored.table.format,
    outputFormat: run.outputFormat,
    dialect: scored.table.dialect ?? null,
    outputColumns: scored.outputColumns,
    firstRows: scored.firstRows,
    firstRejects: scored.firstRejects,
    override: version.override,
    logIndex: run.logIndex,
  };
}
