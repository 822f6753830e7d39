import { useState } from 'react';
import { contract } from '#shared/contract/index.ts';
import type {
  ReasonTexts,
  ReasonTextsState,
  RecordForm,
  StoredReasonTexts,
} from '#shared/contract/records.ts';
import { client } from '../../app/client.ts';
import { ErrorNotice } from '../../app/ErrorNotice.tsx';
import { Loaded, Page } from '../../app/Page.tsx';
import { go } from '../../app/routes.ts';
import { useMay, useSession } from '../../app/session.ts';
import { useAct } from '../../app/use-act.ts';
import { useQuery } from '../../app/use-query.ts';
import { localTime } from '../../lib/format.ts';
import { Button } from '../../ui/Button.tsx';
import { Facts } from '../../ui/Facts.tsx';
import { Field } from '../../ui/Field.tsx';
import { Empty, Panel } from '../../ui/Panel.tsx';
import { State } from '../../ui/State.tsx';
import { Table } from '../../ui/Table.tsx';

/** What people are told of reasons: proposed by one person, approved by another, kept with the version. */
export function ReasonTextsPage({ version }: { readonly version: string }) {
  const state = useQuery(`texts ${version}`, () => client.records.reasonTexts({ version }), [
    'models',
  ]);
  const may = useMay();
  const [writing, setWriting] = useState(false);
  return (
    <Loaded query={state}>
      {(shown) => (
        <Page
          title={`Texts of reasons of ${shown.model}@${shown.version}`}
          action={
            <>
              <Button onClick={() => go('run', 'record', version)}>Back to the record</Button>
              {may(contract.records.proposeTexts) && !writing ? (
                <Button kind="primary" onClick={() => setWriting(true)}>
                  Propose texts
                </Button>
              ) : null}
            </>
          }
        >
          {writing ? (
            <Writing version={version} state={shown} onDone={() => setWriting(false)} />
          ) : (
            <Shown version={version} state={shown} />
          )}
        </Page>
      )}
    </Loaded>
  );
}

function Shown({ version, state }: { readonly version: string; readonly state: ReasonTextsState }) {
  const may = useMay();
  const { user } = useSession();
  const act = useAct();
  const { approved, proposed } = state;
  const approve = (digest: string): void =>
    void act.run(() => client.records.approveTexts({ version, digest }));
  return (
    <>
      <ErrorNotice error={act.error} />
      {proposed === null ? null : (
        <Panel
          title="Waits for approval"
          action={
            may(contract.records.approveTexts) && proposed.proposedBy !== user ? (
              <Button
                kind="primary"
                size="small"
                disabled={act.pending}
                onClick={() => approve(proposed.digest)}
              >
                Approve these texts
              </Button>
            ) : (
              <State tone="watch">needs an approver</State>
            )
          }
        >
          <Texts texts={proposed} />
        </Panel>
      )}
      {approved === null ? null : (
        <Panel title="Approved" action={<State tone="ok">may be told</State>}>
          <Texts texts={approved} />
        </Panel>
      )}
      {approved === null && proposed === null ? (
        <Panel>
          <Empty title="No texts yet">
            An analyst says which side of the threshold is adverse and writes a sentence for each
            column that may be a reason; an approver approves them. Without that nothing is told to
            anybody.
          </Empty>
        </Panel>
      ) : null}
    </>
  );
}

function Texts({ texts }: { readonly texts: StoredReasonTexts }) {
  const by =
    texts.approvedBy === null || texts.approvedAt === null
      ? []
      : ([['Approved', `${texts.approvedBy}, ${localTime(texts.approvedAt)}`]] as const);
  return (
    <div className="stack">
      <Facts
        rows={[
          [
            'Adverse',
            texts.adverse === 'below' ? 'below the threshold' : 'at or above the threshold',
          ],
          ['Reasons told', `up to ${texts.most}`],
          ['Proposed', `${texts.proposedBy}, ${localTime(texts.proposedAt)}`],
          ...by,
        ]}
      />
      <Table
        label="Texts"
        columns={[{ title: 'Column' }, { title: 'What is told' }]}
        rows={texts.texts.map(({ column, text }) => ({ key: column, cells: [column, text] }))}
      />
    </div>
  );
}

function Writing({
  version,
  state,
  onDone,
}: {
  readonly version: string;
  readonly state: ReasonTextsState;
  readonly onDone: () => void;
}) {
  const form = useQuery(`form ${version}`, () => client.records.form({ version }), []);
  return (
    <Loaded query={form}>
      {(shown) => (
        <WritingForm
          version={version}
          fields={shown.fields}
          before={state.proposed ?? state.approved}
          onDone={onDone}
        />
      )}
    </Loaded>
  );
}

function WritingForm({
  version,
  fields,
  before,
  onDone,
}: {
  readonly version: string;
  readonly fields: RecordForm['fields'];
  readonly before: ReasonTexts | null;
  readonly onDone: () => void;
}) {
  const [adverse, setAdverse] = useState<ReasonTexts['adverse']>(before?.adverse ?? 'at-or-above');
  const [most, setMost] = useState(before?.most ?? 4);
  const [texts, setTexts] = useState<Readonly<Record<string, string>>>(
    Object.fromEntries(before?.texts.map(({ column, text }) => [column, text]) ?? []),
  );
  const act = useAct();
  const propose = (): void =>
    void act.run(async () => {
      const written = fields.flatMap(({ name }) => {
        const text = (texts[name] ?? '').trim();
        return text === '' ? [] : [{ column: name, text }];
      });
      await client.records.proposeTexts({ version, texts: { adverse, most, texts: written } });
      onDone();
    });
  return (
    <form
      className="stack"
      data-gap="large"
      onSubmit={(event) => {
        event.preventDefault();
        propose();
      }}
    >
      <ErrorNotice error={act.error} />
      <Panel title="What is adverse, and what is told of it">
        <div className="stack">
          <div className="columns">
            <Field
              label="An adverse decision is"
              hint="The side of the threshold that a person would not want."
            >
              <select
                value={adverse}
                onChange={(event) =>
                  setAdverse(event.currentTarget.value === 'below' ? 'below' : 'at-or-above')
                }
              >
                <option value="at-or-above">at or above the threshold</option>
                <option value="below">below the threshold</option>
              </select>
            </Field>
            <Field
              label="Reasons that are told at most"
              hint="More than four help nobody to understand."
            >
              <input
                type="number"
                min={1}
                max={10}
                value={most}
                onChange={(event) => setMost(Number(event.currentTarget.value))}
              />
            </Field>
          </div>
          <div className="record-texts">
            {fields.map(({ name, description }) => (
              <Field
                key={name}
                label={name}
                {...(description === null ? {} : { hint: description })}
              >
                <input
                  value={texts[name] ?? ''}
                  maxLength={500}
                  placeholder="not to be told"
                  onChange={(event) => {
                    const { value } = event.currentTarget;
                    setTexts((all) => ({ ...all, [name]: value }));
                  }}
                />
              </Field>
            ))}
          </div>
        </div>
      </Panel>
      <div className="row">
        <Button submit kind="primary" disabled={act.pending}>
          Propose these texts
        </Button>
        <Button kind="quiet" onClick={onDone}>
          Cancel
        </Button>
      </div>
    </form>
  );
}
