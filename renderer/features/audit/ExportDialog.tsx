import { useState } from 'react';
import { contract } from '#shared/contract/index.ts';
import { client } from '../../app/client.ts';
import { ErrorNotice } from '../../app/ErrorNotice.tsx';
import type { PickedPlace } from '../../app/FileDialog.tsx';
import { finished, useAct } from '../../app/use-act.ts';
import { Button } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { Field } from '../../ui/Field.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { textOf } from '../../lib/form.ts';

/** The whole log as a static tree in a new folder, for somebody else's tools. */
export function ExportDialog({
  folder,
  onClose,
}: {
  readonly folder: PickedPlace;
  readonly onClose: () => void;
}) {
  const [path, setPath] = useState<string>();
  const { run, pending, error } = useAct();
  return (
    <Dialog title="Export log" onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          const name = textOf(new FormData(event.currentTarget), 'name');
          void run(async () =>
            setPath(
              (
                await finished(
                  contract.audit.export,
                  client.audit.export({ folder: folder.token, name }),
                )
              ).path,
            ),
          );
        }}
      >
        <Field label="Name of the new folder" hint={`In ${folder.path}`}>
          <input name="name" required maxLength={200} defaultValue="strongroom-log" />
        </Field>
        <ErrorNotice error={error} />
        {path === undefined ? null : (
          <Notice tone="ok" title="Written">
            <span className="mono wrap-anywhere">{path}</span>
          </Notice>
        )}
        <footer>
          <Button kind="quiet" onClick={onClose}>
            {path === undefined ? 'Cancel' : 'Done'}
          </Button>
          {path === undefined ? (
            <Button submit kind="primary" disabled={pending}>
              Write log
            </Button>
          ) : null}
        </footer>
      </form>
    </Dialog>
  );
}
