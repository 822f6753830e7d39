/**
 * What a step of `pipeline.json` does to the columns that stand when its turn comes. Its schema stands beside it, not in it: a child is
 * given what was parsed, and its bundle then has neither schemas nor Zod.
 */
import { z } from 'zod';
import type { ColumnData } from '#domain/tables/index.ts';
import type { Draft, Slot } from '../draft.ts';
import type { ColumnKind, Feature, Marks } from '../feature.ts';

export interface Step<Schema extends z.ZodType> {
  apply(options: z.output<Schema>, draft: Draft, assets: Assets): void;
}

/** Files of the bundle that a pipeline names, by their paths. */
export type Assets = ReadonlyMap<string, Uint8Array>;

export function defineStep<Schema extends z.ZodType>(step: Step<Schema>): Step<Schema> {
  return step;
}

export const columnName = z.string().min(1).max(200);
const maxColumns = 20_000;

/** Counted before an element is looked at: each wrong one costs memory, and a bundle may bring millions. */
export function atMost<T extends z.ZodType>(count: number, element: T) {
  return z.array(z.unknown()).max(count).pipe(z.array(element));
}

export const columnList = atMost(maxColumns, columnName).refine((names) => names.length > 0);

/** Options by the name of the column. */
export function byColumn<T extends z.ZodType>(options: T) {
  return z
    .record(z.string(), z.unknown())
    .refine((record) => isCounted(record))
    .pipe(z.record(columnName, options));
}

function isCounted(record: Readonly<Record<string, unknown>>): boolean {
  const { length } = Object.keys(record);
  return length > 0 && length <= maxColumns;
}

type Data<K extends ColumnKind> = Extract<ColumnData, { kind: K }>;

export interface Cell {
  readonly marks: Marks;
  /** What the file calls the column that the values come from. */
  readonly column: string;
}

/** Each of the columns by another under the same name. `map` makes the new values of a whole chunk. */
export function mapColumns<K extends ColumnKind, T>(
  draft: Draft,
  options: Readonly<Record<string, T>>,
  as: K,
  map: (data: Data<K>, option: T, cell: Cell) => Feature,
): void {
  const made = new Map<string, readonly [readonly [string, Slot]]>();
  for (const [name, option] of Object.entries(options)) {
    const standing = draft.find(name) ?? name;
    const read = draft.read(standing, as);
    const [slot] = draft.add({
      reads: [read],
      count: 1,
      run: ([data], marks) =>
        data === undefined ? [] : [map(data as Data<K>, option, { marks, column: read.column })],
    });
    if (slot !== undefined) made.set(standing, [[standing, slot]]);
  }
  draft.replace(made);
}

/** The same number for each; a missing one stays missing unless `map` says otherwise. */
export function mapNumbers(
  { values }: Data<'number'>,
  map: (value: number) => number,
): Data<'number'> {
  const mapped = new Float64Array(values.length);
  for (let at = 0; at < values.length; at += 1) mapped[at] = map(values[at] ?? Number.NaN);
  return { kind: 'number', values: mapped };
}
