import type { User } from '#shared/contract/users.ts';
import { roles, type Role } from '#shared/roles.ts';
import { client } from '../../app/client.ts';
import { ErrorNotice } from '../../app/ErrorNotice.tsx';
import { useApp } from '../../app/store.ts';
import { useAct } from '../../app/use-act.ts';
import { Button } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { Field } from '../../ui/Field.tsx';
import { textOf } from '../../lib/form.ts';

export function RoleField({ initial }: { readonly initial: Role }) {
  return (
    <Field
      label="Role"
      hint="Analysts import and run; approvers decide; auditors read and verify; administrators keep users, keys and policy."
    >
      <select name="role" defaultValue={initial}>
        {roles.map((role) => (
          <option key={role}>{role}</option>
        ))}
      </select>
    </Field>
  );
}

export function AddUser({ onClose }: { readonly onClose: () => void }) {
  const { run, pending, error } = useAct();
  return (
    <Dialog title="Add a user" onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          const form = new FormData(event.currentTarget);
          const entry = {
            name: textOf(form, 'name'),
            role: textOf(form, 'role') as Role,
            password: textOf(form, 'password'),
          };
          void run(() => client.users.add(entry)).then((worked) => worked && onClose());
        }}
      >
        <Field label="Name" hint="As it will stand in the log.">
          <input name="name" required maxLength={64} autoComplete="off" />
        </Field>
        <RoleField initial="analyst" />
        <NewPassword label="First password" more="The person can change it after signing in." />
        <ErrorNotice error={error} />
        <footer>
          <Button kind="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button submit kind="primary" disabled={pending}>
            Add this user
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}

export function SetPassword({
  user,
  onClose,
}: {
  readonly user: Pick<User, 'name'>;
  readonly onClose: () => void;
}) {
  const { run, pending, error } = useAct();
  return (
    <Dialog title={`Password of ${user.name}`} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          const password = textOf(new FormData(event.currentTarget), 'password');
          void run(() => client.users.password({ name: user.name, password })).then(
            (worked) => worked && onClose(),
          );
        }}
      >
        <NewPassword label="New password" />
        <ErrorNotice error={error} />
        <footer>
          <Button kind="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button submit kind="primary" disabled={pending}>
            Set password
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}

/** Uncontrolled, like every secret: it goes from the form to the core and stays nowhere. */
export function NewPassword({
  label,
  more = '',
}: {
  readonly label: string;
  readonly more?: string;
}) {
  const minLength = useApp(({ status }) => status?.passwordPolicy.minLength ?? 1);
  return (
    <Field label={label} hint={`At least ${minLength} characters. ${more}`}>
      <input name="password" type="password" required autoComplete="new-password" />
    </Field>
  );
}
