/** What stands between a file and a model, ready to be done: columns of a chunk to tensors, tensors to columns of the output. */
import { AppError } from '#shared/errors.ts';
import type { TensorSpec } from '#shared/contract/bundles.ts';
import type { TensorArray, TensorData } from '#domain/onnx/index.ts';
import {
  textToNumber,
  type BadRow,
  type Chunk,
  type NamedColumn,
  type TableColumn,
  type WantedColumn,
} from '#domain/tables/index.ts';
import { bindPipeline, type PipelineBinding } from './bind.ts';
import { wantedAs, type Source } from './draft.ts';
import { createMarks, type Feature, type Marks, type RowMarks } from './feature.ts';
import { tensorOf } from './feeds.ts';
import { createOutputs } from './outputs/output.ts';
import { applyOutputStep } from './outputs/steps.ts';
import { columnsOf, outputOf } from './results.ts';
import type { Assets } from './steps/step.ts';
import type { Pipeline, PipelineColumn } from './schema.ts';

export interface Plan {
  /** What a reader is to read, in this order. */
  readonly wanted: readonly PlannedColumn[];
  /** Rows per call that the model fixes; undefined when it takes any number. */
  readonly fixedBatch: number | undefined;
  /** Columns of a chunk of `wanted`, as many rows as the model is to be given at once, to tensors. */
  toFeeds(chunk: Chunk): Promise<Feeds>;
  /**
   * What the model gave for `rows` rows. The names and kinds of the columns are the same for every batch. With 0 rows and no
   * results: what the model says of its outputs.
   */
  toColumns(results: Readonly<Record<string, TensorData>>, rows: number): readonly NamedColumn[];
}

export interface PlannedColumn extends WantedColumn {
  /** What the pipeline says of the column: range, categories, kind. */
  readonly facts: PipelineColumn | undefined;
}

export interface Feeds {
  /**
   * By the name of the input; rows of `chunk.bad` and of `bad` are not in them. Empty when no row is left. Good until the plan is
   * asked for the next ones, which are put in the same place.
   */
  readonly tensors: Readonly<Record<string, TensorData>>;
  /** Positions in the chunk of the rows that are in the tensors, ascending. */
  readonly kept: Uint32Array;
  /** Rows that a step could not take, in the order of rows, besides those that the reader named. */
  readonly bad: readonly BadRow[];
}

export interface PlanRequest {
  readonly pipeline: Pipeline | undefined;
  /** What the model takes and gives, as the runtime has it. */
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** What the values of an output's rows are called, where the model says it. */
  readonly labelsByOutput: ReadonlyMap<string, readonly string[]>;
  /** Header of the file. */
  readonly columns: readonly TableColumn[];
  /** Files of the bundle that the pipeline names (`assetsOf`), by their paths. */
  readonly assets?: Assets;
}

/** Throws `invalid-input` that names every column that is missing, or says why else the file does not fit. */
export function planPipeline(request: PlanRequest): Plan {
  const { outputs, labelsByOutput, pipeline, assets = new Map() } = request;
  const behind = pipeline?.schemaVersion === 2 ? pipeline.outputs : [];
  const binding = bindPipeline(request);
  const { inputs, sources, fixedBatch } = binding;
  requireFit(binding);
  const widths = new Map<string, number>();
  const spare = new Map<string, TensorArray>();

  return {
    wanted: sources.map((source) => ({ ...wantedAs(source), facts: source.facts })),
    fixedBatch,
    async toFeeds(chunk) {
      const { features, marks } = await doWork(binding, chunk);
      const kept = marks.kept();
      const padded = fixedBatch ?? kept.length;
      if (kept.length > padded)
        throw new AppError('internal', 'A chunk has more rows than the model takes.');
      const tensors =
        kept.length === 0
          ? {}
          : Object.fromEntries(
              inputs.map((input) => [
                input.spec.name,
                tensorOf(input, features, { kept, padded, spare }),
              ]),
            );
      return { tensors, kept, bad: marks.found() };
    },
    toColumns(results, rows) {
      const given = outputs.map((spec) => {
        const output = outputOf(spec, results[spec.name], {
          batch: rows === 0 ? 0 : (fixedBatch ?? rows),
          rows,
          labels: labelsByOutput.get(spec.name),
        });
        if (rows > 0) {
          const before = widths.get(spec.name) ?? output.width;
          widths.set(spec.name, before);
          if (before !== output.width) throw changingShape(spec.name);
        }
        return output;
      });
      let made = createOutputs(given, rows);
      for (const step of behind) made = applyOutputStep(step, made, assets);
      return made.all.flatMap((output) => columnsOf(output, rows));
    },
  };
}

/** A chunk of the columns that a binding reads, brought to the inputs as far as rows go. */
export async function doWork(
  { sources, work }: Pick<PipelineBinding, 'sources' | 'work'>,
  chunk: Chunk,
): Promise<{ readonly features: readonly (Feature | undefined)[]; readonly marks: RowMarks }> {
  const marks = createMarks(chunk.rows, chunk.bad);
  const features: (Feature | undefined)[] = [];
  for (const [at, source] of sources.entries()) {
    const data = chunk.columns[at];
    if (data === undefined) throw new AppError('internal', 'A chunk lacks a wanted column.');
    features[source.slot.id] = data;
    checkFacts(data, source, marks);
  }
  for (const { reads, writes, run } of work) {
    const made = run(
      reads.map(({ id }) => features[id] as Feature),
      marks,
    );
    const ready = made instanceof Promise ? await made : made;
    for (const [at, { id }] of writes.entries()) features[id] = ready[at];
  }
  return { features, marks };
}

function requireFit(binding: {
  readonly problems: readonly string[];
  readonly missing: readonly string[];
}): void {
  const { problems, missing } = binding;
  const [problem] = problems;
  if (problem !== undefined) throw new AppError('invalid-input', problem);
  if (missing.length === 0) return;
  const more = missing.length > 20 ? ` and ${missing.length - 20} more` : '';
  throw new AppError(
    'invalid-input',
    `The file has no column for: ${missing.slice(0, 20).join(', ')}${more}. Nothing was scored; add the columns or choose another file.`,
    { details: { missing: missing.slice(0, 200) } },
  );
}

/** Plausibility is only counted, unless the pipeline says that such rows must not be scored. */
function checkFacts(data: Feature, { facts, column }: Source, marks: Marks): void {
  if (facts?.reject === true)
    findOutside(data, facts, (at, code) => marks.reject(at, column.name, code));
}

/**
 * Tells each row whose value is outside of the range or the categories that the pipeline states for the column. What is missing,
 * or is no number at all, is for others to judge.
 */
export function findOutside(
  data: Feature,
  { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, categories }: PipelineColumn,
  found: (at: number, code: 'range' | 'category') => void,
): void {
  if (data.kind === 'text') {
    const allowed = categories === undefined ? undefined : new Set(categories);
    for (const [at, text] of data.values.entries()) {
      if (text === null || text === '') continue;
      const cell = textToNumber(text);
      if (cell !== 'missing' && 'value' in cell && (cell.value < min || cell.value > max))
        found(at, 'range');
      else if (allowed?.has(text) === false) found(at, 'category');
    }
  } else if (data.kind === 'number' || data.kind === 'integer') {
    const missing = data.kind === 'integer' ? data.missing : undefined;
    for (let at = 0; at < data.values.length; at += 1) {
      const value = Number(data.values[at]);
      if ((value < min || value > max) && missing?.[at] !== 1) found(at, 'range');
    }
  }
}

function changingShape(output: string): AppError {
  return new AppError(
    'unsupported',
    `The output ${output} changes its shape from batch to batch, so it cannot be written into a table.`,
  );
}
