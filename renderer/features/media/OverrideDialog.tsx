import { FormDialog } from '../../app/FormDialog.tsx';
import { ReasonField } from '../../app/ReasonField.tsx';
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
}: {
  readonly name: string;
  readonly onClose: () => void;
  readonly onConfirm: (override: Override) => Promise<unknown>;
}) {
  return (
    <FormDialog
      title={`Let ${name} in all the same`}
      explain="The bundle lacks a signature that this vault asks for. A second person, an approver or administrator, may take the responsibility. The version starts in quarantine, and shows who let it in and why for ever."
      act={`Import ${name} all the same`}
      kind="danger"
      onClose={onClose}
      onSubmit={async (form) => {
        await onConfirm({
          user: textOf(form, 'user'),
          password: textOf(form, 'password'),
          reason: textOf(form, 'reason'),
        });
        onClose();
      }}
    >
      <Field label="Second person">
        <input name="user" required maxLength={64} autoComplete="off" />
      </Field>
      <Field label="Their password">
        <input name="password" type="password" required autoComplete="off" />
      </Field>
      <ReasonField />
    </FormDialog>
  );
}
