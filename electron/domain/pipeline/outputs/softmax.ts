import { z } from 'zod';
import { defineOutputStep, numbersOf, outputName, withNumbers } from './output.ts';

/** `{ "step": "softmax", "output": "logits" }`: the values of a row become probabilities that add up to 1. */
export const softmaxSchema = z.strictObject({ step: z.literal('softmax'), output: outputName });
export const softmax = defineOutputStep<typeof softmaxSchema>({
  apply({ output: name }, outputs) {
    const output = outputs.get(name);
    const { width } = output;
    const values = numbersOf(output);
    const made = new Float64Array(values.length);
    for (let from = 0; from < values.length; from += width) {
      let largest = -Infinity;
      for (let at = from; at < from + width; at += 1) largest = Math.max(largest, values[at] ?? 0);
      let sum = 0;
      for (let at = from; at < from + width; at += 1) {
        const value = Math.exp((values[at] ?? 0) - largest);
        made[at] = value;
        sum += value;
      }
      for (let at = from; at < from + width; at += 1) made[at] = (made[at] ?? 0) / sum;
    }
    return outputs.with(withNumbers(output, made));
  },
});
