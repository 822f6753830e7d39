import { useState } from 'react';
import type { Change, RecordForm } from '#shared/contract/records.ts';
import { client } from '../../app/client.ts';
import { ErrorNotice } from '../../app/ErrorNotice.tsx';
import { useAct } from '../../app/use-act.ts';
import { plural } from '../../lib/format.ts';
import { Button } from '../../ui/Button.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { Table } from '../../ui/Table.tsx';
import { exact } from './numbers.ts';

/** What would change the decision, with columns that cannot be changed left alone. */
export function ChangePanel({
  version,
  record,
  fields,
}: {
  readonly version: string;
  readonly record: Readonly<Record<string, string | null>>;
  readonly fields: RecordForm['fields'];
}) {
  const [immutable, setImmutable] = useState<readonly string[]>([]);
  const [change, setChange] = useState<Change>();
  const act = useAct();
  const look = (): void => {
    setChange(undefined);
    void act.run(async () => {
      setChange(await client.records.change({ version, record, immutable: [...immutable] }));
    });
  };
  return (
    <Panel
      title="What would change it"
      action={
        <Button size="small" onClick={look} disabled={act.pending}>
          {act.pending ? 'Looking…' : 'Look for the smallest change'}
        </Button>
      }
    >
      <div className="stack">
        <ErrorNotice error={act.error} />
        {change === undefined ? (
          <p className="quiet">Searches for the fewest columns, and the smallest steps of them.</p>
        ) : null}
        <div role="status">{change === undefined ? null : <Found change={change} />}</div>
        <details>
          <summary>
            {immutable.length === 0
              ? 'Columns that cannot be changed'
              : `${plural(immutable.length, 'column')} that cannot be changed`}
          </summary>
          <div className="record-fixed">
            {fields.map(({ name }) => (
              <label className="check" key={name}>
                <input
                  type="checkbox"
                  checked={immutable.includes(name)}
                  onChange={(event) =>
                    setImmutable(
                      event.currentTarget.checked
                        ? [...immutable, name]
                        : immutable.filter((each) => each !== name),
                    )
                  }
                />
                <span className="wrap-anywhere">{name}</span>
              </label>
            ))}
          </div>
        </details>
      </div>
    </Panel>
  );
}

function Found({ change }: { readonly change: Change }) {
  const { status, changes, changedValue, target, threshold, predictions } = change;
  if (status !== 'found' || changedValue === null)
    return (
      <p>
        {status === 'none'
          ? `No change of up to three columns was found that brings ${target} to the other side of ${exact(threshold)}; ${plural(predictions, 'record')} were tried.`
          : `Nothing was found before the search ended; ${plural(predictions, 'record')} were tried.`}
      </p>
    );
  return (
    <div className="stack">
      <p>
        {`${target} would be ${exact(changedValue)}, ${changedValue >= threshold ? 'at or above' : 'below'} ${exact(threshold)}, with ${changes.length === 1 ? 'this change' : 'these changes together'}:`}
      </p>
      <Table
        label="Changes"
        columns={[{ title: 'Column' }, { title: 'From' }, { title: 'To' }]}
        rows={changes.map(({ column, from, to, unit }) => ({
          key: column,
          cells: [unit === null ? column : `${column} (${unit})`, from ?? 'missing', to],
        }))}
      />
      <p className="quiet small">
        {`Tried on the model itself; ${plural(predictions, 'record')} were predicted. It says what the model would answer, and nothing of what causes what.`}
      </p>
    </div>
  );
}
