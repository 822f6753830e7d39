import type { AppError } from '#shared/errors.ts';
import { ErrorNotice } from '../../app/ErrorNotice.tsx';
import { ReasonField } from '../../app/ReasonField.tsx';
import { Button } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { Field } from '../../ui/Field.tsx';
import { textOf } from '../../lib/form.ts';

export interface Override {
  readonly user: string;
  readonly password: string;
  readonly reason: string;
}

/** A second person takes the responsibility, by name, password and reason. */
export function OverrideDialog({
  name,
  onClose,
  onConfirm,
  pending,
  error,
}: {
  readonly name: string;
  readonly onClose: () => void;
  readonly onConfirm: (override: Override) => Promise<boolean>;
  readonly pending: boolean;
  readonly error: AppError | undefined;
}) {
  return (
    <Dialog title={`Let ${name} in all the same`} onClose={onClose}>
      <p className="quiet">
        The bundle lacks a signature that this vault asks for. A second person, an approver or
        administrator, may take the responsibility. The version starts in quarantine, and shows who
        let it in and why for ever.
      </p>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          const form = new FormData(event.currentTarget);
          void onConfirm({
            user: textOf(form, 'user'),
            password: textOf(form, 'password'),
            reason: textOf(form, 'reason'),
          }).then((worked) => worked && onClose());
        }}
      >
        <Field label="Second person">
          <input name="user" required maxLength={64} autoComplete="off" />
        </Field>
        <Field label="Their password">
          <input name="password" type="password" required autoComplete="off" />
        </Field>
        <ReasonField />
        <ErrorNotice error={error} />
        <footer>
          <Button kind="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button submit kind="danger" disabled={pending}>
            {`Import ${name} all the same`}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
