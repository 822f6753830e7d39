import { useState } from 'react';
import { contract } from '#shared/contract/index.ts';
import { count, localTime, plural } from '../lib/format.ts';
import { Button } from '../ui/Button.tsx';
import { Notice } from '../ui/Notice.tsx';
import { client } from './client.ts';
import { ReasonDialog } from './ReasonDialog.tsx';
import { useMay } from './session.ts';
import { useApp } from './store.ts';

/** On every page, while the vault is older than what this computer has seen of it. */
export function RolledBackNotice() {
  const rolledBack = useApp(({ status }) => status?.rolledBack);
  const may = useMay();
  const [accepting, setAccepting] = useState(false);
  if (rolledBack === null || rolledBack === undefined) return null;
  const isRestored = rolledBack.restoredFrom !== null;
  return (
    <>
      <Notice
        tone={isRestored ? 'watch' : 'act'}
        title={
          isRestored
            ? 'This vault was restored from a backup: nothing can be changed yet'
            : 'This is not the vault that this computer has seen last: nothing can be changed'
        }
        action={
          may(contract.audit.acceptPin) ? (
            <Button size="small" onClick={() => setAccepting(true)}>
              Accept this vault
            </Button>
          ) : null
        }
      >
        {rolledBack.restoredFrom === null
          ? rolledBack.message
          : `The backup is of ${localTime(rolledBack.restoredFrom)}. Its log has ${plural(rolledBack.foundSize, 'entry', 'entries')}, and this computer has seen ${count(rolledBack.keptSize)}. It can be read, verified and reported on until an administrator accepts it.`}
      </Notice>
      {accepting ? (
        <ReasonDialog
          title="Accept this vault"
          explain={`Its log has ${plural(rolledBack.foundSize, 'entry', 'entries')}, and this computer has seen ${count(rolledBack.keptSize)}. What was in the others is lost to this vault. Accept it only if you know why it is older; both heads and your reason will stand in the log.`}
          act="Accept and go on"
          kind="danger"
          onClose={() => setAccepting(false)}
          onConfirm={(reason) => client.audit.acceptPin({ reason })}
        />
      ) : null}
    </>
  );
}
