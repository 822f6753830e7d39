import type { TensorSpec } from '#shared/contract/bundles.ts';
import { client } from '../../app/client.ts';
import { Loaded } from '../../app/Page.tsx';
import { useQuery } from '../../app/use-query.ts';
import { bytes, count } from '../../lib/format.ts';
import { Facts } from '../../ui/Facts.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { Table } from '../../ui/Table.tsx';

/** What the file says of the graph, read without loading it. */
export function GraphTab({ version }: { readonly version: string }) {
  const detail = useQuery(`version ${version}`, () => client.models.version({ version }), [
    'models',
  ]);
  return (
    <Loaded query={detail}>
      {({ facts }) => (
        <div className="columns">
          <Panel title="Graph">
            <Facts
              rows={[
                ['File', `${facts.path}, ${bytes(facts.sizeBytes)}`],
                ['Producer', facts.producer === '' ? 'not told' : facts.producer],
                ['IR version', facts.irVersion],
                [
                  'Operator sets',
                  facts.opsets.map(({ domain, version: at }) => `${domain} ${at}`).join(', '),
                ],
                ['Nodes', count(facts.nodes)],
                ['Parameters', count(facts.parameters)],
              ]}
            />
          </Panel>
          <Values title="Inputs" values={facts.inputs} />
          <Values title="Outputs" values={facts.outputs} />
          <Panel title="Operators" flush>
            <Table
              label="Operators"
              columns={[{ title: 'Operator' }, { title: 'Count', align: 'number' }]}
              rows={facts.operators.map(({ name, count: times }) => ({
                key: name,
                cells: [
                  <span key="name" className="mono">
                    {name}
                  </span>,
                  times,
                ],
              }))}
            />
          </Panel>
        </div>
      )}
    </Loaded>
  );
}

function Values({
  title,
  values,
}: {
  readonly title: string;
  readonly values: readonly TensorSpec[];
}) {
  return (
    <Panel title={title} flush>
      <Table
        label={title}
        columns={[{ title: 'Name' }, { title: 'Type' }, { title: 'Shape' }]}
        rows={values.map(({ name, type, shape }) => ({
          key: name,
          cells: [
            name,
            type,
            <span key="shape" className="mono">
              {shape.map((size) => size ?? '?').join(' × ')}
            </span>,
          ],
        }))}
      />
    </Panel>
  );
}
