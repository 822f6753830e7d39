/** What a record of the model consists of. */
import type { z } from 'zod';
import type { recordField, recordFormFacts } from '#shared/contract/records.ts';
import type { PlannedColumn } from '#domain/pipeline/index.ts';
import type { Answer } from './kinds.ts';
import { recordModel } from './record-model.ts';
import { targetOf, targetsOf, thresholdOf } from './target.ts';

export const answer: Answer<null, z.infer<typeof recordFormFacts>> = async (_, context) => {
  const model = await recordModel(context);
  const outputs = model.plan.toColumns({}, 0);
  const target = targetOf(outputs, context.pipeline) ?? null;
  return {
    value: {
      fields: model.fields.map(fieldOf),
      targets: targetsOf(outputs),
      target,
      threshold: thresholdOf(target, context.pipeline) ?? null,
      hasReference: model.hasReference,
      rows: model.firstRows.map((row) => ({ ...row })),
    },
  };
};

function fieldOf({ name, as, facts }: PlannedColumn): z.infer<typeof recordField> {
  return {
    name,
    as: as === 'bytes' ? 'text' : as,
    kind: facts?.kind ?? (as === 'boolean' ? 'boolean' : as === 'text' ? 'categorical' : 'numeric'),
    min: facts?.min ?? null,
    max: facts?.max ?? null,
    categories: facts?.categories ?? null,
    isStrict: facts?.reject === true,
    unit: facts?.unit ?? null,
    description: facts?.description ?? null,
  };
}
