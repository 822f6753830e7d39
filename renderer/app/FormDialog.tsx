import type { ReactNode } from 'react';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { ErrorNotice } from './ErrorNotice.tsx';
import { useAct } from './use-act.ts';

/** Asks for what an act needs and does it, once. What is to happen afterwards, closing included, is part of `onSubmit`. */
export function FormDialog({
  title,
  explain,
  act,
  kind = 'primary',
  ready = true,
  onClose,
  onSubmit,
  children,
}: {
  readonly title: string;
  readonly explain?: string;
  /** What the button says. */
  readonly act: string;
  readonly kind?: 'primary' | 'danger';
  /** Whether it is filled in, as far as the fields cannot say it themselves. */
  readonly ready?: boolean;
  readonly onClose: () => void;
  /** Secrets go from the form to the core and stay nowhere. */
  readonly onSubmit: (form: FormData) => Promise<unknown>;
  readonly children?: ReactNode;
}) {
  const { run, pending, error } = useAct();
  return (
    <Dialog title={title} onClose={onClose}>
      {explain === undefined ? null : <p className="quiet">{explain}</p>}
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          const form = new FormData(event.currentTarget);
          void run(() => onSubmit(form));
        }}
      >
        {children}
        <ErrorNotice error={error} />
        <footer>
          <Button kind="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button submit kind={kind} disabled={pending || !ready}>
            {act}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
