/** Count, sum and spread of the finite numbers among the rows of a column. */
import type { ColumnData } from '#domain/tables/index.ts';

/** Sums of the largest doubles are numbers then. */
const sumScale = 2 ** -40;
export const meanOf = (scaled: number, of: number): number => scaled / of / sumScale;

interface Numbers {
  readonly numbers: Float64Array;
  readonly kept: Uint32Array | undefined;
  readonly rows: number;
  /** They are taken as floats. */
  readonly float: boolean;
}

export function valueAt({ numbers, kept, float }: Numbers, row: number): number {
  const value = numbers[kept === undefined ? row : (kept[row] ?? 0)] ?? Number.NaN;
  return float ? Math.fround(value) : value;
}

/** What is no number is NaN. */
export function numbersOf(data: ColumnData, rows: number): Float64Array {
  if (data.kind === 'number') return data.values;
  const numbers = new Float64Array(Math.max(rows, data.values.length)).fill(Number.NaN);
  if (data.kind !== 'integer' && data.kind !== 'boolean') return numbers;
  for (let at = 0; at < data.values.length; at += 1)
    if (data.missing?.[at] !== 1) numbers[at] = Number(data.values[at]);
  return numbers;
}

export interface Moments {
  readonly count: number;
  /** Times `sumScale`. */
  readonly sum: number;
  /** Of the differences from the mean. */
  readonly squares: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly outOfRange: number;
}

/** One pass over the finite numbers, as differences from the first of them: they are small where the mean is large. */
export function momentsOf(
  read: Numbers,
  {
    min = -Number.MAX_VALUE,
    max = Number.MAX_VALUE,
  }: { readonly min: number | undefined; readonly max: number | undefined },
): Moments {
  const { numbers, kept, rows, float } = read;
  let origin = Number.NaN;
  for (let row = 0; row < rows && !Number.isFinite(origin); row += 1) origin = valueAt(read, row);
  let count = 0;
  let sum = 0;
  let squares = 0;
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  let outOfRange = 0;
  for (let row = 0; row < rows; row += 1) {
    const raw = numbers[kept === undefined ? row : (kept[row] ?? 0)] ?? Number.NaN;
    const value = float ? Math.fround(raw) : raw;
    // Zero for all finite numbers, NaN for the others.
    if (value - value !== 0) continue;
    count += 1;
    const delta = value - origin;
    sum += delta;
    squares += delta * delta;
    if (value < minimum) minimum = value;
    if (value > maximum) maximum = value;
    if (value < min || value > max) outOfRange += 1;
  }
  if (!Number.isFinite(squares)) return { ...largeMoments(read), minimum, maximum, outOfRange };
  return {
    count,
    sum: count === 0 ? 0 : origin * sumScale * count + sum * sumScale,
    squares: count === 0 ? 0 : Math.max(0, squares - (sum * sum) / count),
    minimum,
    maximum,
    outOfRange,
  };
}

/** Of numbers whose squares have no number; the spread is then as large as one can be. */
function largeMoments(read: Numbers): Pick<Moments, 'count' | 'sum' | 'squares'> {
  let count = 0;
  let sum = 0;
  for (let row = 0; row < read.rows; row += 1) {
    const value = valueAt(read, row);
    if (!Number.isFinite(value)) continue;
    count += 1;
    sum += value * sumScale;
  }
  return { count, sum, squares: Number.MAX_VALUE };
}
