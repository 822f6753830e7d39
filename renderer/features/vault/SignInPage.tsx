import { IconBuildingBank } from '@tabler/icons-react';
import { useState } from 'react';
import type { VaultStatus } from '#shared/contract/vault.ts';
import { client } from '../../app/client.ts';
import { ErrorNotice } from '../../app/ErrorNotice.tsx';
import { go } from '../../app/routes.ts';
import { ReasonField } from '../../app/ReasonField.tsx';
import { useAct } from '../../app/use-act.ts';
import { Button } from '../../ui/Button.tsx';
import { Field } from '../../ui/Field.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { PasswordFields } from './PasswordFields.tsx';
import { textOf } from '../../lib/form.ts';

const reasons: Readonly<Record<NonNullable<VaultStatus['sealedBecause']>, string>> = {
  command: 'The vault is sealed. Its keys have left the memory.',
  idle: 'The vault sealed itself because nobody was working.',
  'log-failure':
    'The vault sealed itself because its log could not be written. Check the disk before you go on.',
  'locked-screen': 'The vault sealed itself when the screen was locked.',
};

export function SignInPage({ status }: { readonly status: VaultStatus }) {
  const { run, pending, error, clear } = useAct();
  const [mode, setMode] = useState<'password' | 'recovery'>('password');
  const [fits, setFits] = useState(false);
  const submit = (form: FormData): Promise<unknown> =>
    mode === 'password'
      ? client.vault.signIn({
          user: textOf(form, 'user'),
          password: textOf(form, 'password'),
        })
      : client.vault.recover({
          user: textOf(form, 'user'),
          recoveryKey: textOf(form, 'recoveryKey'),
          newPassword: textOf(form, 'password'),
          reason: textOf(form, 'reason'),
        });
  return (
    <main className="gate">
      <div className="gate-card">
        <div className="row">
          <IconBuildingBank size={22} aria-hidden />
          <h1>{mode === 'password' ? 'Sign in' : 'Use the recovery key'}</h1>
        </div>
        {status.sealedBecause === null ? null : (
          <Notice tone={status.sealedBecause === 'log-failure' ? 'act' : 'accent'} title="Sealed">
            {reasons[status.sealedBecause]}
          </Notice>
        )}
        <p className="quiet small mono wrap-anywhere">{status.path}</p>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            const form = new FormData(event.currentTarget);
            // Where the last person was is not where this one wants to be.
            const password = event.currentTarget.elements.namedItem('password');
            void run(() => submit(form)).then((worked) => {
              if (worked) go('overview');
              else if (password instanceof HTMLInputElement) {
                password.value = '';
                password.focus();
              }
            });
          }}
        >
          <Field
            label="Name"
            {...(mode === 'recovery'
              ? {
                  hint: 'Whoever is named here is an administrator afterwards, with the new password. The log says so.',
                }
              : {})}
          >
            <input name="user" required maxLength={64} autoComplete="username" autoFocus />
          </Field>
          {mode === 'password' ? (
            <Field label="Password">
              <input name="password" type="password" required autoComplete="current-password" />
            </Field>
          ) : (
            <>
              <Field
                label="Recovery key"
                hint="The key, or as many of its shares as are needed, one on a line."
              >
                <textarea
                  name="recoveryKey"
                  rows={5}
                  className="mono"
                  required
                  autoComplete="off"
                  spellCheck={false}
                />
              </Field>
              <PasswordFields minLength={status.passwordPolicy.minLength} onMatch={setFits} />
              <ReasonField />
            </>
          )}
          <ErrorNotice error={error} />
          <Button submit kind="primary" disabled={pending || (mode === 'recovery' && !fits)}>
            {pending ? 'Opening…' : mode === 'password' ? 'Sign in' : 'Recover'}
          </Button>
          {mode === 'password' && status.keychain ? (
            <Button
              disabled={pending}
              onClick={(event) => {
                const user = textOf(new FormData(event.currentTarget.form ?? undefined), 'user');
                void run(() => client.vault.signInWithKeychain({ user })).then(
                  (worked) => worked && go('overview'),
                );
              }}
            >
              Unlock with the keychain of this computer
            </Button>
          ) : null}
        </form>
        <Button
          kind="quiet"
          size="small"
          onClick={() => {
            clear();
            setMode(mode === 'password' ? 'recovery' : 'password');
          }}
        >
          {mode === 'password' ? 'Use the recovery key' : 'Back to the password'}
        </Button>
      </div>
    </main>
  );
}
