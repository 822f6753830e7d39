import { useState, type ReactNode } from 'react';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { Field } from '../ui/Field.tsx';
import { Notice } from '../ui/Notice.tsx';
import { PlaceField } from '../ui/PlaceField.tsx';
import { textOf } from '../lib/form.ts';
import { ErrorNotice } from './ErrorNotice.tsx';
import { FileDialog, type PickedPlace } from './FileDialog.tsx';
import { useAct } from './use-act.ts';

/** Writes something for somebody outside into a folder that is chosen here, under a new name, and says where it is. */
export function SaveDialog({
  title,
  explain,
  label,
  name,
  act,
  done = 'Written',
  onSave,
  onClose,
  children,
}: {
  readonly title: string;
  readonly explain?: string;
  /** Of the field with the name. */
  readonly label: string;
  readonly name: string;
  readonly act: string;
  readonly done?: string;
  readonly onSave: (
    target: { readonly folder: string; readonly name: string },
    form: FormData,
  ) => Promise<{ readonly path: string }>;
  readonly onClose: () => void;
  readonly children?: ReactNode;
}) {
  const { run, pending, error } = useAct();
  const [folder, setFolder] = useState<PickedPlace>();
  const [picking, setPicking] = useState(false);
  const [path, setPath] = useState<string>();
  return (
    <Dialog title={title} onClose={onClose}>
      {explain === undefined ? null : <p className="quiet">{explain}</p>}
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          const form = new FormData(event.currentTarget);
          if (folder === undefined) return;
          const target = { folder: folder.token, name: textOf(form, 'name') };
          void run(async () => setPath((await onSave(target, form)).path));
        }}
      >
        {children}
        <PlaceField
          label="Folder"
          what="folder"
          chosen={folder?.path}
          hint="Such as a medium to take along."
          onChoose={() => setPicking(true)}
        />
        <Field label={label}>
          <input name="name" required maxLength={200} defaultValue={name} />
        </Field>
        <ErrorNotice error={error} />
        {path === undefined ? null : (
          <Notice tone="ok" title={done}>
            <span className="mono wrap-anywhere">{path}</span>
          </Notice>
        )}
        <footer>
          <Button kind="quiet" onClick={onClose}>
            {path === undefined ? 'Cancel' : 'Done'}
          </Button>
          {path === undefined ? (
            <Button submit kind="primary" disabled={pending || folder === undefined}>
              {pending ? 'Writing…' : act}
            </Button>
          ) : null}
        </footer>
      </form>
      {picking ? (
        <FileDialog
          title="Choose a folder"
          pick="folder"
          onPick={setFolder}
          onClose={() => setPicking(false)}
        />
      ) : null}
    </Dialog>
  );
}
