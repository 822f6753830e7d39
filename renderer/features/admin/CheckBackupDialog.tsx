import { useState } from 'react';
import { contract } from '#shared/contract/index.ts';
import type { CheckedBackup } from '#shared/contract/backups.ts';
import { bytes } from '#shared/words.ts';
import { client } from '../../app/client.ts';
import { ErrorNotice } from '../../app/ErrorNotice.tsx';
import { FileDialog, type PickedPlace } from '../../app/FileDialog.tsx';
import { JobProgress } from '../../app/JobProgress.tsx';
import { useApp } from '../../app/store.ts';
import { finished, useAct, useOperation } from '../../app/use-act.ts';
import { plural } from '../../lib/format.ts';
import { Button } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { Notice } from '../../ui/Notice.tsx';

/** Reads a backup of this vault whole, from all of its media at once. */
export function CheckBackupDialog({
  folder,
  onClose,
}: {
  readonly folder: PickedPlace;
  readonly onClose: () => void;
}) {
  const { run, pending, error, clear } = useAct();
  const vaultId = useApp(({ status }) => status?.vaultId);
  const [operationId, setOperationId] = useState<string>();
  const [checked, setChecked] = useState<CheckedBackup>();
  const [places, setPlaces] = useState<readonly PickedPlace[]>([folder]);
  const [picking, setPicking] = useState(false);
  const operation = useOperation(operationId);
  const start = (): Promise<boolean> =>
    run(async () => {
      const started = client.backups.check({
        folders: places.map(({ token }) => token),
        ...(vaultId === null || vaultId === undefined ? {} : { vaultId }),
      });
      setChecked(await finished(contract.backups.check, started, setOperationId));
    });
  return (
    <>
      <Dialog title="Check backup" onClose={onClose}>
        <div className="stack">
          <p className="quiet">
            Every byte of the backups of this vault in{' '}
            <span className="mono wrap-anywhere">{places.map(({ path }) => path).join(', ')}</span>{' '}
            is read and compared with its manifests.
          </p>
          {operation?.state === 'running' ? <JobProgress operation={operation} /> : null}
          {checked === undefined ? null : <Verdict checked={checked} />}
          <ErrorNotice error={error} />
          <footer>
            <Button kind="quiet" onClick={onClose}>
              {checked === undefined ? 'Cancel' : 'Done'}
            </Button>
            {checked === undefined || checked.status === 'damaged' ? (
              <Button disabled={pending} onClick={() => setPicking(true)}>
                Add another medium of it
              </Button>
            ) : null}
            {checked === undefined ? (
              <Button kind="primary" disabled={pending} onClick={() => void start()}>
                Read it whole
              </Button>
            ) : null}
          </footer>
        </div>
      </Dialog>
      {picking ? (
        <FileDialog
          title="Where more of the backup is"
          pick="folder"
          onPick={(place) => {
            setPlaces([...places, place]);
            setChecked(undefined);
            clear();
          }}
          onClose={() => setPicking(false)}
        />
      ) : null}
    </>
  );
}

function Verdict({ checked }: { readonly checked: CheckedBackup }) {
  if (checked.ofThisVault === 'other-key')
    return (
      <Notice tone="act" title="Not a backup of this vault">
        A manifest is signed by another key than that of this vault&rsquo;s log.
      </Notice>
    );
  if (checked.ofThisVault === 'other-history')
    return (
      <Notice tone="act" title="The vault does not go on from this backup">
        The vault is older than a snapshot, or its history went another way. Compare it with a
        checkpoint that was kept elsewhere.
      </Notice>
    );
  if (checked.status === 'whole')
    return (
      <Notice tone="ok" title="The backup is whole">
        {plural(checked.snapshots, 'snapshot')} in {plural(checked.pieces, 'piece')},{' '}
        {bytes(checked.bytes)} read; the log of this vault goes on from each.
      </Notice>
    );
  return (
    <Notice tone="act" title={`Damaged: ${plural(checked.problems.length, 'problem')}`}>
      <ul>
        {checked.problems.slice(0, 5).map(({ file, problem }) => (
          <li key={`${file} ${problem}`}>
            <span className="mono small wrap-anywhere">{file}</span>: {problem}
          </li>
        ))}
      </ul>
    </Notice>
  );
}
