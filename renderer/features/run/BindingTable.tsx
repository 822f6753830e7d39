import type { BindingRow, Preview } from '#shared/contract/runs.ts';
import { listed, plural } from '../../lib/format.ts';
import { Notice } from '../../ui/Notice.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { StateIcon } from '../../ui/State.tsx';
import { Table } from '../../ui/Table.tsx';

/** Which column feeds which input, what does not fit first. */
export function BindingTable({ preview }: { readonly preview: Preview }) {
  const { binding, problems, unusedColumns, model, version } = preview;
  return (
    <>
      {problems.length > 0 ? (
        <Notice
          tone="act"
          title={`${plural(problems.length, 'input')} of ${model}@${version} cannot be filled from this file`}
        >
          {`${problems.slice(0, 3).join(' ')} ${problems.length > 3 ? `${plural(problems.length - 3, 'more problem')}: see the table. ` : ''}`}
          Nothing was run. Choose another file, or have the columns named as the model expects them.
        </Notice>
      ) : (
        <Notice tone="ok" title={`Every input of ${model}@${version} has its column`}>
          {unusedColumns.length === 0
            ? 'No column is left over.'
            : `Not used: ${listed(unusedColumns, 12)}.`}
        </Notice>
      )}
      <Panel title="Which column feeds which input" flush>
        <Table
          label="Binding of columns to inputs"
          columns={[
            { title: 'Fits' },
            { title: 'Column of the file' },
            { title: 'Input of the model' },
            { title: 'Type' },
            { title: 'First value' },
            ...(problems.length > 0 ? [{ title: 'Problem' }] : []),
          ]}
          rows={binding
            .toSorted((a, b) => Number(fits(a)) - Number(fits(b)))
            .map((row) => ({
              key: row.input,
              cells: [
                <StateIcon
                  key="fits"
                  tone={fits(row) ? 'ok' : 'act'}
                  word={fits(row) ? 'fits' : 'does not fit'}
                />,
                row.column ?? <span className="quiet">missing</span>,
                row.input,
                row.type,
                <span key="example" className="mono">
                  {row.example ?? ''}
                </span>,
                ...(problems.length > 0 ? [row.problem ?? ''] : []),
              ],
            }))}
        />
      </Panel>
    </>
  );
}

function fits({ column, problem }: BindingRow): boolean {
  return column !== null && problem === null;
}
