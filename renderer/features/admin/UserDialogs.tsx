import type { User } from '#shared/contract/users.ts';
import { roles, type Role } from '#shared/roles.ts';
import { client } from '../../app/client.ts';
import { FormDialog } from '../../app/FormDialog.tsx';
import { useSession } from '../../app/session.ts';
import { useApp } from '../../app/store.ts';
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
  return (
    <FormDialog
      title="Add a user"
      act="Add this user"
      onClose={onClose}
      onSubmit={async (form) => {
        await client.users.add({
          name: textOf(form, 'name'),
          role: textOf(form, 'role') as Role,
          password: textOf(form, 'password'),
        });
        onClose();
      }}
    >
      <Field label="Name" hint="As it will stand in the log.">
        <input name="name" required maxLength={64} autoComplete="off" />
      </Field>
      <RoleField initial="analyst" />
      <NewPassword label="First password" more="The person can change it after signing in." />
    </FormDialog>
  );
}

export function SetPassword({
  user,
  onClose,
}: {
  readonly user: Pick<User, 'name'>;
  readonly onClose: () => void;
}) {
  const isOwn = useSession().user === user.name;
  return (
    <FormDialog
      title={`Password of ${user.name}`}
      act="Set password"
      onClose={onClose}
      onSubmit={async (form) => {
        await client.users.password({
          name: user.name,
          password: textOf(form, 'password'),
          ...(isOwn ? { present: textOf(form, 'present') } : {}),
        });
        onClose();
      }}
    >
      {isOwn ? (
        <Field label="Present password">
          <input name="present" type="password" required autoComplete="current-password" />
        </Field>
      ) : null}
      <NewPassword label="New password" />
    </FormDialog>
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
