import { z } from 'zod';
import { defineOutputStep, numbersOf, outputName, type Outputs } from './output.ts';

/**
 * `{ "step": "top-k", "output": "probabilities", "k": 5, "as": "top" }`: the `k` largest values of a row, the largest first: outputs `top_1` to `top_5`
 * with their labels (or places from 0), and `top_1_value` to `top_5_value`. Of equal values the first comes first.
 */
export const topKSchema = z.strictObject({
  step: z.literal('top-k'),
  output: outputName,
  k: z.int().min(1).max(100),
  as: outputName,
});
export const topK = defineOutputStep<typeof topKSchema>({
  apply({ output: name, k, as }, outputs) {
    const output = outputs.get(name);
    const { width, labels } = output;
    const values = numbersOf(output);
    const ranked = Array.from({ length: outputs.rows }, (_, row) =>
      largest(values, { from: row * width, width, count: k }),
    );
    let made: Outputs = outputs;
    for (let rank = 0; rank < Math.min(k, width); rank += 1) {
      const places = ranked.map((row) => row[rank] ?? 0);
      const shape = { name: `${as}_${rank + 1}`, width: 1, labels: undefined };
      const found = places.map((place, row) => values[row * width + place] ?? Number.NaN);
      made = made
        .with(
          labels === undefined
            ? { ...shape, type: 'int64', values: BigInt64Array.from(places, BigInt) }
            : { ...shape, type: 'string', values: places.map((place) => labels[place] ?? '') },
        )
        .with({
          ...shape,
          name: `${shape.name}_value`,
          ...(output.type === 'double'
            ? { type: 'double', values: Float64Array.from(found) }
            : { type: 'float', values: Float32Array.from(found) }),
        });
    }
    return made;
  },
});

/** Places in the row of its `count` largest values. NaN is smaller than any number. */
export function largest(
  values: ArrayLike<number>,
  row: { readonly from: number; readonly width: number; readonly count: number },
): readonly number[] {
  const best: number[] = [];
  const valueAt = (place: number): number => {
    const value = values[row.from + place] ?? Number.NaN;
    return Number.isNaN(value) ? -Infinity : value;
  };
  for (let place = 0; place < row.width; place += 1) {
    const value = valueAt(place);
    if (best.length === row.count && value <= valueAt(best[row.count - 1] ?? 0)) continue;
    let at = best.length;
    while (at > 0 && value > valueAt(best[at - 1] ?? 0)) at -= 1;
    best.splice(at, 0, place);
    if (best.length > row.count) best.pop();
  }
  return best;
}
