import { useState } from 'react';
import { contract } from '#shared/contract/index.ts';
import type { FileVerdict } from '#shared/contract/audit.ts';
import { client } from '../../app/client.ts';
import { ErrorNotice } from '../../app/ErrorNotice.tsx';
import { FileDialog, type PickedPlace } from '../../app/FileDialog.tsx';
import { Loaded, Page } from '../../app/Page.tsx';
import { finished, useAct } from '../../app/use-act.ts';
import { useQuery } from '../../app/use-query.ts';
import { capital, listed, plural } from '../../lib/format.ts';
import { Button } from '../../ui/Button.tsx';
import { Digest } from '../../ui/Digest.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { Empty, Panel } from '../../ui/Panel.tsx';
import { State } from '../../ui/State.tsx';
import { Table } from '../../ui/Table.tsx';
import { Time } from '../../ui/Time.tsx';
import { MakeReportDialog } from './MakeReportDialog.tsx';

/** What each report answers, those that were made, and a place to check a file. */
export function ReportsPage() {
  const reports = useQuery('reports', () => client.reports.list(null), ['reports']);
  const [making, setMaking] = useState(false);
  const [picking, setPicking] = useState<'file' | 'input'>();
  const [checked, setChecked] = useState<{
    readonly file: PickedPlace;
    readonly verdict: FileVerdict;
  }>();
  const check = useAct();
  const verify = (file: PickedPlace, input?: PickedPlace): void => {
    void check.run(async () =>
      setChecked({
        file,
        verdict: await finished(
          contract.reports.verify,
          client.reports.verify({
            file: file.token,
            ...(input === undefined ? {} : { input: input.token }),
          }),
        ),
      }),
    );
  };
  return (
    <Page
      title="Reports"
      action={
        <>
          <Button disabled={check.pending} onClick={() => setPicking('file')}>
            Verify a file
          </Button>
          <Button kind="primary" onClick={() => setMaking(true)}>
            Make report
          </Button>
        </>
      }
    >
      <ErrorNotice error={check.error} />
      {checked === undefined ? null : (
        <Verdict
          name={checked.file.name}
          verdict={checked.verdict}
          onCompare={check.pending ? undefined : () => setPicking('input')}
        />
      )}
      <div className="columns" data-of="2">
        <Panel title="Production history: what was in use, and who decided it">
          <p className="small">
            Which version of which model was in production when, who asked and who approved, why,
            and what was scored with it. For auditors and supervisors. The PDF carries its own
            evidence: the log entries, a proof for each, the signed checkpoint and a signature over
            the whole file.
          </p>
        </Panel>
        <Panel title="Verify a file: is it what it says it is">
          <p className="small">
            A report, a receipt of a run, a proof, a checkpoint or an exported log that somebody
            handed to you. It is checked on this machine, with nothing but the file; a receipt is
            compared with the files that lie beside it, and with its input where that is given. To
            check one elsewhere, no vault is needed.
          </p>
        </Panel>
      </div>
      <Panel title="Made in this vault" flush>
        <Loaded query={reports}>
          {(list) =>
            list.length === 0 ? (
              <Empty title="No reports yet">
                Make one, and its digest stands here and in the log, so that the file can be
                recognised wherever it turns up.
              </Empty>
            ) : (
              <Table
                label="Reports"
                columns={[
                  { title: 'File' },
                  { title: 'Kind' },
                  { title: 'Made' },
                  { title: 'By' },
                  { title: 'Evidence' },
                  { title: 'Digest' },
                ]}
                rows={list.map((report) => ({
                  key: `${report.digest} ${report.at}`,
                  cells: [
                    report.name,
                    capital(report.kind.replace('-', ' ')),
                    <Time key="at" at={report.at} />,
                    report.actor,
                    plural(report.entries, 'entry', 'entries'),
                    <Digest key="digest" value={report.digest} />,
                  ],
                }))}
              />
            )
          }
        </Loaded>
      </Panel>
      {making ? <MakeReportDialog onClose={() => setMaking(false)} /> : null}
      {picking === 'file' ? (
        <FileDialog
          title="File to verify"
          pick="file"
          onPick={(file) => verify(file)}
          onClose={() => setPicking(undefined)}
        />
      ) : null}
      {picking === 'input' && checked !== undefined ? (
        <FileDialog
          title="What the run has read"
          pick="either"
          onPick={(input) => verify(checked.file, input)}
          onClose={() => setPicking(undefined)}
        />
      ) : null}
    </Page>
  );
}

const answers = {
  valid: { tone: 'ok', is: 'is valid' },
  incomplete: { tone: 'watch', is: 'could not be checked in full' },
  invalid: { tone: 'act', is: 'is invalid' },
} as const;

function Verdict({
  name,
  verdict,
  onCompare,
}: {
  readonly name: string;
  readonly verdict: FileVerdict;
  readonly onCompare: (() => void) | undefined;
}) {
  const failed = verdict.checks.filter(({ ok }) => ok === false).map((check) => check.name);
  const { tone, is } = answers[verdict.status];
  // Of a receipt: what is at fault can as well be the choice.
  const isOtherInput = failed.length === 1 && failed[0] === 'input';
  return (
    <div className="stack">
      <Notice tone={tone} title={`${name} ${isOtherInput ? 'is of another input' : is}`}>
        {verdict.kind === 'unknown'
          ? 'It is not something that Strongroom hands out.'
          : verdict.status === 'valid'
            ? `It is a ${verdict.kind}, and all ${verdict.checks.length} checks hold.`
            : verdict.status === 'incomplete'
              ? `It is a ${verdict.kind}, and what could be checked holds. Put the files that it names beside it and verify it again.`
              : isOtherInput
                ? 'It is a receipt, but what it was compared with is not what the run has read. Verify it again with the right file; if this is meant to be the right one, it was changed.'
                : `It passes for a ${verdict.kind}, but does not hold: ${listed(failed)}. Do not rely on it; ask whoever sent it for a fresh copy.`}
      </Notice>
      {verdict.unseen.map((text) => (
        <Notice
          key={text}
          tone="neutral"
          title="The input was not looked at"
          action={
            <Button size="small" disabled={onCompare === undefined} onClick={onCompare}>
              Compare the input
            </Button>
          }
        >
          {text}
        </Notice>
      ))}
      <Panel title="Checks" flush>
        <Table
          label="Checks"
          columns={[{ title: 'Check' }, { title: 'Result' }, { title: 'What was seen' }]}
          rows={verdict.checks.map((check) => ({
            key: `${check.name} ${check.detail}`,
            cells: [
              capital(check.name),
              <State key="ok" tone={check.ok === null ? 'watch' : check.ok ? 'ok' : 'act'}>
                {check.ok === null ? 'not checked' : check.ok ? 'holds' : 'fails'}
              </State>,
              check.detail,
            ],
          }))}
        />
      </Panel>
    </div>
  );
}
