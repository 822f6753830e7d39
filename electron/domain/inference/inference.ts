/** In the core: scoring a file, profiling a reference, first contact. Everything that touches a model happens in a child. */
import { AppError } from '#shared/errors.ts';
import type { FirstContact } from '#shared/contract/bundles.ts';
import type { GoldenCases } from '#domain/bundle/index.ts';
import type { Pipeline } from '#domain/pipeline/index.ts';
import type { Profile } from '#domain/monitoring/index.ts';
import type { ObjectHandOver } from '#domain/vault/index.ts';
import { joinFile, type JoinRequest } from './batch/join-file.ts';
import type { JoinedRow, TablePreview } from './batch/messages.ts';
import { previewFile, type PreviewRequest } from './batch/preview-file.ts';
import {
  profileSealed,
  scoreFile,
  type BatchSettings,
  type ScoreRequest,
  type ScoreResult,
  type Watching,
} from './batch/score-file.ts';
import { defaultLimitsFor, limitsForBytes } from './limits.ts';
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
   * `cancelled`, `io`. No partial file stays; where one must, as its medium went away, `PartsLeft` with such an error as its cause.
   */
  score(request: ScoreRequest, watching?: Watching): Promise<ScoreResult>;
  /** The first rows of a file or folder and how its columns would be bound, told in a child that has no model. */
  preview(request: PreviewRequest): Promise<TablePreview>;
  /** The rows of an input that was scored, and what was predicted for each. Throws `io` when they are others now. */
  joined(request: JoinRequest): AsyncGenerator<readonly JoinedRow[], void, undefined>;
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

    preview: (request) => previewFile(request, { ...limitsForBytes(0), ...options.limits }),

    joined: (request) => joinFile(request, { ...limitsForBytes(0), ...options.limits }),

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
