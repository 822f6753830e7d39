import { useState } from 'react';
import { contract } from '#shared/contract/index.ts';
import type { ResultOf } from '#shared/rpc.ts';
import { client } from '../../app/client.ts';
import { EraseDialog } from '../../app/EraseDialog.tsx';
import { ErrorNotice } from '../../app/ErrorNotice.tsx';
import { linkTo } from '../../app/routes.ts';
import { useMay } from '../../app/session.ts';
import { useAct } from '../../app/use-act.ts';
import { Button } from '../../ui/Button.tsx';
import { Field } from '../../ui/Field.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { Table } from '../../ui/Table.tsx';
import { Time } from '../../ui/Time.tsx';
import { count, plural } from '../../lib/format.ts';
import { textOf } from '../../lib/form.ts';

interface Found extends ResultOf<(typeof contract)['erasure']['showSubject']> {
  readonly subject: string;
}

/** Answers the question of one person: what is kept on me, and can it go? */
export function PersonPanel() {
  const may = useMay();
  const { run, pending, error, clear } = useAct();
  const [found, setFound] = useState<Found>();
  const [erasing, setErasing] = useState(false);
  return (
    <Panel title="One person">
      <div className="stack">
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            const subject = textOf(new FormData(event.currentTarget), 'subject');
            setFound(undefined);
            void run(async () =>
              setFound({ subject, ...(await client.erasure.showSubject({ subject })) }),
            );
          }}
        >
          <Field
            label="Id, as it stands in the column that tells whom a row is about"
            hint="It goes into no table and no log entry. The log says that somebody has asked."
          >
            <input
              name="subject"
              required
              maxLength={1000}
              autoComplete="off"
              spellCheck={false}
              onChange={() => {
                clear();
                setFound(undefined);
              }}
            />
          </Field>
          <div className="row">
            <Button submit disabled={pending}>
              See what is kept
            </Button>
            {found !== undefined && may(contract.erasure.subject) ? (
              <Button kind="danger" onClick={() => setErasing(true)}>
                Erase this person…
              </Button>
            ) : null}
          </div>
        </form>
        <ErrorNotice error={error} />
        {found === undefined ? null : (
          <Table
            label={`${plural(found.rows, 'row')} kept on this person`}
            columns={[
              { title: 'Run' },
              { title: 'Version' },
              { title: 'Kept' },
              { title: 'Rows', align: 'number' },
            ]}
            rows={found.runs.map(({ runId, model, version, keptAt, rows }) => ({
              key: runId,
              cells: [
                <a key="run" href={linkTo('run', 'result', runId)}>
                  {runId}
                </a>,
                `${model}@${version}`,
                <Time key="at" at={keptAt} />,
                count(rows),
              ],
            }))}
          />
        )}
      </div>
      {erasing && found !== undefined ? (
        <EraseDialog
          title="Erase one person"
          explain={`The key of ${plural(found.rows, 'row')} in ${plural(found.runs.length, 'run')} is destroyed. The rows of everybody else stay readable. The reason must not name the person.`}
          confirm={found.subject}
          onClose={() => {
            setErasing(false);
            setFound(undefined);
          }}
          onErase={(reason) => client.erasure.subject({ subject: found.subject, reason })}
        />
      ) : null}
    </Panel>
  );
}
