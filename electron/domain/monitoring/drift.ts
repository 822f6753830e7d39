/**
 * Compares what a run saw with the reference. A test by type of column (Kolmogorov–Smirnov, two-proportion z, chi-square), the
 * false discovery rate held over all tests of the comparison, and an effect that has to be large enough to matter. The
 * threshold of the effect grows when rows are few, so that a small batch does not cry wolf: with a fixed threshold, two
 * thirds of small batches of unchanged data would.
 *
 *   act    significant, and the effect is at or above its threshold
 *   watch  significant, and the effect is at least half of its floor
 *   ok     everything else
 */
import type { ColumnDrift, DriftReport, DriftState } from '#shared/contract/monitor.ts';
import { numericDistribution, textDistribution } from './distributions.ts';
import type { ColumnProfile, Profile } from './profile.ts';
import {
  benjaminiHochberg,
  chiSquareContingency,
  chiSquareCritical,
  jensenShannon,
  ksCritical,
  ksDistance,
  ksPValue,
  twoProportion,
  type StepDistribution,
} from './statistics.ts';

const significance = 0.05;
/** Largest cumulative gap, difference of shares or Jensen–Shannon distance that is not worth an action. */
const effectFloor = 0.1;
const missingFloor = 0.05;
const outOfRangeFloor = 0.05;
/** Fewer rows than this say nothing about a distribution. */
export const minimumRows = 30;

type NumericProfile = Extract<ColumnProfile, { kind: 'numeric' }>;
type TextProfile = Exclude<ColumnProfile, { kind: 'numeric' }>;

interface Measured {
  readonly reference: ColumnProfile;
  readonly current: ColumnProfile;
  readonly method: string;
  readonly effect: string;
  readonly value: number;
  readonly threshold: number;
  /** Undefined when there is nothing to test. */
  readonly pValue: number | undefined;
  readonly missingPValue: number | undefined;
  readonly unseen: number;
  readonly distribution: ColumnDrift['distribution'];
}

/** Columns are matched by name and role; those that only one side has are left out. */
export function compareProfiles(reference: Profile, current: Profile): DriftReport {
  const tooFewRows = current.rows < minimumRows || reference.rows < minimumRows;
  const measured = current.columns.flatMap((column) => {
    const match = reference.columns.find(
      ({ name, role, kind }) =>
        name === column.name && role === column.role && kind === column.kind,
    );
    return match === undefined ? [] : [measure(match, column)];
  });
  const tests = measured.flatMap(({ pValue, missingPValue }) => [pValue, missingPValue]);
  const adjusted = benjaminiHochberg(tests.filter((p) => p !== undefined));
  let next = 0;
  const adjustedOf = (p: number | undefined): number | undefined =>
    p === undefined ? undefined : adjusted[next++];
  const judged = measured.map((column) => {
    const own = adjustedOf(column.pValue);
    const missing = adjustedOf(column.missingPValue);
    return judgeColumn(column, { own, missing, tooFewRows });
  });
  const columns = judged.toSorted(
    (a, b) => rank[b.state] - rank[a.state] || b.value / b.threshold - a.value / a.threshold,
  );
  const state = worst(columns.map((column) => column.state));
  return {
    state,
    rows: { reference: reference.rows, current: current.rows },
    tooFewRows,
    columns,
    summary: summarise(columns, tooFewRows, current.rows),
  };
}

const rank: Readonly<Record<DriftState, number>> = { ok: 0, watch: 1, act: 2 };

function worst(states: readonly DriftState[]): DriftState {
  return states.reduce<DriftState>(
    (result, state) => (rank[state] > rank[result] ? state : result),
    'ok',
  );
}

function measure(reference: ColumnProfile, current: ColumnProfile): Measured {
  const missing = twoProportion(
    { hits: reference.missing, of: reference.count + reference.missing },
    { hits: current.missing, of: current.count + current.missing },
  );
  const missingPValue = reference.missing + current.missing === 0 ? undefined : missing.pValue;
  const base = { reference, current, missingPValue };
  if (reference.kind === 'numeric' && current.kind === 'numeric')
    return { ...base, ...measureNumeric(reference, current) };
  if (reference.kind !== 'numeric' && current.kind !== 'numeric')
    return { ...base, ...measureText(reference, current) };
  throw new TypeError('Only columns of one kind can be compared.');
}

type OwnMeasures = Omit<Measured, 'reference' | 'current' | 'missingPValue'>;

function measureNumeric(reference: NumericProfile, current: NumericProfile): OwnMeasures {
  const a = profileToSteps(reference);
  const b = profileToSteps(current);
  const distribution = numericDistribution(a, b);
  const common = {
    method: 'ks',
    effect: 'largest gap between the cumulative shares',
    unseen: 0,
    distribution,
  };
  if (reference.count === 0 || current.count === 0)
    return { ...common, value: 0, threshold: effectFloor, pValue: undefined };
  const value = ksDistance(a, b);
  return {
    ...common,
    value,
    threshold: Math.max(effectFloor, ksCritical(significance, reference.count, current.count)),
    pValue: ksPValue(value, reference.count, current.count),
  };
}

function measureText(reference: TextProfile, current: TextProfile): OwnMeasures {
  const labels = [
    ...new Set([...(reference.values ?? []), ...(current.values ?? [])].map(([label]) => label)),
  ];
  const countsOf = ({ values }: TextProfile): number[] => {
    const counts = new Map(values ?? []);
    return labels.map((label) => counts.get(label) ?? 0);
  };
  const a = countsOf(reference);
  const b = countsOf(current);
  const unseen =
    reference.values === null
      ? 0
      : b.reduce((sum, count, at) => sum + ((a[at] ?? 0) === 0 ? count : 0), 0);
  const distribution = textDistribution({ labels, a, b }, { n: reference.count, m: current.count });
  const untested = { unseen, distribution, value: 0, threshold: effectFloor, pValue: undefined };
  if (reference.values === null || current.values === null)
    return { ...untested, method: 'none', effect: 'too many different values to compare' };
  if (reference.count === 0 || current.count === 0)
    return { ...untested, method: 'chi-square', effect: 'Jensen–Shannon distance' };
  const sizes = 1 / reference.count + 1 / current.count;
  if (labels.length <= 2) {
    const hits = { a: a[0] ?? 0, b: b[0] ?? 0 };
    const pooled = (hits.a + hits.b) / (reference.count + current.count);
    return {
      method: 'two-proportion',
      effect: 'difference of the shares',
      unseen,
      distribution,
      value: Math.abs(hits.a / reference.count - hits.b / current.count),
      threshold: Math.max(effectFloor, 1.96 * Math.sqrt(pooled * (1 - pooled) * sizes)),
      pValue:
        labels.length < 2
          ? undefined
          : twoProportion(
              { hits: hits.a, of: reference.count },
              { hits: hits.b, of: current.count },
            ).pValue,
    };
  }
  const pooled = poolRare(a, b);
  const { pValue, degrees } = chiSquareContingency(pooled.a, pooled.b);
  return {
    method: 'chi-square',
    effect: 'Jensen–Shannon distance',
    unseen,
    distribution,
    value: jensenShannon(toShares(a, reference.count), toShares(b, current.count)),
    // For small differences JSD ≈ χ² (1/n + 1/m) / 8 nats, so the null band follows from the χ² quantile.
    threshold: Math.max(
      effectFloor,
      Math.sqrt((chiSquareCritical(significance, degrees) * sizes) / (8 * Math.LN2)),
    ),
    pValue,
  };
}

/** Merges categories that are too rare for the chi-square approximation (expected count below 5 on either side). */
function poolRare(
  a: readonly number[],
  b: readonly number[],
): { readonly a: number[]; readonly b: number[] } {
  const n = a.reduce((sum, count) => sum + count, 0);
  const m = b.reduce((sum, count) => sum + count, 0);
  const result = { a: [] as number[], b: [] as number[] };
  const rest = { a: 0, b: 0 };
  for (const [at, countA] of a.entries()) {
    const countB = b[at] ?? 0;
    const expected = ((countA + countB) * Math.min(n, m)) / (n + m);
    if (expected >= 5) {
      result.a.push(countA);
      result.b.push(countB);
    } else {
      rest.a += countA;
      rest.b += countB;
    }
  }
  if (rest.a + rest.b > 0) {
    result.a.push(rest.a);
    result.b.push(rest.b);
  }
  return result;
}

function judgeColumn(
  column: Measured,
  tests: {
    readonly own: number | undefined;
    readonly missing: number | undefined;
    readonly tooFewRows: boolean;
  },
): ColumnDrift {
  const { reference, current, value, threshold } = column;
  const share = (part: number, { count, missing }: ColumnProfile): number =>
    count + missing === 0 ? 0 : part / (count + missing);
  const missing = {
    reference: share(reference.missing, reference),
    current: share(current.missing, current),
  };
  const outside = {
    reference: share(reference.outOfRange, reference),
    current: share(current.outOfRange, current),
  };
  const unseen = share(column.unseen, current);
  const verdicts: { readonly state: DriftState; readonly reason: string }[] = [];
  const graded = (
    size: number,
    bounds: { readonly watch: number; readonly act: number },
    reason: string,
  ): void => {
    if (size >= bounds.act) verdicts.push({ state: 'act', reason });
    else if (size >= bounds.watch) verdicts.push({ state: 'watch', reason });
  };
  if (!tests.tooFewRows) {
    if ((tests.own ?? 1) < significance)
      graded(
        value,
        { watch: effectFloor / 2, act: threshold },
        `The distribution moved: ${column.effect} ${percent(value)}.`,
      );
    if ((tests.missing ?? 1) < significance) {
      graded(
        Math.abs(missing.current - missing.reference),
        { watch: missingFloor / 2, act: missingFloor },
        `${percent(missing.current)} of the values are missing; in the reference it was ${percent(missing.reference)}.`,
      );
    }
    graded(
      outside.current - outside.reference,
      { watch: outOfRangeFloor / 10, act: outOfRangeFloor },
      `${percent(outside.current)} of the values are outside of the declared range.`,
    );
    graded(
      unseen,
      { watch: 1e-9, act: outOfRangeFloor },
      `${percent(unseen)} of the rows have a category that the reference does not know.`,
    );
  }
  const state = worst(verdicts.map((verdict) => verdict.state));
  const reasons = verdicts.filter((verdict) => verdict.state === state).map(({ reason }) => reason);
  return {
    name: current.name,
    role: current.role,
    kind: current.kind,
    method: column.method,
    value,
    threshold,
    effect: column.effect,
    pValue: column.pValue ?? null,
    adjustedPValue: tests.own ?? null,
    state,
    reason: tests.tooFewRows
      ? `Fewer than ${minimumRows} rows: nothing can be said.`
      : reasons.join(' ') || 'Nothing beyond chance.',
    missing: { ...missing, pValue: column.missingPValue ?? null },
    outOfRange: current.outOfRange,
    unseen: column.unseen,
    distribution: column.distribution,
  };
}

function profileToSteps({ values, quantiles, count }: NumericProfile): StepDistribution {
  if (values !== null) {
    let below = 0;
    return {
      values: values.map(([value]) => value),
      shares: values.map(([, hits]) => (below += hits) / count),
    };
  }
  return { values: quantiles, shares: quantiles.map((_, at) => (at + 1) / quantiles.length) };
}

function summarise(columns: readonly ColumnDrift[], tooFewRows: boolean, rows: number): string {
  if (tooFewRows)
    return `${rows} rows are too few to tell drift from chance; at least ${minimumRows} are needed.`;
  const acting = columns.filter(({ state }) => state === 'act').map(({ name }) => name);
  const watched = columns.filter(({ state }) => state === 'watch').length;
  if (acting.length > 0) {
    const named =
      acting.slice(0, 3).join(', ') + (acting.length > 3 ? ` and ${acting.length - 3} more` : '');
    return `${acting.length} of ${columns.length} columns drifted: ${named}.`;
  }
  if (watched > 0)
    return `${watched} of ${columns.length} columns moved a little; none enough to act.`;
  return `None of ${columns.length} columns moved beyond chance.`;
}

function toShares(counts: readonly number[], total: number): number[] {
  return counts.map((count) => count / (total || 1));
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.01 ? 2 : 1)} %`;
}
