import { z } from 'zod';
import { byColumn, defineStep, mapColumns } from './step.ts';

const kinds = ['number', 'integer', 'boolean', 'text'] as const;

/**
 * `{ "step": "cast", "columns": { "zip": "text" } }`: to `number`, `integer`, `boolean` or `text`. A value that has no such form
 * rejects its row; what is missing stays missing.
 */
export const castSchema = z.strictObject({
  step: z.literal('cast'),
  columns: byColumn(z.enum(kinds)),
});
export const cast = defineStep<typeof castSchema>({
  apply({ columns }, draft) {
    for (const as of kinds) {
      const names = Object.entries(columns).filter(([, wanted]) => wanted === as);
      mapColumns(draft, Object.fromEntries(names), as, (data) => data);
    }
  },
});
