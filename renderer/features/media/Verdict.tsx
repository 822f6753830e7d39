import { useEffect, useState } from 'react';
import { contract } from '#shared/contract/index.ts';
import type { Finding, ImportResult, InspectReport } from '#shared/contract/bundles.ts';
import { client } from '../../app/client.ts';
import { ErrorNotice } from '../../app/ErrorNotice.tsx';
import type { PickedPlace } from '../../app/FileDialog.tsx';
import { JobProgress } from '../../app/JobProgress.tsx';
import { Page } from '../../app/Page.tsx';
import { go } from '../../app/routes.ts';
import { useMay } from '../../app/session.ts';
import { finished, useAct, useOperation } from '../../app/use-act.ts';
import { bytes, count, plural } from '../../lib/format.ts';
import { Button } from '../../ui/Button.tsx';
import { Digest } from '../../ui/Digest.tsx';
import { Facts } from '../../ui/Facts.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { Loading, Panel } from '../../ui/Panel.tsx';
import { State } from '../../ui/State.tsx';
import { Table } from '../../ui/Table.tsx';
import { levelTone } from '../../ui/words.ts';
import { OverrideDialog, type Override } from './OverrideDialog.tsx';

/** One screen, one question: may this bundle come in? */
export function Verdict({
  source,
  onBack,
}: {
  readonly source: PickedPlace;
  readonly onBack: () => void;
}) {
  const inspect = useAct();
  const bringIn = useAct();
  const may = useMay();
  const [report, setReport] = useState<InspectReport>();
  const [imported, setImported] = useState<ImportResult>();
  const [job, setJob] = useState<string>();
  const [overriding, setOverriding] = useState(false);
  const operation = useOperation(job);
  useEffect(() => {
    void inspect.run(async () =>
      setReport(
        await finished(
          contract.bundles.inspect,
          client.bundles.inspect({ source: source.token }),
          setJob,
        ),
      ),
    );
    // Once per bundle.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [source.token]);

  const start = (override?: Override): Promise<boolean> =>
    bringIn.run(async () => {
      const input = { source: source.token, ...(override === undefined ? {} : { override }) };
      setImported(await finished(contract.bundles.import, client.bundles.import(input), setJob));
    });
  const title = `Bundle ${report?.name ?? source.name}`;
  const busy =
    operation?.state === 'running' ? (
      <Panel>
        <JobProgress operation={operation} />
      </Panel>
    ) : null;
  if (imported !== undefined) return <Imported result={imported} onBack={onBack} />;
  const act =
    report === undefined || !may(contract.bundles.import) ? null : report.verdict === 'accept' ? (
      <Button kind="primary" disabled={bringIn.pending} onClick={() => void start()}>
        {`Import ${report.name}`}
      </Button>
    ) : report.overridable ? (
      <Button kind="danger" disabled={bringIn.pending} onClick={() => setOverriding(true)}>
        Let it in all the same…
      </Button>
    ) : null;
  return (
    <Page
      title={title}
      action={
        <>
          <Button onClick={onBack}>Back to media</Button>
          {act}
        </>
      }
    >
      <ErrorNotice error={inspect.error ?? bringIn.error} />
      {busy}
      {report === undefined ? (
        inspect.error === undefined ? (
          <Panel>
            <Loading />
          </Panel>
        ) : null
      ) : (
        <ReportView report={report} />
      )}
      {overriding && report !== undefined ? (
        <OverrideDialog
          name={report.name}
          onClose={() => setOverriding(false)}
          onConfirm={start}
          error={bringIn.error}
        />
      ) : null}
    </Page>
  );
}

function ReportView({ report }: { readonly report: InspectReport }) {
  const { verdict, overridable, summary, signature, findings, model, card, files } = report;
  const tone = verdict === 'accept' ? 'ok' : overridable ? 'watch' : 'act';
  const headline =
    verdict === 'accept' ? 'Can be imported' : overridable ? 'Needs a decision' : 'Refused';
  const errors = findings.filter(({ level }) => level !== 'note');
  return (
    <>
      <div className="verdict" data-tone={tone}>
        <h2>{headline}</h2>
        <p>{summary}</p>
      </div>
      <div className="columns">
        <Panel title="Who signed it">
          <div className="stack">
            <State
              tone={
                signature.status === 'verified'
                  ? 'ok'
                  : signature.status === 'invalid'
                    ? 'act'
                    : 'watch'
              }
            >
              {signature.status}
            </State>
            <Facts
              rows={[
                ['Signer', signature.signer ?? 'unknown'],
                ['Method', signature.method ?? 'none'],
                [
                  'Key',
                  signature.keyId === null ? (
                    'none'
                  ) : (
                    <span className="mono wrap-anywhere">{signature.keyId}</span>
                  ),
                ],
              ]}
            />
            <p className="quiet small">{signature.reason}</p>
          </div>
        </Panel>
        <Panel title="What is inside">
          <Facts
            rows={[
              ['Form', report.format],
              ['Files', `${plural(files.length, 'file')}, ${bytes(report.totalBytes)}`],
              ['Model', model === null ? 'none that can be read' : model.path],
              ['Inputs', model === null ? '' : plural(model.inputs.length, 'input')],
              ['Outputs', model === null ? '' : model.outputs.map(({ name }) => name).join(', ')],
              [
                'Graph',
                model === null
                  ? ''
                  : `${plural(model.nodes, 'node')}, ${plural(model.parameters, 'parameter')}`,
              ],
              ['Card', card === null ? 'none' : `${card.name ?? ''} ${card.version ?? ''}`],
              ['Golden vectors', report.goldenCases === 0 ? 'none' : count(report.goldenCases)],
              ['Reference data', report.hasReference ? 'yes' : 'none'],
              ['Manifest', <Digest key="digest" value={report.manifestDigest} />],
            ]}
          />
        </Panel>
        <Panel title="What was found">
          {findings.length === 0 ? (
            <p>Nothing that speaks against it.</p>
          ) : (
            <p>
              {errors.length === 0
                ? 'Notes only; they are listed below.'
                : `${plural(errors.length, 'finding')} to look at, listed below.`}
            </p>
          )}
          {card?.description === null || card === null ? null : (
            <p className="quiet">{card.description}</p>
          )}
        </Panel>
        <Panel title="What will happen">
          <ul className="stack">
            <li>The files are read once: hashed, encrypted and stored at the same time.</li>
            <li>
              The model is loaded for the first time in an isolated process
              {report.goldenCases > 0 ? ', and must compute its golden vectors' : ''}.
            </li>
            <li>It becomes a new version that may run here, and nobody can change.</li>
            <li>The log keeps who brought it in, and what the gate saw.</li>
          </ul>
        </Panel>
      </div>
      {findings.length === 0 ? null : (
        <Panel title="Findings" flush>
          <Table
            label="Findings"
            columns={[
              { title: 'Level' },
              { title: 'Rule' },
              { title: 'Where' },
              { title: 'What was seen, and what to do' },
            ]}
            rows={findings.map((finding, at) => ({
              key: `${finding.ruleId} ${at}`,
              cells: findingCells(finding),
            }))}
          />
        </Panel>
      )}
      <Panel title="Files" flush>
        <Table
          label="Files"
          columns={[{ title: 'Path' }, { title: 'Size', align: 'number' }, { title: 'Digest' }]}
          rows={files.map((file) => ({
            key: file.path,
            cells: [
              <span key="path" className="mono wrap-anywhere">
                {file.path}
              </span>,
              bytes(file.bytes),
              <Digest key="digest" value={`sha256:${file.sha256}`} />,
            ],
          }))}
        />
      </Panel>
    </>
  );
}

function findingCells({ level, ruleId, title, path, message, help }: Finding) {
  return [
    <State key="level" tone={levelTone(level)}>
      {level}
    </State>,
    <div key="rule">
      <strong>{title}</strong>
      <div className="quiet small mono">{ruleId}</div>
    </div>,
    <span key="path" className="mono wrap-anywhere">
      {path === '' ? 'the bundle' : path}
    </span>,
    <div key="message">
      {message}
      <div className="quiet">{help}</div>
    </div>,
  ];
}

function Imported({
  result,
  onBack,
}: {
  readonly result: ImportResult;
  readonly onBack: () => void;
}) {
  const reference = `${result.modelName}@${result.version}`;
  return (
    <Page
      title={`Imported ${reference}`}
      action={
        <>
          <Button onClick={onBack}>Back to media</Button>
          <Button kind="primary" onClick={() => go('models', result.modelName)}>
            {`Open ${result.modelName}`}
          </Button>
        </>
      }
    >
      <Notice
        tone={result.stage === 'quarantined' ? 'watch' : 'ok'}
        title={`${reference} is ${result.stage}`}
      >
        {result.firstContact.message}{' '}
        {result.stage === 'quarantined'
          ? 'It may not run until somebody promotes it to candidate.'
          : 'It may run now, and can be promoted.'}
      </Notice>
      <Panel title="What was stored">
        <Facts
          rows={[
            ['Version', reference],
            ['Digest', <Digest key="digest" value={result.digest} />],
            ['Files', plural(result.files.length, 'file')],
            [
              'Signature',
              `${result.signature.status}${result.signature.signer === null ? '' : ` by ${result.signature.signer}`}`,
            ],
            [
              'First contact',
              `${result.firstContact.status}, ${plural(result.firstContact.goldenChecked, 'golden vector')} checked`,
            ],
          ]}
        />
      </Panel>
    </Page>
  );
}
