import { useState } from 'react';
import { contract } from '#shared/contract/index.ts';
import { client } from '../../app/client.ts';
import { ErrorNotice } from '../../app/ErrorNotice.tsx';
import { FileDialog, type PickedPlace } from '../../app/FileDialog.tsx';
import { finished, useAct } from '../../app/use-act.ts';
import { useQuery } from '../../app/use-query.ts';
import { Button } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { Field } from '../../ui/Field.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { textOf } from '../../lib/form.ts';

export function MakeReportDialog({ onClose }: { readonly onClose: () => void }) {
  const models = useQuery('models', () => client.models.list(null), ['models']);
  const [folder, setFolder] = useState<PickedPlace>();
  const [picking, setPicking] = useState(false);
  const [path, setPath] = useState<string>();
  const { run, pending, error } = useAct();
  const make = async (form: FormData, token: string): Promise<void> => {
    const model = textOf(form, 'model');
    const day = (name: string): string | undefined => {
      const text = textOf(form, name);
      return text === '' ? undefined : new Date(`${text}T00:00:00Z`).toISOString();
    };
    const from = day('from');
    const to = day('to');
    const input = {
      kind: 'production-history' as const,
      folder: token,
      name: textOf(form, 'name'),
      ...(model === '' ? {} : { model }),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    };
    setPath((await finished(contract.reports.make, client.reports.make(input))).path);
  };
  return (
    <Dialog title="Production history" onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          const form = new FormData(event.currentTarget);
          if (folder !== undefined) void run(() => make(form, folder.token));
        }}
      >
        <Field label="Model">
          <select name="model" defaultValue="">
            <option value="">All models</option>
            {(models.data ?? []).map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </Field>
        <div className="columns" data-of="2">
          <Field label="From (UTC)" hint="Empty: from the start.">
            <input name="from" type="date" />
          </Field>
          <Field label="To (UTC)" hint="Empty: until now.">
            <input name="to" type="date" />
          </Field>
        </div>
        <div className="field">
          <span className="label">Folder</span>
          <div className="row">
            <Button onClick={() => setPicking(true)}>Choose a folder</Button>
            <span className="wrap-anywhere">
              {folder?.path ?? (
                <span className="quiet">removable media, for an auditor to take along</span>
              )}
            </span>
          </div>
        </div>
        <Field label="Name of the file">
          <input name="name" required maxLength={200} defaultValue="production-history.pdf" />
        </Field>
        <ErrorNotice error={error} />
        {path === undefined ? null : (
          <Notice tone="ok" title="Made and signed">
            <span className="mono wrap-anywhere">{path}</span>
          </Notice>
        )}
        <footer>
          <Button kind="quiet" onClick={onClose}>
            {path === undefined ? 'Cancel' : 'Done'}
          </Button>
          {path === undefined ? (
            <Button submit kind="primary" disabled={pending || folder === undefined}>
              {pending ? 'Making the report…' : 'Write report'}
            </Button>
          ) : null}
        </footer>
      </form>
      {picking ? (
        <FileDialog
          title="Folder for the report"
          pick="folder"
          onPick={setFolder}
          onClose={() => setPicking(false)}
        />
      ) : null}
    </Dialog>
  );
}
