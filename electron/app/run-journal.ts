/**
 * What is recorded of a run while it goes on, so that it can go on after a kill: how far it came, and what it was asked to do.
 * The rest is scored only by the same version, with the same binding and the same settings.
 */
import { createHash } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { z } from 'zod';
import { AppError } from '#shared/errors.ts';
import { outputFormat } from '#shared/contract/runs.ts';
import { canonicalBytes } from '#platform/canonical-json.ts';
import { step } from '#platform/steps.ts';
import {
  batchJournal,
  convertedPathOf,
  partPathsOf,
  piecePathsOf,
  ResumeRefused,
  type BatchJournal,
} from '#domain/inference/index.ts';
import type { OutputFormat } from '#domain/tables/index.ts';
import type { Pipeline } from '#domain/pipeline/index.ts';
import type { ResolvedVersion } from '#domain/registry/index.ts';
import type { RunStore } from '#domain/runs/index.ts';

const runSettings = z.strictObject({
  keepColumns: z.boolean(),
  reference: z.boolean(),
  keep: z.boolean(),
  subject: z.string().optional(),
  outputFormat: outputFormat.default('csv'),
});

/** What a run was asked to do besides scoring. */
export interface RunSettings {
  readonly keepColumns: boolean;
  readonly reference: boolean;
  readonly keep: boolean;
  readonly subject: string | undefined;
  readonly outputFormat: OutputFormat;
}

const runJournal = z.strictObject({
  schemaVersion: z.literal(1),
  inputPath: z.string(),
  version: z.string(),
  settings: runSettings,
  /** Digests of what decides the numbers. */
  versionDigest: z.string(),
  bindingDigest: z.string(),
  /** Who went on with the run so far, in that order. */
  resumedBy: z.array(z.string()).default([]),
  /** Null for a run that has not come far enough: its unfinished files are to be removed, and it starts over. */
  batch: batchJournal.nullable(),
});
type RunJournal = z.infer<typeof runJournal>;

export interface InterruptedRun extends RunJournal {
  readonly runId: string;
  readonly outputPath: string;
  readonly startedAt: string;
  /** Who began it. */
  readonly actor: string;
}

export function createRunJournal(run: {
  readonly input: RunSettings & { readonly inputPath: string };
  readonly version: ResolvedVersion;
  readonly pipeline: Pipeline | undefined;
  readonly resumedBy: readonly string[];
}): {
  at(batch: BatchJournal | null): string;
  /** Throws `ResumeRefused` that says what is not as it was. */
  requireSame(from: InterruptedRun): void;
} {
  const { input, version, pipeline, resumedBy } = run;
  const { keepColumns, reference, keep, subject, outputFormat: written } = input;
  const facts = {
    version: `${version.model}@${version.version}`,
    settings: {
      keepColumns,
      reference,
      keep,
      outputFormat: written,
      ...(subject === undefined ? {} : { subject }),
    },
    versionDigest: version.digest,
    bindingDigest: createHash('sha256')
      .update(canonicalBytes(pipeline ?? null))
      .digest('hex'),
  };
  return {
    at: (batch) =>
      JSON.stringify({
        schemaVersion: 1,
        inputPath: input.inputPath,
        ...facts,
        resumedBy: [...resumedBy],
        batch,
      } satisfies RunJournal),
    requireSame(from) {
      // Models of one bundle share its digest.
      if (from.version !== facts.version || from.versionDigest !== facts.versionDigest)
        throw new ResumeRefused(`The run was begun by ${from.version}, and not by this version.`);
      if (from.bindingDigest !== facts.bindingDigest)
        throw new ResumeRefused('The columns are bound otherwise than when the run was begun.');
      const [asked, before] = [facts.settings, from.settings].map((settings) =>
        canonicalBytes(settings).toString(),
      );
      if (asked !== before)
        throw new ResumeRefused(
          'The run was begun with other settings: format of the output, columns, reference or what is kept.',
        );
    },
  };
}

/** Throws `conflict` when there is nothing to go on from. */
export function interruptedRun(runs: RunStore, runId: string): InterruptedRun {
  const { journal, ...left } = runs.leftBy(runId);
  return { ...runJournal.parse(JSON.parse(journal)), runId, ...left };
}

/**
 * Throws `io`, and the run can go on still, while its files are out of reach: a folder of that name says nothing, the medium can be
 * another one. `gone`: somebody says that there are none any more.
 */
export function giveUpRun(
  runs: RunStore,
  {
    runId,
    outputPath,
    gone = false,
  }: { readonly runId: string; readonly outputPath: string; readonly gone?: boolean },
): void {
  if (!gone && !partPathsOf(outputPath, runId).some((part) => existsSync(part)))
    throw new AppError(
      'io',
      `The unfinished output is not there, so nothing could be removed. Plug the medium in and give the run up again; if its files are gone for good, say so: runs give-up ${runId} --gone.`,
      { details: { output: 'not there' } },
    );
  // The files go first: nobody looks for those of a run that cannot go on.
  removeUnfinished({ runId, outputPath, canGoOn: false });
  runs.giveUp(runId);
  step('run: given up');
}

/**
 * Removes what a run has left that has not come far enough to go on from it. Throws `ResumeRefused` when that is out of reach: a
 * folder of that name says nothing.
 */
export function startOver({ runId, outputPath }: InterruptedRun): void {
  if (!partPathsOf(outputPath, runId).some((part) => existsSync(part)))
    throw new ResumeRefused('The unfinished output is not there any more.');
  removeUnfinished({ runId, outputPath, canGoOn: false });
}

/**
 * What a killed run has left beside its output, on a medium that is there: the files of single pieces, and what is whole unless
 * the run can go on with it.
 */
export function removeUnfinished(run: {
  readonly runId: string;
  readonly outputPath: string;
  readonly canGoOn: boolean;
}): void {
  const [output, rejects] = partPathsOf(run.outputPath, run.runId);
  const whole = run.canGoOn ? [] : [output, rejects];
  const converted = convertedPathOf(run.outputPath, run.runId);
  for (const part of [...piecePathsOf(output), converted, ...whole].filter((path) =>
    existsSync(path),
  )) {
    rmSync(part, { force: true });
    step('run: half output removed');
  }
}
