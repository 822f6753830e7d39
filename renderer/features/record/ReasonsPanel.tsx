import { useState } from 'react';
import type { Reasons } from '#shared/contract/records.ts';
import { client } from '../../app/client.ts';
import { ErrorNotice } from '../../app/ErrorNotice.tsx';
import { go } from '../../app/routes.ts';
import { useAct } from '../../app/use-act.ts';
import { useQuery } from '../../app/use-query.ts';
import { percent } from '../../lib/format.ts';
import { Button } from '../../ui/Button.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { Table } from '../../ui/Table.tsx';
import { signed } from './numbers.ts';

/** Below it, another draw of people to compare with may well give other reasons. */
const steady = 0.8;

/** The principal reasons of an adverse decision, and what may be told to the person. */
export function ReasonsPanel({
  version,
  record,
}: {
  readonly version: string;
  readonly record: Readonly<Record<string, string | null>>;
}) {
  const texts = useQuery(`texts ${version}`, () => client.records.reasonTexts({ version }), [
    'models',
  ]);
  const [reasons, setReasons] = useState<Reasons>();
  const act = useAct();
  const isReady = texts.data !== undefined && (texts.data.approved ?? texts.data.proposed) !== null;
  return (
    <Panel
      title="Reasons"
      action={
        isReady ? (
          <Button
            size="small"
            disabled={act.pending}
            onClick={() =>
              void act.run(async () =>
                setReasons(await client.records.reasons({ version, record })),
              )
            }
          >
            {act.pending ? 'Comparing…' : 'Name the reasons'}
          </Button>
        ) : texts.data === undefined ? null : (
          <Button size="small" onClick={() => go('run', 'reasons', version)}>
            Write the texts of reasons
          </Button>
        )
      }
    >
      <div className="stack">
        <ErrorNotice error={texts.error ?? act.error} />
        {texts.data !== undefined && !isReady ? (
          <p className="quiet">
            Nobody has said yet which decision is adverse and what people are told.
          </p>
        ) : null}
        {isReady && reasons === undefined ? (
          <p className="quiet">Compares the record with those of the reference who just passed.</p>
        ) : null}
        <div role="status">{reasons === undefined ? null : <Named reasons={reasons} />}</div>
      </div>
    </Panel>
  );
}

function Named({ reasons }: { readonly reasons: Reasons }) {
  if (reasons.status === 'not-adverse')
    return <p>The decision is not adverse, so there is nothing to give reasons for.</p>;
  return (
    <div className="stack">
      <p className="small">
        {`Compared with ${reasons.rows} rows of the reference that just passed. The same reasons came out in ${percent(reasons.sameSet)} of ${reasons.draws} draws of such rows.`}
      </p>
      {reasons.sameSet < steady ? (
        <Notice tone="watch" title="These reasons are not stable">
          Which of them come first hangs on who is compared with. Look at the contributions before
          anybody is told.
        </Notice>
      ) : null}
      <Table
        label="Reasons"
        columns={[
          { title: 'Column' },
          { title: 'Value' },
          { title: 'Push', align: 'number' },
          { title: 'Stable', align: 'number' },
        ]}
        rows={reasons.reasons.map(({ column, value, push, stability }) => ({
          key: column,
          cells: [
            column,
            value ?? 'missing',
            signed(push, reasons.reasons[0]?.push ?? 0),
            percent(stability),
          ],
        }))}
      />
      {reasons.notice === null ? (
        <Notice tone="watch" title="Nothing of this may be printed">
          Not every reason has a text that an approver has approved.
        </Notice>
      ) : (
        <section className="stack" aria-label="What the person may be told">
          <h3>What the person may be told</h3>
          <ol className="steps">
            {reasons.notice.map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ol>
        </section>
      )}
    </div>
  );
}
