import { z } from 'zod';
import { defineOutputStep, numbersOf, outputName } from './output.ts';
import { largest } from './top-k.ts';

/**
 * `{ "step": "argmax", "output": "probabilities", "as": "class" }`: a further output: the label of the largest value of a row, or its place
 * from 0 when the values have no labels. Of equal values the first counts.
 */
export const argmaxSchema = z.strictObject({
  step: z.literal('argmax'),
  output: outputName,
  as: outputName,
});
export const argmax = defineOutputStep<typeof argmaxSchema>({
  apply({ output: name, as }, outputs) {
    const { width, labels, ...output } = outputs.get(name);
    const values = numbersOf({ ...output, width, labels });
    const places = Array.from(
      { length: outputs.rows },
      (_, row) => largest(values, { from: row * width, width, count: 1 })[0] ?? 0,
    );
    const shape = { name: as, width: 1, labels: undefined };
    return outputs.with(
      labels === undefined
        ? { ...shape, type: 'int64', values: BigInt64Array.from(places, BigInt) }
        : { ...shape, type: 'string', values: places.map((place) => labels[place] ?? '') },
    );
  },
});
