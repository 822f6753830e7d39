/** The columns of a file that is not there yet: where a record is asked for and nothing shows what records look like. */
import { AppError } from '#shared/errors.ts';
import { bindPipeline } from './bind.ts';
import { widthOf } from './binding.ts';
import type { PlanRequest } from './plan.ts';

const mostColumns = 20_000;

/**
 * What the pipeline describes, and what it and the inputs read besides; for a matrix that nobody describes one column for each
 * value, `X[0]`, `X[1]`, … Throws `unsupported` where an input does not say how many it takes.
 */
export function neededColumns({
  pipeline,
  inputs,
}: Pick<PlanRequest, 'pipeline' | 'inputs'>): readonly string[] {
  const names = new Set((pipeline?.columns ?? []).map(({ name }) => name));
  for (;;) {
    const { missing, inputs: bound } = bindPipeline({
      pipeline,
      inputs,
      columns: [...names].map((name) => ({ name, type: 'text' })),
    });
    const before = names.size;
    for (const name of missing) names.add(name);
    if (names.size > before) continue;
    for (const { spec, slots } of bound) {
      if (slots.length > 0 || spec.kind !== 'tensor') continue;
      const width = widthOf(spec);
      if (width === undefined || width > mostColumns)
        throw new AppError(
          'unsupported',
          `The input ${spec.name} does not say how many values it takes, so no form can be made; add a pipeline.json to the bundle.`,
        );
      for (let at = 0; at < width; at += 1) names.add(`${spec.name}[${at}]`);
    }
    if (names.size === before) return [...names];
  }
}
