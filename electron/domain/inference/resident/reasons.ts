/** The principal reasons of an adverse decision, against those of the reference who just passed. */
import type { z } from 'zod';
import { AppError } from '#shared/errors.ts';
import type { adverseSide, reasonFacts } from '#shared/contract/records.ts';
import { justPassed, rankReasons } from '#domain/explain/index.ts';
import { askedAbout } from './asked.ts';
import { attribute } from './attribute.ts';
import { takeRows } from './columns.ts';
import { boundedPermutations } from './explain.ts';
import type { Answer } from './kinds.ts';
import type { RecordBody } from './predict.ts';
import { requireThreshold } from './target.ts';

export interface ReasonsBody extends RecordBody {
  readonly adverse: z.infer<typeof adverseSide>;
  readonly most: number;
}

const population = { least: 50, most: 200 };
const fewest = 20;
const permutations = 1000;
const draws = 200;
const seed = 2;

export const answer: Answer<ReasonsBody, z.infer<typeof reasonFacts>> = async (
  { body },
  context,
) => {
  const { model, record, target, value } = await askedAbout({ record: body.record }, context);
  const threshold = requireThreshold(undefined, { target, pipeline: context.pipeline });
  const isAdverse = (score: number): boolean =>
    body.adverse === 'at-or-above' ? score >= threshold : score < threshold;
  const nothing = { target, value, threshold, rows: 0, reasons: [], sameSet: 1, draws: 0 };
  if (!isAdverse(value))
    return { value: { status: 'not-adverse', ...nothing, method: 'sampling' } };
  const reference = await model.reference();
  const scores = await model.scores(reference.columns, target);
  const passed = justPassed(scores, { isAdverse, threshold, ...population });
  if (passed.length < fewest)
    throw new AppError(
      'unsupported',
      `Only ${passed.length} rows of the reference are on the other side of the threshold; reasons take at least ${fewest} to compare with.`,
    );
  const { attribution, method } = await attribute(context, model, {
    record,
    value,
    background: takeRows(reference.columns, passed),
    backgroundValues: Float64Array.from(passed, (row) => scores[row] ?? Number.NaN),
    target,
    permutations: boundedPermutations(permutations, record.length),
    seed,
  });
  const ranked = rankReasons(attribution, {
    direction: body.adverse === 'at-or-above' ? 1 : -1,
    most: body.most,
    draws,
    seed,
  });
  return {
    value: {
      status: 'adverse',
      target,
      value,
      threshold,
      rows: passed.length,
      reasons: ranked.reasons.map(({ player, push, stability }) => {
        const column = model.fields[player]?.name ?? '';
        return { column, value: body.record[column] ?? null, push, stability };
      }),
      sameSet: ranked.sameSet,
      draws: ranked.draws,
      method,
    },
  };
};
