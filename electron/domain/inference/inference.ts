/** In the core: scoring a file, profiling a reference, first contact. Everything that touches a model happens in a child. */
import { constants, link, lstat, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AppError } from '#shared/errors.ts';
import type { FirstContact, TensorSpec } from '#shared/contract/bundles.ts';
import type { BindingRow } from '#shared/contract/runs.ts';
import type { GoldenCases } from '#domain/bundle/index.ts';
import type { Pipeline } from '#domain/pipeline/index.ts';
import type { Profile } from '#domain/monitoring/index.ts';
import type { ObjectHandOver } from '#domain/vault/index.ts';
import { syncDirectory } from '#platform/atomic-file.ts';
import { step } from '#platform/steps.ts';
import { openCsv } from '#platform/csv.ts';
import { bindColumns } from './binding.ts';
import { defaultLimitsFor } from './limits.ts';
import { createOpenFiles, type ModelFiles, type OpenFiles } from './open-files.ts';
import { createModelPool, type ModelPool } from './pool.ts';
import { ChildDied, runChild, type RunLimits } from './process.ts';
import {
  contactOutcome,
  scoreOutcome,
  type ContactJob,
  type Job,
  type ScoreJob,
  type ScoreOutcome,
} from './protocol.ts';
import { rejectMessages } from '#domain/tables/index.ts';
import { parseValue } from './values.ts';

export interface InferenceOptions {
  /** In place of the limits below; tests wait less. */
  readonly limits?: Partial<RunLimits>;
}

export interface ScoreRequest extends ModelFiles {
  readonly pipeline: Pipeline | undefined;
  readonly inputPath: string;
  readonly outputPath: string;
  readonly keepColumns: boolean;
  /** Names the unfinished files of this run, see `partPathsOf`. */
  readonly runId: string;
  /** Called when all rows are scored and nothing has its name yet; if it throws, nothing of the run stays. */
  readonly beforePublishing?: (
    outcome: ScoreOutcome,
    files: { readonly inputPath: string; readonly predictionsPath: string },
  ) => Promise<void>;
}

export interface ScoreResult extends ScoreOutcome {
  /** Undefined when no row was rejected. */
  readonly rejectsPath: string | undefined;
  readonly seconds: number;
}

export interface Watching {
  readonly onProgress?: (done: number, total: number, rows: number) => void;
  readonly signal?: AbortSignal;
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
  /** Never throws for a bad model: a crash, a hang and a wrong result are outcomes. */
  firstContact(
    request: ModelFiles & { readonly golden: GoldenCases | undefined },
    watching?: Watching,
  ): Promise<FirstContact>;
}

const scoringThreads = 2;

export function createInference(options: InferenceOptions = {}): Inference {
  const limitsFor = (files: ModelFiles): RunLimits => ({
    ...defaultLimitsFor(files),
    ...options.limits,
  });

  return {
    pool: createModelPool({ limitsFor }),

    async score(request, watching = {}) {
      const started = performance.now();
      const { outputPath } = request;
      const rejectsPath = rejectsPathOf(outputPath);
      await refuseExisting(outputPath);
      await refuseExisting(rejectsPath);
      await using files = createOpenFiles();
      const input = await files.open(request.inputPath, constants.O_RDONLY);
      const before = await input.handle.stat();
      const { size } = before;
      if (!before.isFile()) throw new AppError('invalid-input', 'The input is not a file.');
      const parts = partPathsOf(outputPath, request.runId);
      try {
        const output = await files.open(
          parts[0],
          constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
        );
        const rejects = await files.open(
          parts[1],
          constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
        );
        step('run: part files made');
        const job: ScoreJob = {
          kind: 'score',
          ...(await files.model(request)),
          pipeline: request.pipeline ?? null,
          source: { kind: 'plain', fd: input.number, sizeBytes: size },
          output: {
            fd: output.number,
            rejectsFd: rejects.number,
            keepColumns: request.keepColumns,
          },
          threads: scoringThreads,
        };
        const outcome = scoreOutcome.parse(
          await running(job, { files, limits: limitsFor(request), watching }),
        );
        const after = await input.handle.stat();
        if (after.size !== size || after.mtimeMs !== before.mtimeMs)
          throw new AppError(
            'io',
            'The input changed while it was read, so its predictions mean nothing and were not kept. Try again with a file that nobody writes to.',
          );
        await request.beforePublishing?.(outcome, {
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
          ...outcome,
          rejectsPath: outcome.rejected > 0 ? rejectsPath : undefined,
          seconds: (performance.now() - started) / 1000,
        };
      } finally {
        await removeAll(parts);
      }
    },

    async profile(request, watching = {}) {
      await using files = createOpenFiles();
      const job: ScoreJob = {
        kind: 'score',
        ...(await files.model(request)),
        pipeline: request.pipeline ?? null,
        source: { kind: 'sealed', file: await files.sealed(request.source) },
        output: null,
        threads: scoringThreads,
      };
      return scoreOutcome.parse(await running(job, { files, limits: limitsFor(request), watching }))
        .profile;
    },

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

/** Where a run writes before it is done: beside the output, so that the final rename stays on one file system. */
export function partPathsOf(outputPath: string, runId: string): readonly [string, string] {
  const part = (path: string): string => join(dirname(path), `.${basename(path)}.${runId}.part`);
  return [part(outputPath), part(rejectsPathOf(outputPath))];
}

/** `predictions.csv` → `predictions.csv.rejects.csv`. */
export function rejectsPathOf(outputPath: string): string {
  return `${outputPath}.rejects.csv`;
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
  const { inputs, unusedColumns } = bindColumns(model.inputs, table.header, model.pipeline);
  const binding = inputs.flatMap(({ input, type, columns, problem }): BindingRow[] => {
    if (problem !== undefined) return [{ column: null, input, type, example: null, problem }];
    return columns.map(({ index, name }) => {
      const values = index === undefined ? [] : records.map(({ fields }) => fields[index] ?? '');
      const bad = values.map((value) => parseValue(value, type)).find((parsed) => 'code' in parsed);
      return {
        column: index === undefined ? null : name,
        input: columns.length === 1 ? input : `${input}: ${name}`,
        type,
        example: values[0] ?? null,
        problem:
          index === undefined
            ? `The file has no column ${name}.`
            : bad !== undefined && 'code' in bad
              ? `Some of the first rows would be rejected: ${rejectMessages[bad.code]}`
              : null,
      };
    });
  });
  return {
    columns: table.header,
    rows: records.map(({ fields }) => fields),
    binding,
    unusedColumns,
    problems: binding
      .filter(({ column }) => column === null)
      .flatMap(({ problem }) => problem ?? []),
  };
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
