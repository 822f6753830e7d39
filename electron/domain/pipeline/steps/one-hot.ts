import { z } from 'zod';
import type { NamedSlot } from '../draft.ts';
import { atMost, byColumn, defineStep, type Cell } from './step.ts';

/** No two alike. `""` is the category of a missing value. */
export const categoryList = atMost(10_000, z.string().max(200)).refine(
  (names) => names.length > 0 && new Set(names).size === names.length,
);

/**
 * `{ "step": "one-hot", "columns": { "purpose": ["car", "home"] }, "unknown": "zeros" }`: in the place of the column one of 0 and
 * 1 for each category, called `purpose_car`, `purpose_home`. A value that is no category is 0 in all of them, or with
 * `reject` rejects its row.
 */
export const oneHotSchema = z.strictObject({
  step: z.literal('one-hot'),
  columns: byColumn(categoryList),
  unknown: z.enum(['zeros', 'reject']),
});
export const oneHot = defineStep<typeof oneHotSchema>({
  apply({ columns, unknown }, draft) {
    const made = new Map<string, readonly NamedSlot[]>();
    for (const [name, categories] of Object.entries(columns)) {
      const standing = draft.find(name) ?? name;
      const read = draft.read(standing, 'text');
      const placeOf = new Map(categories.map((category, place) => [category, place]));
      const slots = draft.add({
        reads: [read],
        count: categories.length,
        run([data], marks) {
          const flags = categories.map(() => new Float64Array(marks.rows));
          if (data?.kind !== 'text') return [];
          for (const [at, value] of data.values.entries()) {
            const place = placeOf.get(value ?? '');
            const flag = place === undefined ? undefined : flags[place];
            if (flag !== undefined) flag[at] = 1;
            else if (unknown === 'reject') rejectUnknown(value, at, { marks, column: read.column });
          }
          return flags.map((values) => ({ kind: 'number' as const, values }));
        },
      });
      made.set(
        standing,
        slots.map((slot, place) => [`${standing}_${categories[place] ?? ''}`, slot] as const),
      );
    }
    draft.replace(made);
  },
});

export function rejectUnknown(value: string | null, at: number, { marks, column }: Cell): void {
  marks.reject(at, column, value === null || value === '' ? 'missing' : 'category');
}
