/** In the child: which number of the output is explained, and what the pipeline says of it. */
import { AppError } from '#shared/errors.ts';
import type { Pipeline } from '#domain/pipeline/index.ts';
import type { NamedColumn } from '#domain/tables/index.ts';

/** Columns of the output that hold numbers: what can be explained. */
export function targetsOf(outputs: readonly NamedColumn[]): string[] {
  return outputs
    .filter(({ data }) => data.kind === 'number' || data.kind === 'integer')
    .map(({ name }) => name);
}

/**
 * What the pipeline calls the prediction, else the first output of floats. Of a vector the last number: of two classes the
 * second one, as libraries order them.
 */
export function targetOf(
  outputs: readonly NamedColumn[],
  pipeline: Pipeline | undefined,
): string | undefined {
  const stated = pipeline?.prediction?.output;
  const names = targetsOf(outputs);
  if (stated !== undefined) {
    const found = names.findLast((name) => name === stated || name.startsWith(`${stated}[`));
    if (found !== undefined) return found;
  }
  const first = outputs.find(({ data }) => data.kind === 'number')?.name ?? names[0];
  const stem = first?.replace(/\[[^[\]]*\]$/, '[');
  return names.findLast((name) => name === first || (stem !== first && name.startsWith(`${stem}`)));
}

export function requireTarget(
  asked: string | undefined,
  context: { readonly outputs: readonly NamedColumn[]; readonly pipeline: Pipeline | undefined },
): string {
  const target = asked ?? targetOf(context.outputs, context.pipeline);
  if (target !== undefined && targetsOf(context.outputs).includes(target)) return target;
  throw new AppError(
    asked === undefined ? 'unsupported' : 'invalid-input',
    asked === undefined
      ? 'The model gives no number that could be explained.'
      : `The model gives no number called ${asked}.`,
  );
}

/** The number of a column of one row. */
export function valueOf(outputs: readonly NamedColumn[], target: string): number {
  return Number(outputs.find(({ name }) => name === target)?.data.values[0] ?? Number.NaN);
}

/** What the pipeline says of the prediction counts for no other output. */
export function thresholdOf(
  target: string | null,
  pipeline: Pipeline | undefined,
): number | undefined {
  const stated = pipeline?.prediction;
  if (stated === undefined || target === null) return undefined;
  if (target !== stated.output && !target.startsWith(`${stated.output}[`)) return undefined;
  if (stated.threshold !== undefined || pipeline?.schemaVersion !== 2) return stated.threshold;
  // A step that decides by the prediction says where.
  const step = pipeline.outputs.find(
    (each) => each.step === 'threshold' && each.output === stated.output,
  );
  return step?.step === 'threshold' ? step.at : undefined;
}

export function requireThreshold(
  asked: number | undefined,
  context: { readonly target: string; readonly pipeline: Pipeline | undefined },
): number {
  const threshold = asked ?? thresholdOf(context.target, context.pipeline);
  if (threshold !== undefined) return threshold;
  throw new AppError(
    'unsupported',
    `The bundle states no threshold for ${context.target}, so there is no decision that could be changed or explained.`,
  );
}
