import { useState } from 'react';
import { contract } from '#shared/contract/index.ts';
import type { MadeBackup } from '#shared/contract/backups.ts';
import { bytes } from '#shared/words.ts';
import { client } from '../../app/client.ts';
import { ErrorNotice } from '../../app/ErrorNotice.tsx';
import type { PickedPlace } from '../../app/FileDialog.tsx';
import { JobProgress } from '../../app/JobProgress.tsx';
import { finished, useAct, useOperation } from '../../app/use-act.ts';
import { plural } from '../../lib/format.ts';
import { textOf } from '../../lib/form.ts';
import { Button } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { Field } from '../../ui/Field.tsx';
import { Notice } from '../../ui/Notice.tsx';

/** Sizes of media, in bytes, less what their file systems take. */
const partSizes = [
  ['', 'one folder'],
  ['690000000', 'folders of 690 MB, for CDs'],
  ['4600000000', 'folders of 4.6 GB, for DVDs'],
  ['24000000000', 'folders of 24 GB, for Blu-ray discs'],
] as const;

/** One run of a backup onto one medium; when that is full, the next is asked for. */
export function BackupDialog({
  folder,
  continues,
  onNext,
  onClose,
}: {
  readonly folder: PickedPlace;
  readonly continues: boolean;
  readonly onNext: () => void;
  readonly onClose: () => void;
}) {
  const { run, pending, error } = useAct();
  const [operationId, setOperationId] = useState<string>();
  const [made, setMade] = useState<MadeBackup>();
  const operation = useOperation(operationId);
  const start = (form: FormData): Promise<unknown> => {
    const partBytes = Number(textOf(form, 'part'));
    const started = client.backups.make({
      folder: folder.token,
      continues,
      spans: continues || textOf(form, 'spans') === 'yes',
      ...(partBytes === 0 ? {} : { partBytes }),
    });
    return run(async () => setMade(await finished(contract.backups.make, started, setOperationId)));
  };
  return (
    <Dialog title={continues ? 'Go on with the backup' : 'Make backup'} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void start(new FormData(event.currentTarget));
        }}
      >
        <p className="quiet">
          The encrypted vault is copied to <span className="mono wrap-anywhere">{folder.path}</span>
          . What is there already is not written again, and everything is read back.
        </p>
        {made !== undefined ? (
          <Outcome made={made} />
        ) : operation?.state === 'running' ? (
          <JobProgress operation={operation} />
        ) : (
          <>
            {continues ? null : (
              <Field label="If it does not fit on this medium">
                <select name="spans" defaultValue="no">
                  <option value="no">Stop before anything is written</option>
                  <option value="yes">Fill this one and go on on another</option>
                </select>
              </Field>
            )}
            <Field label="Put the pieces into">
              <select name="part" defaultValue="">
                {partSizes.map(([value, words]) => (
                  <option key={value} value={value}>
                    {words}
                  </option>
                ))}
              </select>
            </Field>
          </>
        )}
        <ErrorNotice error={error} />
        <footer>
          <Button kind="quiet" onClick={onClose}>
            {made === undefined ? 'Cancel' : 'Done'}
          </Button>
          {made === undefined ? (
            <Button submit kind="primary" disabled={pending}>
              Write backup
            </Button>
          ) : made.state === 'next-medium' ? (
            <Button kind="primary" onClick={onNext}>
              Choose the next medium
            </Button>
          ) : null}
        </footer>
      </form>
    </Dialog>
  );
}

function Outcome({ made }: { readonly made: MadeBackup }) {
  const amounts = `${bytes(made.writtenBytes)} written and read back, ${bytes(made.keptBytes)} were there.`;
  return made.state === 'complete' ? (
    <Notice tone="ok" title={`Snapshot ${made.snapshot ?? ''} is complete`}>
      {amounts} {plural(made.logSize, 'entry', 'entries')} of the log are in it.
      <div className="mono small wrap-anywhere">{made.path}</div>
    </Notice>
  ) : (
    <Notice tone="watch" title={`This medium is full: ${bytes(made.missingBytes)} are left`}>
      {amounts} Take it out, put the next one in, and go on. All of them are needed to restore.
    </Notice>
  );
}
