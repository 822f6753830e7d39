import { useState } from 'react';
import { contract } from '#shared/contract/index.ts';
import type { RunSummary } from '#shared/contract/runs.ts';
import { client } from '../../app/client.ts';
import { ErrorNotice } from '../../app/ErrorNotice.tsx';
import { JobProgress } from '../../app/JobProgress.tsx';
import { useMay } from '../../app/session.ts';
import { finished, useAct, useOperation } from '../../app/use-act.ts';
import { Button } from '../../ui/Button.tsx';
import { Panel } from '../../ui/Panel.tsx';

/** A run that the program left unfinished when it ended: it goes on from there, or its unfinished output is removed. */
export function InterruptedPanel({ summary }: { readonly summary: RunSummary }) {
  const { runId, inputName, model, version } = summary;
  const may = useMay();
  const act = useAct();
  const [job, setJob] = useState<string>();
  const operation = useOperation(job);
  const goOn = (): void =>
    void act.run(() => finished(contract.runs.resume, client.runs.resume({ runId }), setJob));
  const giveUp = (): void => void act.run(() => client.runs.giveUp({ runId }));
  return (
    <Panel
      title="This run can go on"
      action={
        may(contract.runs.resume) ? (
          <div className="row">
            <Button size="small" disabled={act.pending} onClick={giveUp}>
              Give up
            </Button>
            <Button size="small" kind="primary" disabled={act.pending} onClick={goOn}>
              Go on
            </Button>
          </div>
        ) : null
      }
    >
      <div className="stack">
        <ErrorNotice error={act.error} />
        {operation?.state === 'running' ? (
          <JobProgress operation={operation} />
        ) : (
          <p className="quiet">
            {`What ${model}@${version} has scored so far lies beside the result. The run goes on with the next row, if ${inputName} is still the same file; no row is scored twice. Giving up removes what is there.`}
          </p>
        )}
      </div>
    </Panel>
  );
}
