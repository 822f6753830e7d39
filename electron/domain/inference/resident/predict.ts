/** One record through the model. */
import type { z } from 'zod';
import type { predictionFacts } from '#shared/contract/records.ts';
import type { NamedColumn } from '#domain/tables/index.ts';
import type { Answer } from './kinds.ts';
import { recordModel, type RecordTexts } from './record-model.ts';
import { targetOf, thresholdOf, valueOf } from './target.ts';

export interface RecordBody {
  readonly record: RecordTexts;
}

export const answer: Answer<RecordBody, z.infer<typeof predictionFacts>> = async (
  { body },
  context,
) => {
  const model = await recordModel(context);
  const outputs = await model.predictRecord(model.read(body.record));
  const target = targetOf(outputs, context.pipeline) ?? null;
  const value = target === null ? Number.NaN : valueOf(outputs, target);
  return {
    value: {
      outputs: outputs.map((column) => ({ name: column.name, value: plain(column) })),
      target,
      value: Number.isFinite(value) ? value : null,
      threshold: thresholdOf(target, context.pipeline) ?? null,
    },
  };
};

/** As JSON can hold it: what is no number it knows, and whole numbers beyond 2^53, come as text. */
function plain({ data, float }: NamedColumn): number | boolean | string | null {
  const value = data.values[0] ?? null;
  if (value === null || typeof value === 'string') return value;
  if (data.kind === 'boolean') return Number(value) !== 0;
  if (typeof value === 'bigint')
    return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value !== 'number') return null;
  if (!Number.isFinite(value)) return String(value);
  return float === true ? shortest(value) : value;
}

/** The number with the fewest digits that is the same float. */
function shortest(value: number): number {
  for (let digits = 6; digits <= 9; digits += 1) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}
