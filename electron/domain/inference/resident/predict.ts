/** One record through the model. */
import type { z } from 'zod';
import type { predictionFacts } from '#shared/contract/records.ts';
import { findOutside, type PlannedColumn } from '#domain/pipeline/index.ts';
import type { Chunk, NamedColumn } from '#domain/tables/index.ts';
import type { Answer } from './kinds.ts';
import { recordModel, type RecordTexts } from './record-model.ts';
import { targetOf, thresholdOf, valueOf } from './target.ts';

type Unusual = z.infer<typeof predictionFacts>['unusual'][number];

export interface RecordBody {
  readonly record: RecordTexts;
}

export const answer: Answer<RecordBody, z.infer<typeof predictionFacts>> = async (
  { body },
  context,
) => {
  const model = await recordModel(context);
  const chunk = model.read(body.record);
  const outputs = await model.predictRecord(chunk);
  const target = targetOf(outputs, context.pipeline) ?? null;
  const value = target === null ? Number.NaN : valueOf(outputs, target);
  return {
    value: {
      outputs: outputs.map((column) => ({ name: column.name, value: plain(column) })),
      target,
      value: Number.isFinite(value) ? value : null,
      threshold: thresholdOf(target, context.pipeline) ?? null,
      unusual: unusualIn(chunk, model.fields),
    },
  };
};

/** Values that are taken and that the maker of the bundle does not expect. */
function unusualIn({ columns }: Chunk, fields: readonly PlannedColumn[]): Unusual[] {
  const unusual: Unusual[] = [];
  for (const [at, { name, facts }] of fields.entries()) {
    const data = columns[at];
    if (data === undefined || facts === undefined) continue;
    findOutside(data, facts, (_row, code) => unusual.push({ column: name, code }));
  }
  return unusual;
}

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
