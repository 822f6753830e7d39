import { z } from 'zod';
import { atMost } from '../steps/step.ts';
import { defineOutputStep, outputName } from './output.ts';

/** `{ "step": "drop", "outputs": ["logits"] }`: these do not become columns. */
export const dropSchema = z.strictObject({
  step: z.literal('drop'),
  outputs: atMost(1000, outputName),
});
export const drop = defineOutputStep<typeof dropSchema>({
  apply: ({ outputs: names }, outputs) => outputs.without(names),
});
