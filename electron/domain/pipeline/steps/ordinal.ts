import { z } from 'zod';
import { categoryList, rejectUnknown } from './one-hot.ts';
import { byColumn, defineStep, mapColumns } from './step.ts';

/**
 * `{ "step": "ordinal", "columns": { "grade": ["low", "high"] }, "unknown": "reject" }`: the place of the value in the list, from 0.
 * A value that is not in it becomes the number that `unknown` gives, or rejects its row. What is missing and not listed as
 * `""` stays missing.
 */
export const ordinalSchema = z.strictObject({
  step: z.literal('ordinal'),
  columns: byColumn(categoryList),
  unknown: z.union([z.literal('reject'), z.number()]),
});
export const ordinal = defineStep<typeof ordinalSchema>({
  apply: ({ columns, unknown }, draft) =>
    mapColumns(draft, columns, 'text', ({ values }, categories, cell) => {
      const placeOf = new Map(categories.map((category, place) => [category, place]));
      const places = new Float64Array(values.length);
      for (const [at, value] of values.entries()) {
        const place = placeOf.get(value ?? '');
        if (place !== undefined) places[at] = place;
        else if (value === null || value === '') places[at] = Number.NaN;
        else if (unknown === 'reject') rejectUnknown(value, at, cell);
        else places[at] = unknown;
      }
      return { kind: 'number', values: places };
    }),
});
