import type { ColumnDrift } from '#shared/contract/monitor.ts';
import { compact, count, percent } from '../../lib/format.ts';
import { DistributionChart } from '../../ui/DistributionChart.tsx';
import { EffectBar } from '../../ui/EffectBar.tsx';
import { Facts } from '../../ui/Facts.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { testName } from '../../ui/words.ts';

/** One column: what moved in a sentence, how far beyond chance, its two distributions, the numbers. */
export function ColumnPanel({ column }: { readonly column: ColumnDrift }) {
  return (
    <Panel title={column.name}>
      <div className="stack">
        <p>{column.reason.replaceAll(' %', '\u00a0%')}</p>
        <EffectBar value={column.value} threshold={column.threshold} />
        <DistributionChart name={column.name} distribution={column.distribution} />
        <Facts
          rows={[
            ['Test', testName(column.method)],
            ['Effect', `${compact(column.value)}, the ${column.effect}`],
            ['Counts from', `${compact(column.threshold)}, for this many rows`],
            [
              'Chance (p)',
              column.adjustedPValue === null
                ? 'not tested'
                : column.adjustedPValue < 1e-12
                  ? 'below 10⁻¹²'
                  : `${column.adjustedPValue.toPrecision(2)}, adjusted for all columns`,
            ],
            [
              'Missing',
              `${percent(column.missing.current)}, in the reference ${percent(column.missing.reference)}`,
            ],
            ['Out of range', count(column.outOfRange)],
            ['Unseen categories', count(column.unseen)],
          ]}
        />
      </div>
    </Panel>
  );
}
