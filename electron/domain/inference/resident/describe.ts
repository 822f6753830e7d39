/** What the model takes and gives, as it was made fit for the runtime. */
import type { z } from 'zod';
import type { Answer, modelDescription } from './kinds.ts';

export const answer: Answer<null, z.infer<typeof modelDescription>> = async (_, { model }) => ({
  value: {
    inputs: [...model.inputs],
    outputs: [...model.outputs],
    labelsByOutput: Object.fromEntries(
      [...model.labelsByOutput].map(([name, labels]) => [name, [...labels]]),
    ),
  },
});
