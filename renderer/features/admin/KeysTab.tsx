import { useState } from 'react';
import { contract } from '#shared/contract/index.ts';
import { purpose, type Purpose } from '#shared/contract/keys.ts';
import { client } from '../../app/client.ts';
import { Loaded } from '../../app/Page.tsx';
import { ReasonDialog } from '../../app/ReasonDialog.tsx';
import {
  RecoveryPaper,
  RecoverySplitField,
  splitOf,
  type RecoverySecret,
} from '../../app/RecoveryPaper.tsx';
import { useMay, useSession } from '../../app/session.ts';
import { useApp } from '../../app/store.ts';
import { useQuery } from '../../app/use-query.ts';
import { Button } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { Facts } from '../../ui/Facts.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { State } from '../../ui/State.tsx';
import { capital } from '../../lib/format.ts';
import { textOf } from '../../lib/form.ts';
import { KeychainDialog } from './KeychainDialog.tsx';
import { SetPassword } from './UserDialogs.tsx';

const purposeWords: Readonly<Record<Purpose, string>> = {
  models: 'Models: files of models, kept data',
  records: 'Records: runs, profiles, references',
  catalog: 'Catalog: users, trust, policy, versions',
  audit: 'Audit: the log, and what it signs with',
};

/** One's own way into the vault, and the keys that administrators look after. */
export function KeysTab() {
  const may = useMay();
  return (
    <>
      <OwnKeys />
      {may(contract.keys.recovery) ? <RecoveryKeys /> : null}
      {may(contract.keys.rotate) ? <PurposeKeys /> : null}
    </>
  );
}

function OwnKeys() {
  const session = useSession();
  const may = useMay();
  const minLength = useApp(({ status }) => status?.passwordPolicy.minLength);
  const keychain = useQuery('keychain', () => client.keys.keychain(null), ['users']);
  const [open, setOpen] = useState<'password' | 'keychain'>();
  const close = (): void => setOpen(undefined);
  return (
    <Panel
      title="Your way in"
      action={
        may(contract.users.password) ? (
          <Button size="small" onClick={() => setOpen('password')}>
            Change my password
          </Button>
        ) : null
      }
    >
      <Loaded query={keychain}>
        {({ available, enabled, reason }) => (
          <>
            <Facts
              rows={[
                ['Name', `${session.user}, ${session.role}`],
                ['Password', `at least ${minLength} characters`],
                [
                  'Keychain',
                  <div key="keychain" className="row">
                    <State tone={enabled ? 'ok' : 'neutral'}>{enabled ? 'on' : 'off'}</State>
                    <span className="quiet">{reason}</span>
                    {(available || enabled) && may(contract.keys.setKeychain) ? (
                      <Button size="small" onClick={() => setOpen('keychain')}>
                        {enabled ? 'Switch off' : 'Switch on'}
                      </Button>
                    ) : null}
                  </div>,
                ],
              ]}
            />
            {open === 'keychain' ? <KeychainDialog enable={!enabled} onClose={close} /> : null}
          </>
        )}
      </Loaded>
      {open === 'password' ? <SetPassword user={{ name: session.user }} onClose={close} /> : null}
    </Panel>
  );
}

function RecoveryKeys() {
  const [asking, setAsking] = useState(false);
  const [secret, setSecret] = useState<RecoverySecret>();
  return (
    <Panel
      title="Recovery key"
      action={
        <Button size="small" onClick={() => setAsking(true)}>
          Make a new one
        </Button>
      }
    >
      <p className="quiet">
        Opens the vault when every administrator has forgotten the password. It was shown once, when
        it was made. A new one ends the old one, and may be handed out in shares.
      </p>
      {asking ? (
        <ReasonDialog
          title="New recovery key"
          explain="The old recovery key, or its shares, will no longer open the vault. The new one is shown once."
          act="Make new recovery key"
          onClose={() => setAsking(false)}
          onConfirm={async (reason, form) => {
            const shares = splitOf(textOf(form, 'split')) ?? null;
            const { recoveryKey } = await client.keys.recovery({ shares, reason });
            setSecret({ recoveryKey, threshold: shares?.threshold });
          }}
        >
          <RecoverySplitField label="Handed out as" />
        </ReasonDialog>
      ) : null}
      {secret === undefined ? null : (
        <Dialog title="New recovery key" onClose={() => setSecret(undefined)} stays>
          <p className="quiet">
            {secret.threshold === undefined
              ? 'Shown this once. Write it down or print it, and keep it away from this machine.'
              : 'Shown this once. Write each share on its own paper and give them to different people.'}
          </p>
          <RecoveryPaper {...secret} />
          <footer>
            <Button kind="primary" onClick={() => setSecret(undefined)}>
              I have written it down
            </Button>
          </footer>
        </Dialog>
      )}
    </Panel>
  );
}

function PurposeKeys() {
  const [asking, setAsking] = useState(false);
  const [rotated, setRotated] = useState<readonly Purpose[]>();
  return (
    <Panel
      title="Keys of the vault"
      action={
        <Button size="small" onClick={() => setAsking(true)}>
          Rotate keys
        </Button>
      }
    >
      <div className="stack">
        <p className="quiet">
          After somebody has lost a role or an account, an older copy of <code>vault.json</code>{' '}
          still opens with their old password. New keys make such a copy useless for what is stored
          now. Whole copies of the vault from before keep their old keys. With the key of the log it
          gets a new signing key, which the old one vouches for: what was signed before stays valid.
        </p>
        {rotated === undefined ? null : (
          <Notice tone="accent" title="New keys are in use">
            {capital(rotated.join(', '))}. Everybody signs in as before.
          </Notice>
        )}
      </div>
      {asking ? (
        <ReasonDialog
          title="Rotate keys"
          explain="Databases are encrypted anew and object keys wrapped anew; the model files stay as they are. Everybody signs in as before."
          act="Rotate keys"
          onClose={() => setAsking(false)}
          onConfirm={async (reason, form) => {
            const purposes = purpose.options.filter((name) => form.get(name) !== null);
            setRotated((await client.keys.rotate({ purposes, reason })).rotated);
          }}
        >
          {purpose.options.map((name) => (
            <label key={name} className="check">
              <input type="checkbox" name={name} defaultChecked />
              {purposeWords[name]}
            </label>
          ))}
        </ReasonDialog>
      ) : null}
    </Panel>
  );
}
