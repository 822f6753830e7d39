/**
 * "What would change the decision": the fewest columns, and of each the smallest step, with which the prediction comes to the
 * other side of the threshold (a counterfactual: Wachter, Mittelstadt and Russell 2018). The search is bounded and the same every
 * time. One column alone is tried with every candidate value; sets of more are grown from the most promising ones, so a smaller
 * change that only works together may be missed.
 */
import { AppError } from '#shared/errors.ts';

/** A column whose value may be changed. Values are numbers; categories and texts are numbered by the caller. */
export interface Changeable {
  /** Position among the columns of the record. */
  readonly column: number;
  readonly kind: 'number' | 'choice';
  /** Of the record; NaN when it is missing. */
  readonly value: number;
  /** Other values to try: of the reference, within the range that is allowed. */
  readonly candidates: readonly number[];
  /** How far values of the reference are spread: one unit of change. A choice costs one unit whatever it is. */
  readonly spread: number;
  /** Numbers are whole multiples of it. */
  readonly step: number;
}

export interface ColumnChange {
  readonly column: number;
  readonly from: number;
  readonly to: number;
}

export interface ChangeSearch {
  readonly found: readonly ColumnChange[] | undefined;
  /** Prediction with the changes made; of the record when none was found. */
  readonly value: number;
  /** In spreads of the reference, summed over the columns. */
  readonly distance: number;
  readonly predictions: number;
  /** False when the search ended because it had used up its predictions. */
  readonly isComplete: boolean;
}

export interface ChangeOptions {
  /** Whether a prediction is one that the person asks for. */
  readonly isWanted: (value: number) => boolean;
  /** How near a prediction is to being wanted; more is nearer. */
  readonly progress: (value: number) => number;
  readonly mostColumns: number;
  readonly mostPredictions: number;
  /** Predictions with the changes of each set made to the record; NaN where it cannot be predicted. */
  readonly predict: (sets: readonly (readonly ColumnChange[])[]) => Promise<Float64Array>;
}

/** Sets of changes that are grown further. */
const beam = 24;
/** Sets that are taken back step by step, once the decision has changed. */
const finalists = 8;

export async function searchChange(
  record: { readonly value: number; readonly columns: readonly Changeable[] },
  options: ChangeOptions,
): Promise<ChangeSearch> {
  const { columns } = record;
  const byColumn = new Map(columns.map((column) => [column.column, column]));
  const distanceOf = (set: readonly ColumnChange[]): number =>
    set.reduce((sum, { column, from, to }) => sum + costOf(byColumn.get(column), from, to), 0);
  let predictions = 0;
  let isComplete = true;
  const tried = async (sets: readonly (readonly ColumnChange[])[]): Promise<Tried[]> => {
    const allowed = sets.slice(0, Math.max(0, options.mostPredictions - predictions));
    if (allowed.length < sets.length) isComplete = false;
    if (allowed.length === 0) return [];
    predictions += allowed.length;
    const values = await options.predict(allowed);
    return allowed.map((changes, at) => ({
      changes,
      value: values[at] ?? Number.NaN,
      distance: distanceOf(changes),
    }));
  };

  let front: Tried[] = [{ changes: [], value: record.value, distance: 0 }];
  for (let size = 1; size <= Math.min(options.mostColumns, columns.length); size += 1) {
    const next = await tried(grown(front, columns));
    const wanted = next.filter(({ value }) => options.isWanted(value)).sort(byDistance);
    if (wanted.length > 0) {
      const best = await smallest(onePerColumns(wanted).slice(0, finalists), {
        byColumn,
        isWanted: options.isWanted,
        tried,
      });
      return {
        found: best.changes,
        value: best.value,
        distance: best.distance,
        predictions,
        isComplete,
      };
    }
    front = onePerColumns(
      next
        .filter(({ value }) => !Number.isNaN(value))
        .sort((a, b) => options.progress(b.value) - options.progress(a.value) || byDistance(a, b)),
    ).slice(0, beam);
    if (front.length === 0) break;
  }
  return { found: undefined, value: record.value, distance: 0, predictions, isComplete };
}

interface Tried {
  readonly changes: readonly ColumnChange[];
  readonly value: number;
  readonly distance: number;
}

const byDistance = (a: Tried, b: Tried): number => a.distance - b.distance;

function costOf(column: Changeable | undefined, from: number, to: number): number {
  if (column === undefined || column.kind === 'choice' || Number.isNaN(from)) return 1;
  return Math.abs(to - from) / column.spread;
}

/** Every set with one more column, at each of its candidates. Columns are added in one order only, so no set comes twice. */
function grown(front: readonly Tried[], columns: readonly Changeable[]): ColumnChange[][] {
  const sets = new Map<string, ColumnChange[]>();
  for (const { changes } of front) {
    const taken = new Set(changes.map(({ column }) => column));
    for (const { column, value, candidates } of columns) {
      if (taken.has(column)) continue;
      for (const to of candidates) {
        const set = [...changes, { column, from: value, to }].sort((a, b) => a.column - b.column);
        sets.set(set.map((change) => `${change.column}:${change.to}`).join(), set);
      }
    }
  }
  return [...sets.values()];
}

/** The first of those that change the same columns. */
function onePerColumns(sets: readonly Tried[]): Tried[] {
  const first = new Map<string, Tried>();
  for (const set of sets) {
    const key = set.changes.map(({ column }) => column).join();
    if (!first.has(key)) first.set(key, set);
  }
  return [...first.values()];
}

/** Takes each change back as far as the decision lets it: whole first, then number by number, halving the way. */
async function smallest(
  sets: readonly Tried[],
  context: {
    readonly byColumn: ReadonlyMap<number, Changeable>;
    readonly isWanted: (value: number) => boolean;
    readonly tried: (sets: readonly (readonly ColumnChange[])[]) => Promise<Tried[]>;
  },
): Promise<Tried> {
  const results: Tried[] = [];
  for (const set of sets) {
    let best = await withoutNeedless(set, context);
    for (const { column } of best.changes) {
      const facts = context.byColumn.get(column);
      const change = best.changes.find((each) => each.column === column);
      if (facts?.kind !== 'number' || change === undefined || Number.isNaN(change.from)) continue;
      const at = (steps: number): ColumnChange => ({
        ...change,
        to: change.from + Math.sign(change.to - change.from) * steps * facts.step,
      });
      // Always wanted at `far`; whatever is nearer has been found wanting.
      let far = Math.ceil(Math.abs(change.to - change.from) / facts.step);
      let near = 0;
      const replaced = (with_: ColumnChange): ColumnChange[] =>
        best.changes.map((each) => (each.column === column ? with_ : each));
      while (far - near > 1) {
        const middle = Math.floor((far + near) / 2);
        const [result] = await context.tried([replaced(at(middle))]);
        if (result === undefined) break;
        if (context.isWanted(result.value)) {
          far = middle;
          best = result;
        } else near = middle;
      }
    }
    results.push(best);
  }
  const [first] = results.sort((a, b) => a.changes.length - b.changes.length || byDistance(a, b));
  if (first === undefined) throw new AppError('internal', 'A change was found and lost.');
  return first;
}

async function withoutNeedless(
  set: Tried,
  context: {
    readonly isWanted: (value: number) => boolean;
    readonly tried: (sets: readonly (readonly ColumnChange[])[]) => Promise<Tried[]>;
  },
): Promise<Tried> {
  if (set.changes.length < 2) return set;
  const fewer = await context.tried(
    set.changes.map((left) => set.changes.filter((each) => each !== left)),
  );
  const enough = fewer.filter(({ value }) => context.isWanted(value)).sort(byDistance)[0];
  return enough === undefined ? set : withoutNeedless(enough, context);
}
