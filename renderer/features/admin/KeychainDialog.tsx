import { client } from '../../app/client.ts';
import { FormDialog } from '../../app/FormDialog.tsx';
import { Field } from '../../ui/Field.tsx';
import { textOf } from '../../lib/form.ts';

/** Takes the password once; uncontrolled, like every secret. */
export function KeychainDialog({
  enable,
  onClose,
}: {
  readonly enable: boolean;
  readonly onClose: () => void;
}) {
  const act = enable ? 'Unlock with the keychain' : 'Stop unlocking with the keychain';
  return (
    <FormDialog
      title={act}
      explain={
        enable
          ? 'Whoever uses this account of this computer can then open the vault in your name, without your password. A new password ends it.'
          : 'From now on only your password opens the vault for you.'
      }
      act={act}
      onClose={onClose}
      onSubmit={async (form) => {
        const password = textOf(form, 'password');
        await client.keys.setKeychain({ enabled: enable, password });
        onClose();
      }}
    >
      <Field label="Your password">
        <input name="password" type="password" required autoComplete="current-password" />
      </Field>
    </FormDialog>
  );
}
