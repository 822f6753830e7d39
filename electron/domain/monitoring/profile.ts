/**
 * What a run leaves behind of its data: counts and shapes, never rows. Memory is bounded by the number of columns. Text values
 * are kept only while a column has few different ones; a column of names or numbers of people keeps none. Parts of a file are
 * profiled where they are read; merged in the order of the file they give the same profile whoever read them.
 */
import { z } from 'zod';
import type { ColumnData } from '#domain/tables/index.ts';
import { meanOf, momentsOf, numbersOf, valueAt, type Moments } from './moments.ts';
import {
  createQuantileSketch,
  samplingFrom,
  sketchState,
  type QuantileSketch,
  type Sampling,
} from './sketch.ts';

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

/** A profile on its way: what one part of a file gives to the whole. */
export const profileState = z.strictObject({
  rows: z.int().nonnegative(),
  columns: z.array(
    z.discriminatedUnion('kind', [
      z.strictObject({
        kind: z.literal('numeric'),
        count: z.int().nonnegative(),
        missing: z.int().nonnegative(),
        outOfRange: z.int().nonnegative(),
        /** Of the values, times 2^-40, so that sums of the largest doubles are still numbers. */
        sum: z.number(),
        /** Of the differences from the mean. */
        squares: z.number(),
        sketch: sketchState,
        values: z.array(z.tuple([z.number(), z.int()])).nullable(),
      }),
      z.strictObject({
        kind: z.literal('text'),
        count: z.int().nonnegative(),
        missing: z.int().nonnegative(),
        outOfRange: z.int().nonnegative(),
        values: z.array(z.tuple([z.string(), z.int()])).nullable(),
      }),
    ]),
  ),
});
export type ProfileState = z.infer<typeof profileState>;
type ColumnState = ProfileState['columns'][number];
type StateOf<Kind extends ColumnState['kind']> = Extract<ColumnState, { kind: Kind }>;

export interface Profiler {
  /**
   * Consecutive rows of a column; `kept` names those that count, else all do. NaN, null and what is marked are missing. `float`:
   * the numbers are taken as floats.
   */
  add(column: number, data: ColumnData, kept?: Uint32Array, float?: boolean): void;
  /** So many rows more; every column gets as many values. */
  addRows(rows: number): void;
  merge(state: ProfileState): void;
  state(): ProfileState;
  /** Of a part of a file that is read to its end: its state, made to travel. */
  part(): ProfileState;
  finish(): Profile;
}

/** `firstRow`, 1-based, of a part of a file: the further behind, the fewer of its values make up the quantiles. */
export function createProfiler(specs: readonly ColumnSpec[], firstRow = 1): Profiler {
  const sampling = samplingFrom(firstRow);
  const columns = specs.map((spec) =>
    spec.kind === 'numeric' ? createNumericColumn(spec, sampling) : createTextColumn(spec),
  );
  let rows = 0;
  const state = (): ProfileState => ({ rows, columns: columns.map((column) => column.state()) });
  return {
    add: (column, data, kept, float = false) => columns[column]?.add(data, kept, float),
    addRows(more) {
      rows += more;
    },
    merge(more) {
      rows += more.rows;
      for (const [at, column] of columns.entries()) {
        const part = more.columns[at];
        if (part !== undefined) column.merge(part);
      }
    },
    state,
    part() {
      for (const column of columns) column.settle();
      return state();
    },
    finish: () => ({ schemaVersion: 1, rows, columns: columns.map((column) => column.finish()) }),
  };
}

interface ColumnCounter {
  add(data: ColumnData, kept: Uint32Array | undefined, float: boolean): void;
  merge(state: ColumnState): void;
  settle(): void;
  state(): ColumnState;
  finish(): ColumnProfile;
}

function createNumericColumn(
  { name, role, min, max }: ColumnSpec,
  sampling: Sampling,
): ColumnCounter {
  const sketch: QuantileSketch = createQuantileSketch(sampling);
  let values: Map<number, number> | undefined = new Map<number, number>();
  let count = 0;
  let missing = 0;
  let outOfRange = 0;
  let sum = 0;
  let squares = 0;

  /** Chan, Golub, LeVeque, "Updating formulae … for computing sample variances", 1979. */
  function join(part: Pick<Moments, 'count' | 'sum' | 'squares'>): void {
    if (part.count === 0) return;
    if (count > 0) {
      const delta = meanOf(part.sum, part.count) - meanOf(sum, count);
      squares += delta * delta * ((count * part.count) / (count + part.count));
    }
    // The squares of the largest doubles have no number; the spread is then as large as one can be.
    squares = Math.min(squares + part.squares, Number.MAX_VALUE);
    sum += part.sum;
    count += part.count;
  }

  return {
    add(data, kept, float) {
      const rows = kept?.length ?? data.values.length;
      const numbers = numbersOf(data, rows);
      const read = { numbers, kept, rows, float };
      const found = momentsOf(read, { min, max });
      missing += rows - found.count;
      outOfRange += found.outOfRange;
      join(found);
      sketch.add(numbers, kept, { rows, ...found });
      for (let row = 0; row < rows && values !== undefined; row += 1) {
        const value = valueAt(read, row);
        if (!Number.isFinite(value)) continue;
        values.set(value, (values.get(value) ?? 0) + 1);
        if (values.size > maxDiscrete) values = undefined;
      }
    },
    merge(state) {
      if (state.kind !== 'numeric') return;
      missing += state.missing;
      outOfRange += state.outOfRange;
      join(state);
      sketch.merge(state.sketch);
      values = mergeCounts(values, state.values, maxDiscrete);
    },
    settle: () => sketch.settle(),
    state: (): StateOf<'numeric'> => ({
      kind: 'numeric',
      count,
      missing,
      outOfRange,
      sum,
      squares,
      sketch: sketch.state(),
      values: values === undefined ? null : [...values],
    }),
    finish: () => ({
      kind: 'numeric',
      name,
      role,
      count,
      missing,
      outOfRange,
      mean: count === 0 ? 0 : meanOf(sum, count),
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
    add(data, kept) {
      const rows = kept?.length ?? data.values.length;
      for (let row = 0; row < rows; row += 1) {
        const text = textOf(data, kept === undefined ? row : (kept[row] ?? 0));
        if (text === null || text === '') {
          missing += 1;
          continue;
        }
        count += 1;
        if (allowed?.has(text) === false) outOfRange += 1;
        if (values !== undefined) {
          values.set(text, (values.get(text) ?? 0) + 1);
          if (values.size > maxCategories) values = undefined;
        }
      }
    },
    merge(state) {
      if (state.kind !== 'text') return;
      count += state.count;
      missing += state.missing;
      outOfRange += state.outOfRange;
      values = mergeCounts(values, state.values, maxCategories);
    },
    settle: () => undefined,
    state: (): StateOf<'text'> => ({
      kind: 'text',
      count,
      missing,
      outOfRange,
      values: values === undefined ? null : [...values],
    }),
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

/** As the value stands in a file of results; null when it is missing. */
function textOf(data: ColumnData, at: number): string | null {
  switch (data.kind) {
    case 'text':
      return data.values[at] ?? null;
    case 'number': {
      const value = data.values[at] ?? Number.NaN;
      return Number.isNaN(value) ? null : String(value);
    }
    case 'integer':
      return data.missing?.[at] === 1 ? null : String(data.values[at]);
    case 'boolean':
      return data.missing?.[at] === 1 ? null : data.values[at] === 1 ? 'true' : 'false';
    case 'bytes':
      return null;
  }
}

function mergeCounts<T>(
  counts: Map<T, number> | undefined,
  more: readonly (readonly [T, number])[] | null,
  most: number,
): Map<T, number> | undefined {
  if (counts === undefined || more === null) return undefined;
  for (const [value, count] of more) counts.set(value, (counts.get(value) ?? 0) + count);
  return counts.size > most ? undefined : counts;
}
