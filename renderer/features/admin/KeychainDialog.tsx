import { client } from '../../app/client.ts';
import { ErrorNotice } from '../../app/ErrorNotice.tsx';
import { useAct } from '../../app/use-act.ts';
import { Button } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
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
  const { run, pending, error } = useAct();
  const act = enable ? 'Unlock with the keychain' : 'Stop unlocking with the keychain';
  return (
    <Dialog title={act} onClose={onClose}>
      <p className="quiet">
        {enable
          ? 'Whoever uses this account of this computer can then open the vault in your name, without your password. A new password ends it.'
          : 'From now on only your password opens the vault for you.'}
      </p>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          const password = textOf(new FormData(event.currentTarget), 'password');
          void run(() => client.keys.setKeychain({ enabled: enable, password })).then(
            (worked) => worked && onClose(),
          );
        }}
      >
        <Field label="Your password">
          <input name="password" type="password" required autoComplete="current-password" />
        </Field>
        <ErrorNotice error={error} />
        <footer>
          <Button kind="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button submit kind="primary" disabled={pending}>
            {act}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
