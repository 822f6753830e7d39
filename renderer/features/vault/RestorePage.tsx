import { IconBuildingBank, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { contract } from '#shared/contract/index.ts';
import type { FoundBackup } from '#shared/contract/backups.ts';
import type { VaultStatus } from '#shared/contract/vault.ts';
import { bytes } from '#shared/words.ts';
import { client } from '../../app/client.ts';
import { ErrorNotice } from '../../app/ErrorNotice.tsx';
import { FileDialog, type PickedPlace } from '../../app/FileDialog.tsx';
import { JobProgress } from '../../app/JobProgress.tsx';
import { refreshStatus } from '../../app/store.ts';
import { finished, useAct, useOperation } from '../../app/use-act.ts';
import { localTime, plural } from '../../lib/format.ts';
import { textOf } from '../../lib/form.ts';
import { Button } from '../../ui/Button.tsx';
import { Field } from '../../ui/Field.tsx';
import { Notice } from '../../ui/Notice.tsx';

/** Where there is no vault: the media of a backup, which snapshot, and it is there. */
export function RestorePage({
  status,
  onBack,
}: {
  readonly status: VaultStatus;
  readonly onBack: () => void;
}) {
  const { run, pending, error, clear } = useAct();
  const [picking, setPicking] = useState(false);
  const [places, setPlaces] = useState<readonly PickedPlace[]>([]);
  const [found, setFound] = useState<readonly FoundBackup[]>([]);
  const [operationId, setOperationId] = useState<string>();
  const operation = useOperation(operationId);
  const folders = places.map(({ token }) => token);
  const look = (at: readonly PickedPlace[]): void => {
    setPlaces(at);
    setFound([]);
    clear();
    if (at.length > 0)
      void run(async () =>
        setFound(await client.backups.inspect({ folders: at.map(({ token }) => token) })),
      );
  };
  const restore = (choice: string): Promise<boolean> =>
    run(async () => {
      const [vaultId = '', snapshot] = choice.split(' ');
      await finished(
        contract.backups.restore,
        client.backups.restore({ folders, vaultId, snapshot: Number(snapshot) }),
        setOperationId,
      );
      await refreshStatus();
    });
  const choices = found.flatMap((backup) => choicesOf(backup, found.length > 1));
  return (
    <main className="gate">
      <div className="gate-card">
        <div className="row">
          <IconBuildingBank size={22} aria-hidden />
          <h1>Restore a vault</h1>
        </div>
        <p className="quiet">
          The vault comes back to <span className="mono wrap-anywhere">{status.path}</span>. It
          takes no password to restore it; opening it takes the password of somebody in it.
        </p>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void restore(textOf(new FormData(event.currentTarget), 'choice'));
          }}
        >
          {places.map(({ token, path }) => (
            <div key={token} className="row">
              <span className="mono small wrap-anywhere">{path}</span>
              <Button
                size="small"
                kind="quiet"
                aria-label={`Leave out ${path}`}
                disabled={pending}
                onClick={() => look(places.filter((place) => place.token !== token))}
                icon={<IconX size={14} aria-hidden />}
              />
            </div>
          ))}
          <Button onClick={() => setPicking(true)} disabled={pending}>
            {places.length === 0 ? 'Choose the medium' : 'Add another medium of it'}
          </Button>
          {places.length > 0 && choices.length === 0 && !pending && error === undefined ? (
            <Notice tone="watch" title="No snapshot here">
              A backup on several media has its manifest on the last of them. Add that one.
            </Notice>
          ) : null}
          {choices.length === 0 ? null : (
            <Field label="Snapshot" hint="What came after it is not in it.">
              <select name="choice" key={choices[0]?.value}>
                {choices.map(({ value, words }) => (
                  <option key={value} value={value}>
                    {words}
                  </option>
                ))}
              </select>
            </Field>
          )}
          {operation?.state === 'running' ? <JobProgress operation={operation} /> : null}
          <ErrorNotice error={error} />
          <div className="row">
            <Button submit kind="primary" disabled={pending || choices.length === 0}>
              Restore vault
            </Button>
            <Button kind="quiet" onClick={onBack} disabled={operation?.state === 'running'}>
              Create a new vault instead
            </Button>
          </div>
        </form>
      </div>
      {picking ? (
        <FileDialog
          title="Where the backup is"
          pick="folder"
          onPick={(place) => look([...places, place])}
          onClose={() => setPicking(false)}
        />
      ) : null}
    </main>
  );
}

/** Newest first; what cannot be believed is left out. */
function choicesOf(
  { vaultId, snapshots }: FoundBackup,
  isOneOfSeveral: boolean,
): { value: string; words: string }[] {
  const whose = isOneOfSeveral ? `vault ${vaultId?.slice(0, 8) ?? ''}, ` : '';
  return snapshots
    .filter(({ problem }) => problem === null && vaultId !== null)
    .map(({ number, madeAt, logSize, bytes: size }) => ({
      value: `${vaultId ?? ''} ${number}`,
      words: `${whose}${madeAt === null ? '' : localTime(madeAt)}, ${bytes(size ?? 0)}, log of ${plural(logSize ?? 0, 'entry', 'entries')}`,
    }))
    .toReversed();
}
