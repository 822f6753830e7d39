import { z } from 'zod';
import type { Draft, NamedSlot } from '../draft.ts';
import type { Feature } from '../feature.ts';
import { byColumn, columnName, defineStep } from './step.ts';

/**
 * `{ "step": "impute", "columns": { "age": 38.5, "purpose": "other" }, "indicator": true }`: what stands for a missing value: a
 * constant, or the mean or median that the maker found. A number makes the column one of numbers, a text one of texts.
 * With `indicator` a column `age_missing` of 0 and 1 comes behind each.
 */
export const imputeSchema = z.strictObject({
  step: z.literal('impute'),
  columns: byColumn(z.union([z.number(), columnName, z.boolean()])),
  indicator: z.boolean().optional(),
});
export const impute = defineStep<typeof imputeSchema>({
  apply({ columns, indicator = false }, draft) {
    const made = new Map<string, readonly NamedSlot[]>();
    for (const [name, value] of Object.entries(columns)) {
      const standing = draft.find(name) ?? name;
      const slots = imputed(draft, standing, value);
      const [filled, missing] = slots;
      made.set(standing, [
        [standing, filled],
        ...(indicator ? ([[`${standing}_missing`, missing]] as const) : []),
      ]);
    }
    draft.replace(made);
  },
});

function imputed(
  draft: Draft,
  name: string,
  value: number | string | boolean,
): readonly [NamedSlot[1], NamedSlot[1]] {
  const as = typeof value === 'number' ? 'number' : typeof value === 'string' ? 'text' : 'boolean';
  const read = draft.read(name, as);
  const [filled = read, missing = read] = draft.add({
    reads: [read],
    count: 2,
    run([data], { rows }) {
      const absent = new Float64Array(rows);
      return data === undefined
        ? []
        : [fill(data, value, absent), { kind: 'number', values: absent }];
    },
  });
  return [filled, missing];
}

/** Plain loops: they are several times as fast as those of arrays. `absent` becomes 1 where the value was missing. */
function fill(data: Feature, value: number | string | boolean, absent: Float64Array): Feature {
  if (data.kind === 'number') {
    const values = Float64Array.from(data.values);
    for (let at = 0; at < values.length; at += 1) {
      if (!Number.isNaN(values[at])) continue;
      values[at] = Number(value);
      absent[at] = 1;
    }
    return { kind: 'number', values };
  }
  if (data.kind === 'text') {
    const values = [...data.values];
    for (let at = 0; at < values.length; at += 1) {
      if (values[at] !== null && values[at] !== '') continue;
      values[at] = String(value);
      absent[at] = 1;
    }
    return { kind: 'text', values };
  }
  if (data.kind !== 'boolean') return data;
  const values = Uint8Array.from(data.values);
  for (let at = 0; at < values.length; at += 1) {
    if (data.missing?.[at] !== 1) continue;
    values[at] = Number(value);
    absent[at] = 1;
  }
  return { kind: 'boolean', values, missing: undefined };
}
