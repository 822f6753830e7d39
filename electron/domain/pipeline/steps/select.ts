import { z } from 'zod';
import { columnList, defineStep } from './step.ts';

/** `{ "step": "select", "columns": ["age", "income"] }`: only these columns go on, in this order. */
export const select = defineStep({
  schema: z.strictObject({ step: z.literal('select'), columns: columnList }),
  apply: ({ columns }, draft) =>
    draft.keep(columns.map((name) => [name, draft.find(name) ?? name] as const)),
});
