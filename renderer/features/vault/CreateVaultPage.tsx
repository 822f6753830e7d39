import { IconBuildingBank } from '@tabler/icons-react';
import { useState } from 'react';
import type { VaultStatus } from '#shared/contract/vault.ts';
import { client } from '../../app/client.ts';
import { ErrorNotice } from '../../app/ErrorNotice.tsx';
import { RecoverySplitField, splitOf, type RecoverySecret } from '../../app/RecoveryPaper.tsx';
import { appStore, refreshStatus } from '../../app/store.ts';
import { useAct } from '../../app/use-act.ts';
import { Button } from '../../ui/Button.tsx';
import { Field } from '../../ui/Field.tsx';
import { PasswordFields } from './PasswordFields.tsx';
import { RecoveryKeyStep } from './RecoveryKeyStep.tsx';
import { RestorePage } from './RestorePage.tsx';
import { textOf } from '../../lib/form.ts';

/** Three steps: who and how, the recovery key, in. */
export function CreateVaultPage({ status }: { readonly status: VaultStatus }) {
  const { run, pending, error } = useAct();
  const [fits, setFits] = useState(false);
  const [secret, setSecret] = useState<RecoverySecret>();
  const [restoring, setRestoring] = useState(false);
  if (restoring) return <RestorePage status={status} onBack={() => setRestoring(false)} />;
  if (secret !== undefined) {
    return (
      <RecoveryKeyStep
        {...secret}
        onConfirmed={() => {
          appStore.setState({ confirming: false });
          void refreshStatus();
        }}
      />
    );
  }
  const create = async (form: FormData): Promise<void> => {
    // The core reports the open vault before its reply is here; this keeps the key in view until it is confirmed.
    appStore.setState({ confirming: true });
    const split = splitOf(textOf(form, 'split'));
    try {
      const created = await client.vault.create({
        user: textOf(form, 'user'),
        password: textOf(form, 'password'),
        profile: form.get('profile') === 'fips' ? 'fips' : 'standard',
        policy: form.get('policy') === 'solo' ? 'solo' : 'standard',
        recoveryShares: split,
      });
      setSecret({ recoveryKey: created.recoveryKey, threshold: split?.threshold });
    } catch (caught) {
      appStore.setState({ confirming: false });
      throw caught;
    }
  };
  return (
    <main className="gate">
      <div className="gate-card">
        <div className="row">
          <IconBuildingBank size={22} aria-hidden />
          <h1>Create a vault</h1>
          <Button kind="link" disabled={pending} onClick={() => setRestoring(true)}>
            or restore one from a backup
          </Button>
        </div>
        <p className="quiet">
          Models, records and the log will be kept encrypted in{' '}
          <span className="mono wrap-anywhere">{status.path}</span>. You become its first
          administrator.
        </p>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            const form = new FormData(event.currentTarget);
            void run(() => create(form));
          }}
        >
          <Field label="Your name" hint="As it will stand in the log.">
            <input name="user" required maxLength={64} autoComplete="username" autoFocus />
          </Field>
          <PasswordFields minLength={status.passwordPolicy.minLength} onMatch={setFits} />
          <Field
            label="Approval for production"
            hint="Can be changed later, under Admin, with a reason."
          >
            <select name="policy" defaultValue="standard">
              <option value="standard">A second person approves</option>
              <option value="solo">I work alone: no second person</option>
            </select>
          </Field>
          <Field label="Cryptography" hint="Stays for the life of the vault.">
            <select name="profile" defaultValue="standard">
              <option value="standard">Standard (Argon2id)</option>
              <option value="fips">FIPS algorithms only (PBKDF2)</option>
            </select>
          </Field>
          <RecoverySplitField
            label="Recovery key"
            hint="Opens the vault when every password is forgotten."
          />
          <ErrorNotice error={error} />
          <Button submit kind="primary" disabled={pending || !fits}>
            {pending ? 'Creating the vault…' : 'Create vault'}
          </Button>
        </form>
      </div>
    </main>
  );
}
