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
import { Field } from '../../ui/Field.tsx';
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
  /** Of several, in place of the one that the bundle means. */
  const [model, setModel] = useState<string>();
  const [imported, setImported] = useState<ImportResult>();
  const [job, setJob] = useState<string>();
  const [overriding, setOverriding] = useState(false);
  const operation = useOperation(job);
  const models = useQuery('models', () => client.models.list(null), ['models']);
  const policy = useQuery('policy', () => client.policy.show(null), ['policy']);
  const overridable = report?.overridable === true && policy.data?.unsigned !== 'refuse';
  const stored =
    (report?.verdict === 'accept' || report?.overridable === true) &&
    model === undefined &&
    !bringIn.pending &&
    !overriding
      ? models.data
          ?.map(({ latest }) => latest)
          .find(({ digest, stage }) => digest === report.manifestDigest && stage !== 'erased')
      : undefined;
  const picked = model === undefined ? {} : { model };
  useEffect(() => {
    void inspect.run(async () =>
      setReport(
        await finished(
          contract.bundles.inspect,
          client.bundles.inspect({ source: source.token, ...picked }),
          setJob,
        ),
      ),
    );
    // Once per bundle and model.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [source.token, model]);

  const start = async (override?: Override): Promise<void> => {
    const input = {
      source: source.token,
      ...picked,
      ...(override === undefined ? {} : { override }),
    };
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
      {report === undefined || report.models.length < 2 ? null : (
        <Panel>
          <Field
            label="Model of this bundle"
            hint="One is imported at a time, each under a name of its own. What the bundle says of its inputs and results counts only for the one that it means."
          >
            <select
              value={model ?? ''}
              disabled={inspect.pending || bringIn.pending}
              onChange={({ target }) => setModel(target.value === '' ? undefined : target.value)}
            >
              <option value="">As the bundle means it</option>
              {report.models.map((path) => (
                <option key={path} value={path}>
                  {path}
                </option>
              ))}
            </select>
          </Field>
        </Panel>
      )}
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
