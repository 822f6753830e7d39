import { z } from 'zod';
import { byColumn, defineStep, mapColumns, mapNumbers } from './step.ts';

const bounds = z
  .strictObject({ min: z.number().optional(), max: z.number().optional() })
  .refine(({ min = -Infinity, max = Infinity }) => min <= max);

/** `{ "step": "clip", "columns": { "age": { "min": 18, "max": 100 } } }`: what is beyond a bound becomes the bound. */
export const clipSchema = z.strictObject({ step: z.literal('clip'), columns: byColumn(bounds) });
export const clip = defineStep<typeof clipSchema>({
  apply: ({ columns }, draft) =>
    mapColumns(draft, columns, 'number', (data, { min = -Infinity, max = Infinity }) =>
      mapNumbers(data, (value) => (value < min ? min : value > max ? max : value)),
    ),
});
