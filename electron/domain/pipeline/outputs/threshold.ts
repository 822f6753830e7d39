import { z } from 'zod';
import { AppError } from '#shared/errors.ts';
import { defineOutputStep, numbersOf, outputName, type Output } from './output.ts';

/**
 * `{ "step": "threshold", "output": "probability", "element": "bad", "at": 0.2, "as": "decision", "labels": ["approve", "decline"] }`:
 * a further output: is the value at the threshold or above it? `element` (label, or place from 0) says which value of a
 * row, where it has several. With `labels` the answer is the second text for yes and the first for no. NaN is no.
 */
export const thresholdSchema = z.strictObject({
  step: z.literal('threshold'),
  output: outputName,
  element: z.union([z.string().max(200), z.int().nonnegative()]).optional(),
  at: z.number(),
  as: outputName,
  labels: z.tuple([z.string().max(200), z.string().max(200)]).optional(),
});
export const threshold = defineOutputStep<typeof thresholdSchema>({
  apply({ output: name, element, at, as, labels }, outputs) {
    const output = outputs.get(name);
    const place = placeOf(output, element);
    const values = numbersOf(output);
    const above = Uint8Array.from({ length: outputs.rows }, (_, row) =>
      Number((values[row * output.width + place] ?? Number.NaN) >= at),
    );
    const shape = { name: as, width: 1, labels: undefined };
    return outputs.with(
      labels === undefined
        ? { ...shape, type: 'bool', values: above }
        : { ...shape, type: 'string', values: Array.from(above, (yes) => labels[yes] ?? '') },
    );
  },
});

function placeOf({ name, width, labels }: Output, element: string | number | undefined): number {
  const place =
    element === undefined && width === 1
      ? 0
      : typeof element === 'string'
        ? (labels?.indexOf(element) ?? -1)
        : (element ?? -1);
  if (place < 0 || place >= width)
    throw new AppError(
      'invalid-input',
      `The output ${name} has ${width} values per row; the pipeline must say which one a threshold is for.`,
    );
  return place;
}
