/**
 * What a run leaves behind of its data: counts and shapes, never rows. Memory is bounded by the number of columns. Text values
 * are kept only while a column has few different ones; a column of names or numbers of people keeps none.
 */
import { z } from 'zod';
import { createQuantileSketch, type QuantileSketch } from './sketch.ts';

/** Different values beyond which a column's values are not kept. */
const maxCategories = 100;
const maxDiscrete = 64;
const quantilePoints = 256;

export const columnSpec = z.strictObject({
  name: z.string(),
  role: z.enum(['input', 'output']),
  kind: z.enum(['numeric', 'categorical', 'boolean']),
  min: z.number().optional(),
  max: z.number().optional(),
  categories: z.array(z.string()).optional(),
});
export type ColumnSpec = z.infer<typeof columnSpec>;

const common = {
  name: z.string(),
  role: z.enum(['input', 'output']),
  /** Values that are there. */
  count: z.int().nonnegative(),
  missing: z.int().nonnegative(),
  /** Outside of the range or the list of categories that the bundle names. */
  outOfRange: z.int().nonnegative(),
};

export const columnProfile = z.discriminatedUnion('kind', [
  z.strictObject({
    ...common,
    kind: z.literal('numeric'),
    mean: z.number(),
    /** Population standard deviation. */
    sd: z.number(),
    /** Minimum, quantiles, maximum: evenly spaced ranks. Empty without values. */
    quantiles: z.array(z.number()),
    /** Every value and its count while they are few; null when they are many. */
    values: z.array(z.tuple([z.number(), z.int()])).nullable(),
  }),
  z.strictObject({
    ...common,
    kind: z.enum(['categorical', 'boolean']),
    /** Every value and its count while they are few; null when they are many. */
    values: z.array(z.tuple([z.string(), z.int()])).nullable(),
  }),
]);
export type ColumnProfile = z.infer<typeof columnProfile>;

export const profileSchema = z.strictObject({
  schemaVersion: z.literal(1),
  rows: z.int().nonnegative(),
  columns: z.array(columnProfile),
});
export type Profile = z.infer<typeof profileSchema>;

export type ProfiledValue = number | bigint | string | boolean | null;

export interface Profiler {
  /** Null and NaN are missing. Every column gets one value per row. */
  add(column: number, value: ProfiledValue): void;
  endRow(): void;
  finish(): Profile;
}

export function createProfiler(specs: readonly ColumnSpec[]): Profiler {
  const columns = specs.map((spec) =>
    spec.kind === 'numeric' ? createNumericColumn(spec) : createTextColumn(spec),
  );
  let rows = 0;
  return {
    add: (column, value) => columns[column]?.add(value),
    endRow() {
      rows += 1;
    },
    finish: () => ({ schemaVersion: 1, rows, columns: columns.map((column) => column.finish()) }),
  };
}

interface ColumnCounter {
  add(value: ProfiledValue): void;
  finish(): ColumnProfile;
}

function createNumericColumn({ name, role, min, max }: ColumnSpec): ColumnCounter {
  const sketch: QuantileSketch = createQuantileSketch();
  let values: Map<number, number> | undefined = new Map<number, number>();
  let count = 0;
  let missing = 0;
  let outOfRange = 0;
  let mean = 0;
  let squares = 0;
  return {
    add(raw) {
      const value = raw === null ? Number.NaN : Number(raw);
      if (!Number.isFinite(value)) {
        missing += 1;
        return;
      }
      count += 1;
      if ((min !== undefined && value < min) || (max !== undefined && value > max)) outOfRange += 1;
      // Welford's update: one pass, no loss of digits for large means.
      const delta = value - mean;
      mean += value / count - mean / count;
      squares += delta * (value - mean);
      sketch.add(value);
      if (values !== undefined) {
        values.set(value, (values.get(value) ?? 0) + 1);
        if (values.size > maxDiscrete) values = undefined;
      }
    },
    finish: () => ({
      kind: 'numeric',
      name,
      role,
      count,
      missing,
      outOfRange,
      mean,
      // The squares of the largest doubles have no number; the spread is then as large as one can be.
      sd: count === 0 ? 0 : Math.min(Math.sqrt(squares / count), Number.MAX_VALUE),
      quantiles: sketch.quantiles(quantilePoints),
      values: values === undefined ? null : [...values].sort(([a], [b]) => a - b),
    }),
  };
}

function createTextColumn({ name, role, kind, categories }: ColumnSpec): ColumnCounter {
  const allowed = categories === undefined ? undefined : new Set(categories);
  let values: Map<string, number> | undefined = new Map<string, number>();
  let count = 0;
  let missing = 0;
  let outOfRange = 0;
  return {
    add(value) {
      if (value === null || value === '') {
        missing += 1;
        return;
      }
      const text = String(value);
      count += 1;
      if (allowed?.has(text) === false) outOfRange += 1;
      if (values !== undefined) {
        values.set(text, (values.get(text) ?? 0) + 1);
        if (values.size > maxCategories) values = undefined;
      }
    },
    finish: () => ({
      kind: kind === 'boolean' ? 'boolean' : 'categorical',
      name,
      role,
      count,
      missing,
      outOfRange,
      values: values === undefined ? null : [...values].sort(([a], [b]) => (a < b ? -1 : 1)),
    }),
  };
}
