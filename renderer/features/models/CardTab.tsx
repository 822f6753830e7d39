import { client } from '../../app/client.ts';
import { Loaded } from '../../app/Page.tsx';
import { useQuery } from '../../app/use-query.ts';
import { Facts } from '../../ui/Facts.tsx';
import { Empty, Panel } from '../../ui/Panel.tsx';
import { Table } from '../../ui/Table.tsx';

/** What the maker says of the model. */
export function CardTab({ version }: { readonly version: string }) {
  const detail = useQuery(`version ${version}`, () => client.models.version({ version }), [
    'models',
  ]);
  return (
    <Loaded query={detail}>
      {({ card }) =>
        card === null ? (
          <Panel>
            <Empty title="No model card">
              The bundle has no bom.cdx.json. Ask its maker what the model is for, and where it
              fails.
            </Empty>
          </Panel>
        ) : (
          <>
            <Panel title={`${card.name ?? version} ${card.version ?? ''}`}>
              <div className="stack">
                <p>{card.description}</p>
                <Facts
                  rows={[
                    ['Task', card.task ?? 'not told'],
                    ['Approach', card.approach ?? 'not told'],
                    ['Architecture', card.architecture ?? 'not told'],
                    ['Licences', card.licences.join(', ') || 'not told'],
                    ['Made for', <List key="use" items={card.useCases} />],
                    ['Limits', <List key="limits" items={card.limitations} />],
                    ['Ethics', <List key="ethics" items={card.ethics} />],
                  ]}
                />
              </div>
            </Panel>
            <Panel title="Measured by the maker" flush>
              <Table
                label="Metrics"
                columns={[
                  { title: 'Metric' },
                  { title: 'Value', align: 'number' },
                  { title: '95 % interval' },
                  { title: 'On' },
                ]}
                rows={card.metrics.map((metric, at) => ({
                  key: String(at),
                  cells: [
                    metric.type,
                    metric.value,
                    metric.low === null ? 'not told' : `${metric.low} to ${metric.high}`,
                    metric.slice ?? '',
                  ],
                }))}
              />
            </Panel>
          </>
        )
      }
    </Loaded>
  );
}

function List({ items }: { readonly items: readonly string[] }) {
  if (items.length === 0) return <>not told</>;
  return (
    <ul>
      {items.map((item) => (
        <li key={item}>{item}</li>
      ))}
    </ul>
  );
}
