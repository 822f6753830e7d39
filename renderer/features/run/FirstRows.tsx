import type { Preview } from '#shared/contract/runs.ts';
import { plural } from '../../lib/format.ts';
import { Panel } from '../../ui/Panel.tsx';
import { State, StateIcon } from '../../ui/State.tsx';
import { columnsOf, Table } from '../../ui/Table.tsx';
import { formatWords } from './format-words.ts';

/** The first rows as they stand in the file, with what would become of each. */
export function FirstRows({ preview }: { readonly preview: Preview }) {
  const { columns, rows, rejects, format } = preview;
  const reasons = new Map(rejects.map((reject) => [reject.row, reject]));
  return (
    <Panel title={`First ${plural(rows.length, 'row')} of the ${formatWords[format].input}`} flush>
      <Table
        label="First rows of the file"
        columns={[
          { title: 'Row', align: 'number' },
          { title: 'Fits' },
          ...columnsOf(columns, rows),
        ]}
        rows={rows.map((fields, at) => {
          const reject = reasons.get(at + 1);
          return {
            key: String(at),
            cells: [
              at + 1,
              reject === undefined ? (
                <StateIcon key="state" tone="ok" word="fits" />
              ) : (
                <State key="state" tone="act">
                  {`${reject.column === null ? '' : `${reject.column}: `}${reject.message}`}
                </State>
              ),
              ...fields,
            ],
          };
        })}
      />
    </Panel>
  );
}
