/** In the core: scoring a file, profiling a reference, first contact. Everything that touches a model happens in a child. */
import { constants, open } from 'node:fs/promises';
import { AppError } from '#shared/errors.ts';
import type { FirstContact, TensorSpec } from '#shared/contract/bundles.ts';
import type { BindingRow } from '#shared/contract/runs.ts';
import type { GoldenCases } from '#domain/bundle/index.ts';
import { previewBinding, type Pipeline } from '#domain/pipeline/index.ts';
import type { Profile } from '#domain/monitoring/index.ts';
import type { ObjectHandOver } from '#domain/vault/index.ts';
import { openCsv } from '#platform/csv.ts';
import {
  profileSealed,
  scoreFile,
  type BatchSettings,
  type ScoreRequest,
  type ScoreResult,
  type Watching,
} from './batch/score-file.ts';
import { defaultLimitsFor } from './limits.ts';
import { createOpenFiles, type ModelFiles, type OpenFiles } from './open-files.ts';
import { createModelPool, type ModelPool } from './pool.ts';
import { ChildDied, runChild, type RunLimits } from './process.ts';
import { contactOutcome, type ContactJob, type Job } from './protocol.ts';

export interface InferenceOptions {
  /** In place of the limits below; tests wait less. */
  readonly limits?: Partial<RunLimits>;
  readonly batch?: Omit<BatchSettings, 'limits'>;
}

export interface Inference {
  /** For single requests; batches have children of their own. */
  readonly pool: ModelPool;
  /**
   * Scores a CSV into a new file. Throws `conflict` when the output is there already, `invalid-input` for missing columns,
   * `corrupt` for a file that is no CSV, `unavailable` when the model's process dies, `limit` when it breaks one of its limits,
   * `cancelled`, `io`. No partial file stays.
   */
  score(request: ScoreRequest, watching?: Watching): Promise<ScoreResult>;
  /** Runs the model over an encrypted CSV of the vault for its profile alone. */
  profile(
    request: ModelFiles & {
      readonly pipeline: Pipeline | undefined;
      readonly source: ObjectHandOver;
    },
    watching?: Watching,
  ): Promise<Profile>;
  /**
   * Never throws for a bad model: a crash, a hang and a wrong result are outcomes. Throws `corrupt` for files of its pipeline that
   * cannot be read.
   */
  firstContact(
    request: ModelFiles & {
      readonly golden: GoldenCases | undefined;
      readonly pipeline?: Pipeline | undefined;
    },
    watching?: Watching,
  ): Promise<FirstContact>;
}

export function createInference(options: InferenceOptions = {}): Inference {
  const limitsFor = (files: ModelFiles): RunLimits => ({
    ...defaultLimitsFor(files),
    ...options.limits,
  });

  const settingsFor = (files: ModelFiles): BatchSettings => ({
    ...options.batch,
    limits: limitsFor(files),
  });

  return {
    pool: createModelPool({ limitsFor }),

    score: (request, watching = {}) => scoreFile(request, settingsFor(request), watching),

    profile: async (request, watching = {}) =>
      (await profileSealed(request, settingsFor(request), watching)).profile,

    async firstContact(request, watching = {}) {
      const limits = {
        ...limitsFor(request),
        processorSeconds: 120,
        silenceMs: 60_000,
        ...options.limits,
      };
      const attempt = async (runtime: ContactJob['runtime']): Promise<FirstContact> => {
        await using files = createOpenFiles();
        const job: ContactJob = {
          kind: 'contact',
          runtime,
          ...(await files.model(request)),
          golden: request.golden ?? null,
          pipeline: request.pipeline,
        };
        const outcome = contactOutcome.parse(await running(job, { files, limits, watching }));
        return {
          status: outcome.failed === 0 ? 'passed' : 'failed',
          runtime,
          goldenChecked: outcome.checked,
          goldenFailed: outcome.failed,
          message:
            runtime === 'wasm'
              ? outcome.message
              : `${outcome.message} The WebAssembly runtime does not take the model, so this was tried in the native one.`,
        };
      };
      const failed = (runtime: ContactJob['runtime'], error: unknown): FirstContact => {
        if (
          !(error instanceof AppError) ||
          error.code === 'cancelled' ||
          error.code === 'io' ||
          error.code === 'corrupt'
        )
          throw error;
        return {
          status: 'failed',
          runtime,
          goldenChecked: 0,
          goldenFailed: 0,
          message: error.message,
        };
      };
      try {
        return await attempt('wasm');
      } catch (error) {
        // The WebAssembly build knows fewer operators; what it cannot load is tried in the native one, under the same limits.
        if (!(error instanceof AppError) || error.code !== 'unsupported')
          return failed('wasm', error);
      }
      try {
        return await attempt('native');
      } catch (error) {
        return failed('native', error);
      }
    },
  };

  async function running(
    job: Job,
    context: {
      readonly files: OpenFiles;
      readonly limits: RunLimits;
      readonly watching: Watching;
    },
  ): Promise<unknown> {
    const { signal, onProgress } = context.watching;
    try {
      return await runChild({
        job,
        files: context.files.descriptors(),
        limits: context.limits,
        onProgress: ({ stage, done, total, rows }) => {
          if (stage === 'run') onProgress?.(done, total, rows);
        },
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      if (!(error instanceof ChildDied)) throw error;
      throw new AppError(
        error.code,
        `${error.message} The vault was not touched and nothing of the run was kept.`,
        { details: { how: error.how } },
      );
    }
  }
}

export interface FilePreview {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly binding: readonly BindingRow[];
  readonly unusedColumns: readonly string[];
  readonly problems: readonly string[];
}

const previewRows = 20;

/** How the columns of a file would be bound, told from its header and first rows. */
export async function previewFile(
  path: string,
  model: { readonly inputs: readonly TensorSpec[]; readonly pipeline: Pipeline | undefined },
): Promise<FilePreview> {
  await using file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  if (!(await file.stat()).isFile())
    throw new AppError('invalid-input', 'The input is not a file.');
  const table = await openCsv(
    file.createReadStream({ autoClose: false, highWaterMark: 64 * 1024 }),
  );
  const { value: first } = await table.records().next();
  const records = (first ?? []).slice(0, previewRows);
  const shown = previewBinding({
    ...model,
    columns: table.header.map((name) => ({ name, type: 'text' })),
  });
  const place = new Map(table.header.map((name, at) => [name, at]));
  const cells = (column: string): (string | null)[] =>
    records.map(({ fields }) => fields[place.get(column) ?? -1] ?? null);
  const hasSteps = model.pipeline?.schemaVersion === 2 && model.pipeline.steps.length > 0;
  const chunk = {
    firstRow: 1,
    rows: records.length,
    columns: shown.wanted.map(({ name }) => ({ kind: 'text' as const, values: cells(name) })),
    bad: [],
    raw: undefined,
  };
  return {
    columns: table.header,
    rows: records.map(({ fields }) => fields),
    ...shown.explain({
      example: (column) => cells(column)[0] ?? null,
      // Steps read what a bundle brings, which this process does not.
      bad: hasSteps ? [] : await shown.rejects(chunk),
    }),
  };
}
