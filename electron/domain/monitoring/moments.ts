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

/** Differences from the first finite number: they are small where the mean is large. */
export function momentsOf(
  read: Numbers,
  {
    min = -Number.MAX_VALUE,
    max = Number.MAX_VALUE,
  }: { readonly min: number | undefined; readonly max: number | undefined },
): Moments {
  const { rows } = read;
  let first = 0;
  while (first < rows && !Number.isFinite(valueAt(read, first))) first += 1;
  const origin = valueAt(read, first);
  // Nothing is missing as a rule, and then nothing has to be asked of each number.
  const isWhole = read.kept === undefined && first === 0 && rows > 0;
  const whole = isWhole ? sumsOfAll(read, origin) : undefined;
  const sums =
    whole !== undefined && Number.isFinite(whole.squares) ? whole : sumsOfFinite(read, origin);
  const { count, sum, squares, minimum, maximum } = sums;
  const outOfRange =
    minimum >= min && maximum <= max ? 0 : countOutside(read, { least: min, most: max });
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

/** Of the differences from `origin`. */
type Sums = Omit<Moments, 'outOfRange'>;

/** In four sums, so that an addition does not wait for the one before it. What is not finite makes the squares not finite. */
function sumsOfAll({ numbers, rows, float }: Numbers, origin: number): Sums {
  let sum = 0;
  let otherSum = 0;
  let squares = 0;
  let otherSquares = 0;
  let minimum = origin;
  let maximum = origin;
  for (let row = rows % 2; row < rows; row += 2) {
    const rawA = numbers[row] ?? 0;
    const rawB = numbers[row + 1] ?? 0;
    const a = float ? Math.fround(rawA) : rawA;
    const b = float ? Math.fround(rawB) : rawB;
    const deltaA = a - origin;
    const deltaB = b - origin;
    sum += deltaA;
    squares += deltaA * deltaA;
    otherSum += deltaB;
    otherSquares += deltaB * deltaB;
    if (a < minimum) minimum = a;
    if (a > maximum) maximum = a;
    if (b < minimum) minimum = b;
    if (b > maximum) maximum = b;
  }
  // Of an odd number of rows the first was left out: its difference is zero.
  return { count: rows, sum: sum + otherSum, squares: squares + otherSquares, minimum, maximum };
}

function sumsOfFinite(read: Numbers, origin: number): Sums {
  let count = 0;
  let sum = 0;
  let squares = 0;
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < read.rows; row += 1) {
    const value = valueAt(read, row);
    // Zero for all finite numbers, NaN for the others.
    if (value - value !== 0) continue;
    count += 1;
    const delta = value - origin;
    sum += delta;
    squares += delta * delta;
    if (value < minimum) minimum = value;
    if (value > maximum) maximum = value;
  }
  return { count, sum, squares, minimum, maximum };
}

function countOutside(
  read: Numbers,
  { least, most }: { readonly least: number; readonly most: number },
): number {
  let count = 0;
  for (let row = 0; row < read.rows; row += 1) {
    const value = valueAt(read, row);
    if (value - value === 0 && (value < least || value > most)) count += 1;
  }
  return count;
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
