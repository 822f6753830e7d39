/** The two distributions of a column, as a chart draws them over each other. */
import type { ColumnDrift } from '#shared/contract/monitor.ts';
import { shareAtOrBelow, type StepDistribution } from './statistics.ts';

const chartBins = 20;
const chartCategories = 12;

/** Equal bins over the range of both; the outermost half per cent on each side goes into the end bins. */
export function numericDistribution(
  a: StepDistribution,
  b: StepDistribution,
): ColumnDrift['distribution'] {
  const quantile = ({ values, shares }: StepDistribution, share: number): number | undefined =>
    values[shares.findIndex((at) => at >= share)] ?? values.at(-1);
  const low = Math.min(quantile(a, 0.005) ?? 0, quantile(b, 0.005) ?? 0);
  const high = Math.max(quantile(a, 0.995) ?? 1, quantile(b, 0.995) ?? 1);
  const width = (high - low) / chartBins || 1;
  const edges = Array.from({ length: chartBins + 1 }, (_, at) => low + at * width);
  const shares = (steps: StepDistribution): number[] =>
    edges.slice(1).map((edge, at) => {
      const upper = at === chartBins - 1 ? 1 : shareAtOrBelow(steps, edge);
      return steps.values.length === 0
        ? 0
        : upper - (at === 0 ? 0 : shareAtOrBelow(steps, edges[at] ?? low));
    });
  return { edges, labels: null, reference: shares(a), current: shares(b) };
}

/** Shares of the categories that are most frequent on both sides; all others as one. */
export function textDistribution(
  counts: {
    readonly labels: readonly string[];
    readonly a: readonly number[];
    readonly b: readonly number[];
  },
  sizes: { readonly n: number; readonly m: number },
): ColumnDrift['distribution'] {
  const order = counts.labels
    .map((label, at) => ({
      label,
      reference: (counts.a[at] ?? 0) / (sizes.n || 1),
      current: (counts.b[at] ?? 0) / (sizes.m || 1),
    }))
    .toSorted((x, y) => y.reference + y.current - x.reference - x.current);
  const shown = order.slice(0, chartCategories);
  const rest = order.slice(chartCategories);
  if (rest.length > 0) {
    const total = (side: 'reference' | 'current'): number =>
      rest.reduce((sum, item) => sum + item[side], 0);
    shown.push({
      label: `${rest.length} others`,
      reference: total('reference'),
      current: total('current'),
    });
  }
  return {
    edges: null,
    labels: shown.map(({ label }) => label),
    reference: shown.map(({ reference }) => reference),
    current: shown.map(({ current }) => current),
  };
}
