import { z } from 'zod';
import { columnList, defineStep, mapColumns, mapNumbers } from './step.ts';

/**
 * `{ "step": "log", "method": "log1p", "columns": ["income"] }`: the natural logarithm of the value, or with `log1p` of one more.
 * A value that has none (0 and below; for `log1p` −1 and below) rejects its row with `range`.
 */
export const logSchema = z.strictObject({
  step: z.literal('log'),
  method: z.enum(['log', 'log1p']),
  columns: columnList,
});
export const log = defineStep<typeof logSchema>({
  apply({ method, columns }, draft) {
    const [above, map] = method === 'log' ? [0, Math.log] : [-1, Math.log1p];
    mapColumns(
      draft,
      Object.fromEntries(columns.map((name) => [name, null])),
      'number',
      ({ values }, _, { marks, column }) => {
        for (const [at, value] of values.entries())
          if (value <= above) marks.reject(at, column, 'range');
        return mapNumbers({ kind: 'number', values }, map);
      },
    );
  },
});
