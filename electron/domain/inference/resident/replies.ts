/** In the core: by which schema the JSON part of the reply to each kind of request is read. */
import { z } from 'zod';
import { tensorSpec } from '#shared/contract/bundles.ts';
import {
  changeFacts,
  explanationFacts,
  predictionFacts,
  reasonFacts,
  recordFormFacts,
} from '#shared/contract/records.ts';
import type { KindName, ValueOf } from './kinds.ts';

export const replies: { readonly [K in KindName]: z.ZodType<ValueOf<K>> } = {
  describe: z.strictObject({
    inputs: z.array(tensorSpec),
    outputs: z.array(tensorSpec),
    labelsByOutput: z.record(z.string(), z.array(z.string())),
  }),
  infer: z.null(),
  rows: z.null(),
  form: recordFormFacts,
  predict: predictionFacts,
  explain: explanationFacts,
  change: changeFacts,
  reasons: reasonFacts,
};
