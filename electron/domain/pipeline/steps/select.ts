import { z } from 'zod';
import { columnList, defineStep } from './step.ts';

/** `{ "step": "select", "columns": ["age", "income"] }`: only these columns go on, in this order. */
export const selectSchema = z.strictObject({ step: z.literal('select'), columns: columnList });
export const select = defineStep<typeof selectSchema>({
  apply: ({ columns }, draft) =>
    draft.keep(columns.map((name) => [name, draft.find(name) ?? name] as const)),
});
