import { useState } from 'react';
import { contract } from '#shared/contract/index.ts';
import type { KeptData } from '#shared/contract/runs.ts';
import { bytes } from '#shared/words.ts';
import { client } from '../../app/client.ts';
import { EraseDialog } from '../../app/EraseDialog.tsx';
import { ErrorNotice } from '../../app/ErrorNotice.tsx';
import { FileDialog } from '../../app/FileDialog.tsx';
import { useMay } from '../../app/session.ts';
import { finished, useAct } from '../../app/use-act.ts';
import { Button } from '../../ui/Button.tsx';
import { Facts } from '../../ui/Facts.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { Time } from '../../ui/Time.tsx';
import { plural } from '../../lib/format.ts';

/** What a run has kept of its input and predictions, to be exported or erased. */
export function KeptPanel({ runId, kept }: { readonly runId: string; readonly kept: KeptData }) {
  const may = useMay();
  const { run, pending, error } = useAct();
  const [open, setOpen] = useState<'export' | 'erase'>();
  const [written, setWritten] = useState<string>();
  if (kept.state === 'erased')
    return (
      <Panel title="Kept data">
        <p className="quiet">
          Erased <Time at={kept.erasedAt ?? kept.keptAt} />: the keys are destroyed, and nobody can
          read it any more.
        </p>
      </Panel>
    );
  return (
    <Panel
      title="Kept data"
      action={
        <div className="row">
          {may(contract.runs.export) ? (
            <Button size="small" disabled={pending} onClick={() => setOpen('export')}>
              Export…
            </Button>
          ) : null}
          {may(contract.erasure.data) ? (
            <Button size="small" onClick={() => setOpen('erase')}>
              Erase…
            </Button>
          ) : null}
        </div>
      }
    >
      <div className="stack">
        <Facts
          rows={[
            [
              'Kept',
              `${plural(kept.rows - kept.erasedRows, 'row')}${kept.subjects === null ? '' : ` about ${plural(kept.subjects, 'person', 'people')}`}, ${bytes(kept.bytes)} encrypted`,
            ],
            [
              'Told apart by',
              kept.subject === null ? 'nothing: the files are kept whole' : kept.subject,
            ],
            ...(kept.erasedRows === 0
              ? []
              : [['Erased since', plural(kept.erasedRows, 'row')] as const]),
            ...(kept.leftOut === 0
              ? []
              : [['Not kept', `${plural(kept.leftOut, 'row')} that named nobody`] as const]),
          ]}
        />
        {written === undefined ? null : (
          <Notice tone="ok" title="Written, decrypted">
            {written}
          </Notice>
        )}
        <ErrorNotice error={error} />
      </div>
      {open === 'export' ? (
        <FileDialog
          title="Folder for the kept data"
          pick="folder"
          onPick={({ token }) =>
            void run(async () => {
              const name = `run-${runId}`;
              const result = await finished(
                contract.runs.export,
                client.runs.export({ runId, folder: token, name }),
              );
              setWritten(result.path);
            })
          }
          onClose={() => setOpen(undefined)}
        />
      ) : null}
      {open === 'erase' ? (
        <EraseDialog
          title="Erase what this run has kept"
          explain="The keys of its input and predictions are destroyed. The record of the run, its digests and the log stay."
          confirm={runId}
          onClose={() => setOpen(undefined)}
          onErase={(reason) => client.erasure.data({ runId, reason })}
        />
      ) : null}
    </Panel>
  );
}
