import { useState } from 'react';
import { contract } from '#shared/contract/index.ts';
import type { ResultOf } from '#shared/rpc.ts';
import { bytes } from '#shared/words.ts';
import { client } from '../../app/client.ts';
import { EraseDialog } from '../../app/EraseDialog.tsx';
import { Loaded } from '../../app/Page.tsx';
import { linkTo } from '../../app/routes.ts';
import { useMay } from '../../app/session.ts';
import { useQuery } from '../../app/use-query.ts';
import { Button } from '../../ui/Button.tsx';
import { Empty, Panel } from '../../ui/Panel.tsx';
import { State } from '../../ui/State.tsx';
import { Table } from '../../ui/Table.tsx';
import { Time } from '../../ui/Time.tsx';
import { count, plural } from '../../lib/format.ts';
import { ClocksDialog, kindWords } from './ClocksDialog.tsx';
import { PersonPanel } from './PersonPanel.tsx';

type Overview = ResultOf<(typeof contract)['erasure']['overview']>;

/** What the vault keeps, for how long, and what has been kept for longer. */
export function StorageTab() {
  const may = useMay();
  const overview = useQuery('erasure', () => client.erasure.overview(null), [
    'runs',
    'models',
    'policy',
  ]);
  return (
    <>
      <Loaded query={overview}>
        {(shown) => (
          <>
            <Kept overview={shown} />
            <Due overview={shown} />
          </>
        )}
      </Loaded>
      {may(contract.erasure.showSubject) ? <PersonPanel /> : null}
    </>
  );
}

function Kept({ overview }: { readonly overview: Overview }) {
  const may = useMay();
  const [changing, setChanging] = useState(false);
  const { kinds, retention } = overview;
  return (
    <Panel
      title="What is kept, and for how long"
      action={
        may(contract.policy.set) ? (
          <Button size="small" onClick={() => setChanging(true)}>
            Change clocks
          </Button>
        ) : null
      }
      flush
    >
      <Table
        label="What is kept, by kind"
        columns={[
          { title: 'Kind' },
          { title: 'Kept now', align: 'number' },
          { title: 'Size', align: 'number' },
          { title: 'Kept for' },
          { title: 'State' },
        ]}
        rows={[
          ...kinds.map(({ kind, count: number, bytes: size, due }) => {
            const days = retention[kind];
            return {
              key: kind,
              cells: [
                <strong key="kind">{kindWords[kind].title}</strong>,
                count(number),
                kind === 'runRecords' ? '' : bytes(size),
                days === null ? 'for ever' : `${plural(days, 'day')} ${kindWords[kind].from}`,
                <State key="state" tone={due === 0 ? 'ok' : 'watch'}>
                  {due === 0 ? 'nothing due' : `${count(due)} due`}
                </State>,
              ],
            };
          }),
          {
            key: 'log',
            cells: [
              <strong key="kind">Entries of the log</strong>,
              '',
              '',
              'for ever',
              <State key="state" tone="neutral">
                never erased
              </State>,
            ],
          },
        ]}
      />
      {changing ? <ClocksDialog retention={retention} onClose={() => setChanging(false)} /> : null}
    </Panel>
  );
}

function Due({ overview }: { readonly overview: Overview }) {
  const may = useMay();
  const [erasing, setErasing] = useState(false);
  const { due, kinds } = overview;
  const all = kinds.reduce((sum, kind) => sum + kind.due, 0);
  return (
    <Panel
      title="Due for erasure"
      action={
        may(contract.erasure.due) && due.length > 0 ? (
          <Button size="small" onClick={() => setErasing(true)}>
            Erase what is due…
          </Button>
        ) : null
      }
      flush
    >
      {due.length === 0 ? (
        <Empty title="Nothing is due">
          Nothing has been kept for longer than the clocks allow. Nothing is ever erased by itself.
        </Empty>
      ) : (
        <Table
          label="Due for erasure"
          columns={[{ title: 'What' }, { title: 'Kind' }, { title: 'Since' }, { title: 'Due' }]}
          rows={due.map(({ kind, id, since, dueAt }) => ({
            key: `${kind} ${id}`,
            cells: [
              <a
                key="id"
                href={
                  id.includes('@')
                    ? linkTo('models', id.slice(0, id.lastIndexOf('@')))
                    : linkTo('run', 'result', id)
                }
              >
                {id}
              </a>,
              kindWords[kind].title,
              <Time key="since" at={since} />,
              <Time key="due" at={dueAt} />,
            ],
          }))}
        />
      )}
      {erasing ? (
        <EraseDialog
          title={`Erase ${plural(all, 'thing')} that ${all === 1 ? 'is' : 'are'} due`}
          explain="Their keys are destroyed. The log says by which rule, and its proofs stay whole."
          confirm="erase"
          onClose={() => setErasing(false)}
          onErase={(reason) => client.erasure.due({ reason })}
        />
      ) : null}
    </Panel>
  );
}
