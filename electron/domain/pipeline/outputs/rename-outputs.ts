import { z } from 'zod';
import { defineOutputStep, outputName } from './output.ts';

/** `{ "step": "rename", "outputs": { "output_0": "probability" } }`: old name to new; the others keep theirs. */
export const renameOutputsSchema = z.strictObject({
  step: z.literal('rename'),
  outputs: z
    .record(z.string(), z.unknown())
    .refine((names) => Object.keys(names).length <= 1000)
    .pipe(z.record(outputName, outputName)),
});
export const renameOutputs = defineOutputStep<typeof renameOutputsSchema>({
  apply: ({ outputs: names }, outputs) => outputs.renamed(names),
});
