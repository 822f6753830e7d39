import { useState } from 'react';
import { contract } from '#shared/contract/index.ts';
import type { RunSummary } from '#shared/contract/runs.ts';
import { client } from '../../app/client.ts';
import { ErrorNotice } from '../../app/ErrorNotice.tsx';
import { JobProgress } from '../../app/JobProgress.tsx';
import { useMay } from '../../app/session.ts';
import { finished, useAct, useOperation } from '../../app/use-act.ts';
import { Button } from '../../ui/Button.tsx';
import { Notice } from '../../ui/Notice.tsx';
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
  const removal = useAct();
  const giveUp = (gone: boolean): void =>
    void removal.run(() => client.runs.giveUp({ runId, gone }));
  const pending = act.pending || removal.pending;
  // The medium is another one, or somebody has removed the files: only a person knows which.
  const isOutOfReach = removal.error?.details?.['output'] === 'not there';
  return (
    <Panel
      title="This run can go on"
      action={
        may(contract.runs.resume) ? (
          <div className="row">
            <Button size="small" disabled={pending} onClick={() => giveUp(false)}>
              Give up
            </Button>
            <Button size="small" kind="primary" disabled={pending} onClick={goOn}>
              Go on
            </Button>
          </div>
        ) : null
      }
    >
      <div className="stack">
        <ErrorNotice error={act.error} />
        {isOutOfReach ? (
          <Notice
            tone="watch"
            title="The unfinished output is not there, so nothing was removed"
            action={
              <Button size="small" disabled={pending} onClick={() => giveUp(true)}>
                Its files are gone: give up
              </Button>
            }
          >
            Plug in the medium that it was written to and give up again. If its files are gone for
            good, say so: the run cannot go on then, even if they turn up.
          </Notice>
        ) : (
          <ErrorNotice error={removal.error} />
        )}
        {operation?.state === 'running' ? (
          <JobProgress operation={operation} />
        ) : isOutOfReach ? null : (
          <p className="quiet">
            {`What ${model}@${version} has scored so far lies beside the result. The run goes on with the next row, if ${inputName} is still the same file; no row is scored twice. Giving up removes what is there.`}
          </p>
        )}
      </div>
    </Panel>
  );
}
