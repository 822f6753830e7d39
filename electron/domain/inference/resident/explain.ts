/** A prediction, shared out among the columns of its record. */
import type { z } from 'zod';
import { AppError } from '#shared/errors.ts';
import type { explanationFacts } from '#shared/contract/records.ts';
import { createRandom, shuffled } from '#domain/explain/index.ts';
import { askedAbout } from './asked.ts';
import { attribute } from './attribute.ts';
import { takeRows } from './columns.ts';
import type { Answer } from './kinds.ts';
import type { RecordBody } from './predict.ts';

export interface ExplainBody extends RecordBody {
  readonly target?: string | undefined;
  readonly permutations: number;
}

const backgroundRows = 200;
const seed = 1;
/** Cells of all mixes that are predicted, at most. */
const mostCells = 200_000_000;

export const answer: Answer<ExplainBody, z.infer<typeof explanationFacts>> = async (
  { body },
  context,
) => {
  const { model, record, target, value } = await askedAbout(body, context);
  const reference = await model.reference();
  const drawn = shuffled(reference.rows, createRandom(seed)).subarray(0, 2 * backgroundRows);
  const candidates = takeRows(reference.columns, drawn);
  const scores = await model.scores(candidates, target);
  // Rows that the model cannot take are no background; there are more of them than needed.
  const good = [...scores.keys()]
    .filter((row) => !Number.isNaN(scores[row]))
    .slice(0, backgroundRows);
  const { attribution, method, scale } = await attribute(context, model, {
    record,
    value,
    background: takeRows(candidates, good),
    backgroundValues: Float64Array.from(good, (row) => scores[row] ?? Number.NaN),
    target,
    permutations: boundedPermutations(body.permutations, record.length),
    seed,
  });
  return {
    value: {
      target,
      value: attribution.value,
      base: attribution.base,
      scale,
      method,
      rows: good.length,
      predictions: attribution.predictions,
      contributions: model.fields.map(({ name }, at) => {
        const error = attribution.errors[at] ?? Number.NaN;
        return {
          column: name,
          value: body.record[name] ?? null,
          contribution: attribution.contributions[at] ?? 0,
          error: Number.isNaN(error) ? null : error,
        };
      }),
    },
  };
};

/** Fewer for models of many columns: the cost grows with the square. Throws `limit` when that leaves too few. */
export function boundedPermutations(wanted: number, columns: number): number {
  const most = Math.floor(mostCells / Math.max(1, columns * columns));
  if (most < 20)
    throw new AppError(
      'limit',
      `A record of ${columns} columns is too wide to be explained by sampling.`,
    );
  return Math.min(wanted, most);
}
