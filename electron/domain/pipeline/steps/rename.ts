import { z } from 'zod';
import { byColumn, columnName, defineStep } from './step.ts';

/** `{ "step": "rename", "columns": { "Loan amount": "loan_amount" } }`: old name to new; the others keep theirs. */
export const renameSchema = z.strictObject({
  step: z.literal('rename'),
  columns: byColumn(columnName),
});
export const rename = defineStep<typeof renameSchema>({
  apply({ columns }, draft) {
    const newNames = new Map(
      Object.entries(columns).map(([name, to]) => [draft.find(name) ?? name, to]),
    );
    const names = new Set([...draft.names(), ...newNames.keys()]);
    draft.keep([...names].map((name) => [name, newNames.get(name) ?? name] as const));
  },
});
