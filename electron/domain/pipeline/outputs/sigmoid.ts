import { z } from 'zod';
import { defineOutputStep, numbersOf, outputName, withNumbers } from './output.ts';

/** `{ "step": "sigmoid", "output": "score" }`: each value `x` becomes 1 / (1 + e⁻ˣ). */
export const sigmoidSchema = z.strictObject({ step: z.literal('sigmoid'), output: outputName });
export const sigmoid = defineOutputStep<typeof sigmoidSchema>({
  apply({ output: name }, outputs) {
    const output = outputs.get(name);
    return outputs.with(
      withNumbers(
        output,
        Float64Array.from(numbersOf(output), (value) => 1 / (1 + Math.exp(-value))),
      ),
    );
  },
});
