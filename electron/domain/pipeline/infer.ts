/** A binding that was told from a file and a model, written out as a pipeline, so that the next file is read in the same way. */
import { AppError } from '#shared/errors.ts';
import type { TensorSpec } from '#shared/contract/bundles.ts';
import type { TableColumn } from '#domain/tables/index.ts';
import { bindPipeline } from './bind.ts';
import { impliedSteps } from './implied-steps.ts';
import { splitUnit } from './names.ts';
import { pipelineSchema, type PipelineColumn, type PipelineV2 } from './schema.ts';

export interface InferRequest {
  readonly inputs: readonly TensorSpec[];
  readonly columns: readonly TableColumn[];
  /** What is known of the columns. */
  readonly facts: readonly PipelineColumn[];
  /** Columns by the name of the input, where a person knows better. */
  readonly chosen: Readonly<Record<string, string | readonly string[]>>;
}

/** Throws `invalid-input` with what is wrong when the file does not fit the model. */
export function inferPipeline({ inputs, columns, facts, chosen }: InferRequest): PipelineV2 {
  const asked = writtenOut({
    columns: facts,
    steps: impliedSteps(inputs, columns),
    inputs: chosen,
  });
  const { problems, missing, names } = bindPipeline({ pipeline: asked, inputs, columns });
  const [
    problem = missing.length > 0
      ? `The file has no column for: ${missing.slice(0, 20).join(', ')}.`
      : undefined,
  ] = problems;
  if (problem !== undefined) throw new AppError('invalid-input', problem);
  // The unit is no part of the name: another file may leave it out, and one that says another is refused.
  const bare = columns.map(({ name }) => splitUnit(name) ?? { name, unit: undefined });
  const counts = new Map<string, number>();
  for (const { name } of bare) counts.set(name, (counts.get(name) ?? 0) + 1);
  const units = new Map(
    bare.flatMap(({ name, unit }, at) =>
      unit === undefined || counts.get(name) !== 1
        ? []
        : [[columns[at]?.name ?? '', { name, unit }] as const],
    ),
  );
  const used = [...names.values()].flat();
  const described = new Set(facts.map(({ name }) => name));
  const measured = [...units]
    .filter(([name, split]) => used.includes(name) && !described.has(split.name))
    .map(([, { name, unit }]) => ({ name, kind: 'numeric' as const, unit }));
  return writtenOut({
    columns: [...facts, ...measured],
    steps: asked.steps,
    inputs: Object.fromEntries(
      [...names].map(([input, bound]) => [
        input,
        bound.map((name) => units.get(name)?.name ?? name),
      ]),
    ),
  });
}

function writtenOut(parts: {
  readonly columns: readonly PipelineColumn[];
  readonly steps: readonly unknown[];
  readonly inputs: Readonly<Record<string, string | readonly string[]>>;
}): PipelineV2 {
  const pipeline = pipelineSchema.parse({ schemaVersion: 2, ...parts });
  if (pipeline.schemaVersion !== 2) throw new TypeError('A pipeline of another version was made.');
  return pipeline;
}
