import { useState } from 'react';
import { contract } from '#shared/contract/index.ts';
import { auditActions } from '#shared/actions.ts';
import type { VerifyStatus } from '#shared/contract/audit.ts';
import { client } from '../../app/client.ts';
import { ErrorNotice } from '../../app/ErrorNotice.tsx';
import { FileDialog, type PickedPlace } from '../../app/FileDialog.tsx';
import { JobProgress } from '../../app/JobProgress.tsx';
import { Loaded, Page } from '../../app/Page.tsx';
import { SaveDialog } from '../../app/SaveDialog.tsx';
import { finished, useAct, useOperation } from '../../app/use-act.ts';
import { useQuery } from '../../app/use-query.ts';
import { count } from '../../lib/format.ts';
import { Button } from '../../ui/Button.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { Empty, Panel } from '../../ui/Panel.tsx';
import { CheckpointDialog } from './CheckpointDialog.tsx';
import { EntryPanel } from './EntryPanel.tsx';
import { Lines } from './Lines.tsx';

const pageSize = 500;

/** The log: filter, table, one entry in full, and the question whether it is whole. */
export function AuditPage({ index }: { readonly index: string | undefined }) {
  const [action, setAction] = useState('');
  const [actor, setActor] = useState('');
  const [text, setText] = useState('');
  const [before, setBefore] = useState<number>();
  const [verified, setVerified] = useState<VerifyStatus>();
  const [open, setOpen] = useState<'checkpoint' | 'export' | 'against'>();
  const [job, setJob] = useState<string>();
  const operation = useOperation(job);
  const act = useAct();
  const filter = {
    limit: pageSize,
    ...(before === undefined ? {} : { before }),
    ...(action === '' ? {} : { action: action as (typeof auditActions)[number] }),
    ...(actor === '' ? {} : { actor }),
    ...(text === '' ? {} : { text }),
  };
  const entries = useQuery(
    `log ${JSON.stringify(filter)}`,
    () => client.audit.list(filter),
    ['audit'],
    { keep: true },
  );
  const verify = (against?: PickedPlace): void => {
    void act.run(async () =>
      setVerified(
        await finished(
          contract.audit.verify,
          client.audit.verify(against === undefined ? {} : { against: [against.token] }),
          setJob,
        ),
      ),
    );
  };
  return (
    <Page
      title="Audit"
      action={
        <>
          <Button onClick={() => setOpen('checkpoint')}>Checkpoint</Button>
          <Button onClick={() => setOpen('export')}>Export log</Button>
          <Button disabled={act.pending} onClick={() => setOpen('against')}>
            Verify against a kept checkpoint
          </Button>
          <Button kind="primary" disabled={act.pending} onClick={() => verify()}>
            Verify log
          </Button>
        </>
      }
    >
      <ErrorNotice error={act.error} />
      {operation?.state === 'running' ? (
        <Panel>
          <JobProgress operation={operation} />
        </Panel>
      ) : null}
      {verified === undefined ? null : (
        <Notice
          tone={verified.status === 'intact' ? 'ok' : 'act'}
          title={verified.status === 'intact' ? 'The log is intact' : 'The log is broken'}
        >
          {verified.message}
        </Notice>
      )}
      <div className="row filters">
        <select
          aria-label="Action"
          value={action}
          onChange={(event) => setAction(event.currentTarget.value)}
        >
          <option value="">All actions</option>
          {auditActions.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <input
          aria-label="Person"
          placeholder="Person"
          value={actor}
          onChange={(event) => setActor(event.currentTarget.value)}
        />
        <input
          aria-label="Text"
          placeholder="Text in the entry"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        {before === undefined ? null : (
          <Button onClick={() => setBefore(undefined)}>Back to the newest</Button>
        )}
        {action === '' && actor === '' && text === '' ? null : (
          <Button
            kind="quiet"
            onClick={() => {
              setAction('');
              setActor('');
              setText('');
            }}
          >
            Clear the filter
          </Button>
        )}
      </div>
      <div className="split" data-wide="left">
        <Panel title="Entries" flush>
          <Loaded query={entries}>
            {({ entries: list, total }) =>
              list.length === 0 ? (
                <Empty title="Nothing fits">
                  No entry of the log fits the filter. Clear it, or look for part of a name.
                </Empty>
              ) : (
                <>
                  <Lines
                    entries={list.map(({ entry }) => entry)}
                    chosen={index === undefined ? undefined : Number(index)}
                  />
                  <div className="row more" data-between>
                    <span className="quiet small">
                      {count(list.length)} of {count(total)} shown
                    </span>
                    {list.length === pageSize ? (
                      <Button size="small" onClick={() => setBefore(list.at(-1)?.entry.index)}>
                        Older entries
                      </Button>
                    ) : null}
                  </div>
                </>
              )
            }
          </Loaded>
        </Panel>
        {index === undefined ? (
          <Panel>
            <Empty title="No entry chosen">
              Choose an entry to see all of it, what it belongs to, and the proof that it stands in
              the log.
            </Empty>
          </Panel>
        ) : (
          <EntryPanel index={Number(index)} />
        )}
      </div>
      {open === 'checkpoint' ? <CheckpointDialog onClose={() => setOpen(undefined)} /> : null}
      {open === 'export' ? (
        <SaveDialog
          title="Export log"
          explain="The whole log as a static tree with its checkpoint, for the tools of somebody else."
          label="Name of the new folder"
          name="strongroom-log"
          act="Write log"
          onClose={() => setOpen(undefined)}
          onSave={(target) => finished(contract.audit.export, client.audit.export(target))}
        />
      ) : null}
      {open === 'against' ? (
        <FileDialog
          title="Checkpoint that was kept outside"
          pick="file"
          onPick={verify}
          onClose={() => setOpen(undefined)}
        />
      ) : null}
    </Page>
  );
}
