import { useEffect, useState } from 'react';
import { contract } from '#shared/contract/index.ts';
import type { ImportResult, InspectReport } from '#shared/contract/bundles.ts';
import { client } from '../../app/client.ts';
import { ErrorNotice } from '../../app/ErrorNotice.tsx';
import type { PickedPlace } from '../../app/FileDialog.tsx';
import { JobProgress } from '../../app/JobProgress.tsx';
import { Page } from '../../app/Page.tsx';
import { go } from '../../app/routes.ts';
import { useMay } from '../../app/session.ts';
import { finished, useAct, useOperation } from '../../app/use-act.ts';
import { useQuery } from '../../app/use-query.ts';
import { Button } from '../../ui/Button.tsx';
import { Loading, Panel } from '../../ui/Panel.tsx';
import { Imported } from './Imported.tsx';
import { OverrideDialog, type Override } from './OverrideDialog.tsx';
import { ReportView } from './ReportView.tsx';

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
  const models = useQuery('models', () => client.models.list(null), ['models']);
  const policy = useQuery('policy', () => client.policy.show(null), ['policy']);
  const overridable = report?.overridable === true && policy.data?.unsigned !== 'refuse';
  const stored =
    (report?.verdict === 'accept' || report?.overridable === true) &&
    !bringIn.pending &&
    !overriding
      ? models.data
          ?.map(({ latest }) => latest)
          .find(({ digest, stage }) => digest === report.manifestDigest && stage !== 'erased')
      : undefined;
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

  const start = async (override?: Override): Promise<void> => {
    const input = { source: source.token, ...(override === undefined ? {} : { override }) };
    setImported(await finished(contract.bundles.import, client.bundles.import(input), setJob));
  };
  const title = `Bundle ${report?.name ?? source.name}`;
  const busy =
    operation?.state === 'running' ? (
      <Panel>
        <JobProgress operation={operation} />
      </Panel>
    ) : null;
  if (imported !== undefined) return <Imported result={imported} onBack={onBack} />;
  const act =
    report === undefined || !may(contract.bundles.import) ? null : stored !== undefined ? (
      <Button kind="primary" onClick={() => go('models', stored.model)}>
        {`Open ${stored.model}`}
      </Button>
    ) : report.verdict === 'accept' ? (
      <Button kind="primary" disabled={bringIn.pending} onClick={() => void bringIn.run(start)}>
        {`Import ${report.name}`}
      </Button>
    ) : overridable ? (
      <Button
        kind="danger"
        disabled={bringIn.pending}
        onClick={() => {
          bringIn.clear();
          setOverriding(true);
        }}
      >
        Let it in all the same…
      </Button>
    ) : bringIn.error?.code === 'refused' ? null : (
      <Button disabled={bringIn.pending} onClick={() => void bringIn.run(start)}>
        Try it, for the log
      </Button>
    );
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
      <ErrorNotice
        error={inspect.error ?? bringIn.error}
        action={
          bringIn.error?.code === 'refused' ? (
            <Button size="small" onClick={() => go('audit')}>
              See it in the log
            </Button>
          ) : null
        }
      />
      {busy}
      {report === undefined ? (
        inspect.error === undefined && busy === null ? (
          <Panel>
            <Loading />
          </Panel>
        ) : null
      ) : (
        <ReportView
          report={report}
          mayOverride={overridable}
          stored={stored === undefined ? undefined : `${stored.model}@${stored.version}`}
        />
      )}
      {overriding && report !== undefined ? (
        <OverrideDialog name={report.name} onClose={() => setOverriding(false)} onConfirm={start} />
      ) : null}
    </Page>
  );
}
