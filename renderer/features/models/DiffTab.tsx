import { useState } from 'react';
import type { VersionSummary } from '#shared/contract/models.ts';
import { client } from '../../app/client.ts';
import { Loaded } from '../../app/Page.tsx';
import { useQuery } from '../../app/use-query.ts';
import { Field } from '../../ui/Field.tsx';
import { Empty, Panel } from '../../ui/Panel.tsx';
import { Table } from '../../ui/Table.tsx';

/** Two versions side by side: only what differs. */
export function DiffTab({ versions }: { readonly versions: readonly VersionSummary[] }) {
  const references = versions.map(({ model, version }) => `${model}@${version}`);
  const [from, setFrom] = useState(references[1] ?? references[0] ?? '');
  const [to, setTo] = useState(references[0] ?? '');
  const diff = useQuery(`diff ${from} ${to}`, () => client.models.diff({ from, to }), ['models']);
  if (versions.length < 2) {
    return (
      <Panel>
        <Empty title="Only one version">
          When a second version comes in, the two can be compared here.
        </Empty>
      </Panel>
    );
  }
  const choice = (label: string, value: string, set: (value: string) => void) => (
    <Field label={label}>
      <select value={value} onChange={(event) => set(event.currentTarget.value)}>
        {references.map((reference) => (
          <option key={reference}>{reference}</option>
        ))}
      </select>
    </Field>
  );
  return (
    <>
      <div className="columns">
        {choice('From', from, setFrom)}
        {choice('To', to, setTo)}
      </div>
      <Panel title="What differs" flush>
        <Loaded query={diff}>
          {({ changes }) =>
            changes.length === 0 ? (
              <Empty title="No difference">
                The two versions are the same in files, signature, inputs, outputs and operators.
              </Empty>
            ) : (
              <Table
                label="Differences"
                columns={[{ title: 'What' }, { title: from }, { title: `${to} ` }]}
                rows={changes.map((change, at) => ({
                  key: String(at),
                  cells: [change.what, change.from ?? '', change.to ?? ''],
                }))}
              />
            )
          }
        </Loaded>
      </Panel>
    </>
  );
}
