import type { ReactNode } from 'react';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { ErrorNotice } from './ErrorNotice.tsx';
import { ReasonField } from './ReasonField.tsx';
import { useAct } from './use-act.ts';
import { textOf } from '../lib/form.ts';

/** A grave act: names its object, says what will happen, asks for the reason that the log will keep. */
export function ReasonDialog({
  title,
  explain,
  act,
  kind = 'primary',
  onClose,
  onConfirm,
  children,
}: {
  readonly title: string;
  readonly explain: string;
  readonly act: string;
  readonly kind?: 'primary' | 'danger';
  readonly onClose: () => void;
  readonly onConfirm: (reason: string, form: FormData) => Promise<unknown>;
  readonly children?: ReactNode;
}) {
  const { run, pending, error } = useAct();
  return (
    <Dialog title={title} onClose={onClose}>
      <p className="quiet">{explain}</p>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          const form = new FormData(event.currentTarget);
          void run(() => onConfirm(textOf(form, 'reason'), form)).then(
            (worked) => worked && onClose(),
          );
        }}
      >
        {children}
        <ReasonField />
        <ErrorNotice error={error} />
        <footer>
          <Button kind="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button submit kind={kind} disabled={pending}>
            {act}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
