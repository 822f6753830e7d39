import { z } from 'zod';
import type { ColumnData } from '#domain/tables/index.ts';
import type { Draft, NamedSlot } from '../draft.ts';
import { byColumn, columnName, defineStep } from './step.ts';

/**
 * `{ "step": "impute", "columns": { "age": 38.5, "purpose": "other" }, "indicator": true }`: what stands for a missing value: a
 * constant, or the mean or median that the maker found. A number makes the column one of numbers, a text one of texts.
 * With `indicator` a column `age_missing` of 0 and 1 comes behind each.
 */
export const impute = defineStep({
  schema: z.strictObject({
    step: z.literal('impute'),
    columns: byColumn(z.union([z.number(), columnName, z.boolean()])),
    indicator: z.boolean().optional(),
  }),
  apply({ columns, indicator = false }, draft) {
    const made = new Map<string, readonly NamedSlot[]>();
    for (const [name, value] of Object.entries(columns)) {
      const standing = draft.find(name) ?? name;
      const slots = imputed(draft, standing, value);
      if (slots === undefined) continue;
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
): readonly [NamedSlot[1], NamedSlot[1]] | undefined {
  const as = typeof value === 'number' ? 'number' : typeof value === 'string' ? 'text' : 'boolean';
  const read = draft.read(name, as);
  if (read === undefined) return undefined;
  const [filled = read, missing = read] = draft.add({
    reads: [read],
    count: 2,
    run: ([data], { rows }) => {
      const column = data as Extract<ColumnData, { kind: 'number' | 'text' | 'boolean' }>;
      const absent = Float64Array.from({ length: rows }, (_, at) => Number(isAbsent(column, at)));
      return [filledWith(column, absent, value), { kind: 'number', values: absent }];
    },
  });
  return [filled, missing];
}

function isAbsent(
  column: Extract<ColumnData, { kind: 'number' | 'text' | 'boolean' }>,
  at: number,
): boolean {
  if (column.kind === 'number') return Number.isNaN(column.values[at]);
  if (column.kind === 'text') return (column.values[at] ?? '') === '';
  return column.missing?.[at] === 1;
}

function filledWith(
  column: Extract<ColumnData, { kind: 'number' | 'text' | 'boolean' }>,
  absent: Float64Array,
  value: number | string | boolean,
): ColumnData {
  if (column.kind === 'number')
    return {
      kind: 'number',
      values: column.values.map((old, at) => (absent[at] === 1 ? Number(value) : old)),
    };
  if (column.kind === 'text')
    return {
      kind: 'text',
      values: column.values.map((old, at) => (absent[at] === 1 ? String(value) : old)),
    };
  return {
    kind: 'boolean',
    values: column.values.map((old, at) => (absent[at] === 1 ? Number(value) : old)),
    missing: undefined,
  };
}
