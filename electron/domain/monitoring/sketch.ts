/**
 * A quantile sketch in bounded memory (after Karnin, Lang, Liberty, "Optimal Quantile Approximation in Streams", 2016): levels
 * of buffers; a full one is sorted, and every second value, alternately the odd and the even ones, moves up with twice the
 * weight. Exact up to 4096 values; beyond, one value stands for a few, and ranks are off by half a per cent, seldom by one.
 * Deterministic: the same values in the same order, merged in the same order, give the same sketch.
 */
import { z } from 'zod';
import { sortNumbers } from './sort.ts';

/** Rows that are kept as they come, and which share of the others: one of 2^level. */
export interface Sampling {
  readonly exactValues: number;
  readonly level: number;
  /** So that parts of the same length are not sampled at the same places. */
  readonly seed: number;
}
/** Up to which row every value counts, and from where on fewer do: where many have been, the distance between them matters less. */
const exactRows = 16_384;
const levelsByRow = [
  [65_536, 1],
  [131_072, 2],
  [262_144, 3],
] as const;
const lastLevel = 4;

/** For a part of a file by the number of its first row, 1-based; a file as a whole begins with row 1. */
export function samplingFrom(firstRow: number): Sampling {
  return {
    exactValues: Math.max(0, exactRows - firstRow + 1),
    level: levelsByRow.find(([upTo]) => firstRow <= upTo)?.[1] ?? lastLevel,
    seed: firstRow,
  };
}

/** Of the levels that values come in at: they are sorted once, in numbers that make it worth while. */
const entryCapacity = 4096;
const capacity = 512;

/** What a sketch is while it travels: per level its values, as base64 of little-endian doubles, and whose turn it is. */
export const sketchState = z.strictObject({
  minimum: z.number().nullable(),
  maximum: z.number().nullable(),
  levels: z.array(z.strictObject({ values: z.string().max(64 * 1024), odd: z.boolean() })).max(64),
});
export type SketchState = z.infer<typeof sketchState>;

export interface QuantileSketch {
  /** Rows of a column, `kept` of its values or all; those that are no finite numbers are passed over. */
  add(
    values: Float64Array,
    kept: Uint32Array | undefined,
    known: { readonly rows: number; readonly minimum: number; readonly maximum: number },
  ): void;
  /** As if what the other saw had come now. */
  merge(state: SketchState): void;
  /** All of a part of a file has been added: what was sampled of it becomes few enough values to travel. */
  settle(): void;
  state(): SketchState;
  /** `points + 1` values: minimum, the quantiles i/points, maximum. Empty for no values. */
  quantiles(points: number): number[];
}

/** Values of one weight. Typed arrays sort by number, and several times as fast as lists; this one stays when it is emptied. */
interface Level {
  values: Float64Array;
  length: number;
  /** Which ones of the next full buffer move up. */
  odd: boolean;
}

export function createQuantileSketch(
  { exactValues, level: sampledLevel, seed }: Sampling = samplingFrom(1),
): QuantileSketch {
  const group = 2 ** sampledLevel;
  const levels: Level[] = [];
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  let seen = 0;

  const roomAt = (level: number): number =>
    level === 0 || level === sampledLevel ? entryCapacity : capacity;

  /** One after the other. */
  function putAll(level: number, values: Float64Array): void {
    const to = levelAt(level);
    const room = roomAt(level);
    for (let at = 0; at < values.length;) {
      const part = values.subarray(at, at + room - to.length);
      grow(to, to.length + part.length);
      to.values.set(part, to.length);
      to.length += part.length;
      at += part.length;
      if (to.length >= room) compact(level);
    }
  }

  function levelAt(level: number): Level {
    while (levels.length <= level)
      levels.push({ values: new Float64Array(), length: 0, odd: false });
    return levels[level] as Level;
  }

  function compact(level: number): void {
    const from = levelAt(level);
    const above = levelAt(level + 1);
    // Of an odd number the last one stays.
    const rest = from.length % 2;
    const full = from.values.subarray(0, from.length - rest);
    const last = from.values[full.length] ?? 0;
    sortNumbers(full);
    grow(above, above.length + (full.length >> 1) + 1);
    let end = above.length;
    for (let at = from.odd ? 1 : 0; at < full.length; at += 2) above.values[end++] = full[at] ?? 0;
    above.length = end;
    from.odd = !from.odd;
    from.values[0] = last;
    from.length = rest;
    if (above.length >= roomAt(level + 1)) compact(level + 1);
  }

  return {
    add(values, kept, { rows, minimum: low, maximum: high }) {
      minimum = Math.min(minimum, low);
      maximum = Math.max(maximum, high);
      const exact = Math.min(rows, Math.max(0, exactValues - seen));
      const taken = spareFor(rows);
      const from = { values, kept, taken };
      putAll(0, taken.subarray(0, takeAll(from, exact)));
      const count = takeSample(from, { first: exact, rows, before: seen, group, seed });
      putAll(sampledLevel, taken.subarray(0, count));
      seen += rows;
    },
    merge(state) {
      const isFirst = levels.every(({ length }) => length === 0);
      minimum = Math.min(minimum, state.minimum ?? minimum);
      maximum = Math.max(maximum, state.maximum ?? maximum);
      for (const [level, { values, odd }] of state.levels.entries()) {
        // So that a sketch that was put down and taken up again goes on as it would have.
        if (isFirst) levelAt(level).odd = odd;
        putAll(level, toNumbers(values));
      }
      seen = Math.max(seen, exactValues);
    },
    settle() {
      if (levelAt(sampledLevel).length > capacity && sampledLevel > 0) compact(sampledLevel);
    },
    state: () => ({
      minimum: Number.isFinite(minimum) ? minimum : null,
      maximum: Number.isFinite(maximum) ? maximum : null,
      levels: levels.map(({ values, length, odd }) => ({
        values: fromNumbers(values.subarray(0, length)),
        odd,
      })),
    }),
    quantiles(points) {
      const runs = levels
        .map(({ values, length }, level) => {
          const sorted = values.slice(0, length);
          sortNumbers(sorted);
          return { sorted, weight: 2 ** level, at: 0 };
        })
        .filter(({ sorted }) => sorted.length > 0);
      const total = runs.reduce((sum, { sorted, weight }) => sum + sorted.length * weight, 0);
      if (total === 0) return [];
      const result = [minimum];
      let seen = 0;
      let value = minimum;
      for (let point = 1; point < points; point += 1) {
        // The lowest of those that are left, one after the other, until as many stand before it as the rank says.
        while (seen < (point / points) * total) {
          const lowest = lowestOf(runs);
          value = lowest.sorted[lowest.at++] ?? maximum;
          seen += lowest.weight;
        }
        result.push(value);
      }
      return [...result, maximum];
    },
  };
}

interface Run {
  /** Not empty. */
  readonly sorted: Float64Array;
  readonly weight: number;
  at: number;
}

/** The one whose next value is the lowest. */
function lowestOf(runs: readonly Run[]): Run {
  let [lowest] = runs as [Run];
  let value = Number.POSITIVE_INFINITY;
  for (const run of runs) {
    const next = run.sorted[run.at] ?? Number.POSITIVE_INFINITY;
    if (next < value) [lowest, value] = [run, next];
  }
  return lowest;
}

let spare = new Float64Array(entryCapacity);

/** For what is taken of a chunk: as good as always the same, since there are dozens of columns in each. */
function spareFor(rows: number): Float64Array {
  if (rows > spare.length) spare = new Float64Array(rows);
  return spare;
}

interface Taking {
  readonly values: Float64Array;
  readonly kept: Uint32Array | undefined;
  readonly taken: Float64Array;
}

/** The finite ones of the first rows; how many they are. */
function takeAll({ values, kept, taken }: Taking, rows: number): number {
  let count = 0;
  for (let row = 0; row < rows; row += 1) {
    const value = values[kept === undefined ? row : (kept[row] ?? 0)] ?? Number.NaN;
    // Zero for all finite numbers, NaN for the others.
    if (value - value === 0) taken[count++] = value;
  }
  return count;
}

/** From row `first` on, of each group of rows of the part one, at a place that no pattern in the data keeps step with. */
function takeSample(
  { values, kept, taken }: Taking,
  of: {
    readonly first: number;
    readonly rows: number;
    /** Rows of the part before these. */
    readonly before: number;
    readonly group: number;
    readonly seed: number;
  },
): number {
  const { first, rows, before, group, seed } = of;
  let count = 0;
  for (let at = Math.floor((before + first) / group); at * group < before + rows; at += 1) {
    const row = at * group - before + pickOf(at + Math.imul(seed, 0x9e3779b1), group);
    if (row < first || row >= rows) continue;
    const value = values[kept === undefined ? row : (kept[row] ?? 0)] ?? Number.NaN;
    if (value - value === 0) taken[count++] = value;
  }
  return count;
}

/** A place in a group, scattered: the finalizer of MurmurHash3 on the number of the group. */
function pickOf(at: number, group: number): number {
  let hash = at | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) & (group - 1);
}

/** With room for so many. */
function grow(level: Level, length: number): void {
  if (length <= level.values.length) return;
  const values = new Float64Array(Math.max(length, 2 * level.values.length, capacity));
  values.set(level.values.subarray(0, level.length));
  level.values = values;
}

function fromNumbers(values: Float64Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
}

/** In a plain loop: several times as fast as `every`, and there are a million of them in the parts of a large file. */
function areFinite(values: Float64Array): boolean {
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at] ?? 0;
    // Zero for all finite numbers, NaN for the others.
    if (value - value !== 0) return false;
  }
  return true;
}

function toNumbers(text: string): Float64Array {
  const numbers = new Float64Array(Math.floor((text.length * 3) / 4) >> 3);
  const bytes = Buffer.from(numbers.buffer).write(text, 'base64');
  // A child may say anything; what is no number is no value.
  const values = numbers.subarray(0, bytes >> 3);
  return areFinite(values) ? values : values.filter(Number.isFinite);
}
