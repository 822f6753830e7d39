import type { Explanation } from '#shared/contract/records.ts';
import type { AppError } from '#shared/errors.ts';
import { ErrorNotice } from '../../app/ErrorNotice.tsx';
import { count, plural } from '../../lib/format.ts';
import { ContributionChart, type Contribution } from '../../ui/ContributionChart.tsx';
import { Loading, Panel } from '../../ui/Panel.tsx';
import { Table } from '../../ui/Table.tsx';
import { exact, signed } from './numbers.ts';

export interface ExplainedState {
  readonly explanation: Explanation | undefined;
  /** A finer one is under way. */
  readonly pending: boolean;
  readonly error?: AppError;
}

const mostBars = 12;

const methods = {
  linear: 'Exact: the model is linear in its columns.',
  trees: 'Exact: every leaf that the trees can come to was counted.',
  sampling: 'Shapley values by sampling; the thin lines are one standard error.',
} as const;

/** How the prediction comes about: from the mean of the reference, column by column. */
export function Contributions({
  state: { explanation, pending, error },
}: {
  readonly state: ExplainedState;
}) {
  return (
    <Panel
      title="Why"
      action={
        pending ? (
          <span className="quiet small" role="status">
            {explanation === undefined ? 'Explaining…' : 'Refining…'}
          </span>
        ) : null
      }
    >
      <ErrorNotice error={error} />
      {explanation !== undefined ? (
        <Explained explanation={explanation} />
      ) : error === undefined ? (
        <Loading lines={6} />
      ) : null}
    </Panel>
  );
}

function Explained({ explanation }: { readonly explanation: Explanation }) {
  const { target, value, base, scale, method, rows, contributions } = explanation;
  const name = scale === 'log-odds' ? `The log-odds of ${target}` : target;
  const sorted = contributions.toSorted(
    (a, b) => Math.abs(b.contribution) - Math.abs(a.contribution),
  );
  const largest = sorted[0]?.contribution ?? 0;
  return (
    <figure className="stack">
      <p className="small">
        {`${name}: ${exact(base)} on average over ${plural(rows, 'row')} of the reference, ${exact(value)} for this record. Each column’s share of the way:`}
      </p>
      <ContributionChart
        label={`Contributions to ${target}, the largest first: ${sorted
          .slice(0, 3)
          .map((each) => `${each.column} ${signed(each.contribution, largest)}`)
          .join(', ')}`}
        rows={barsOf(sorted)}
      />
      <figcaption className="quiet small">
        {`${methods[method]} ${method === 'sampling' ? `${count(explanation.predictions)} predictions.` : ''}`}
      </figcaption>
      <details>
        <summary>All numbers</summary>
        <Table
          label="Contributions"
          columns={[
            { title: 'Column' },
            { title: 'Value' },
            { title: 'Contribution', align: 'number' },
            { title: 'Error', align: 'number' },
          ]}
          rows={sorted.map((each) => ({
            key: each.column,
            cells: [
              each.column,
              each.value ?? 'missing',
              signed(each.contribution, largest / 10),
              each.error === null
                ? 'not known'
                : each.error === 0
                  ? '0'
                  : `± ${Number(each.error.toPrecision(2))}`,
            ],
          }))}
        />
      </details>
    </figure>
  );
}

/** The largest ones, and all others together. */
function barsOf(sorted: Explanation['contributions']): Contribution[] {
  const largest = sorted[0]?.contribution ?? 0;
  const shown = sorted.length <= mostBars ? sorted : sorted.slice(0, mostBars - 1);
  const rest = sorted.slice(shown.length);
  const bars = shown.map(({ column, value, contribution, error }) => ({
    name: column,
    holds: `= ${value ?? 'missing'}`,
    amount: contribution,
    error: error ?? 0,
    text: signed(contribution, largest),
  }));
  if (rest.length === 0) return bars;
  const amount = rest.reduce((sum, { contribution }) => sum + contribution, 0);
  // Their errors hang together, so none is told of the sum.
  return [
    ...bars,
    {
      name: `${rest.length} other columns`,
      holds: '',
      amount,
      error: 0,
      text: signed(amount, largest),
    },
  ];
}
