import { useState } from 'react';
import { contract } from '#shared/contract/index.ts';
import type { RememberedBackup } from '#shared/contract/backups.ts';
import type { VaultStatus } from '#shared/contract/vault.ts';
import { client } from '../../app/client.ts';
import { FileDialog, type PickedPlace } from '../../app/FileDialog.tsx';
import { Loaded } from '../../app/Page.tsx';
import { useMay } from '../../app/session.ts';
import { useApp } from '../../app/store.ts';
import { useQuery } from '../../app/use-query.ts';
import { ago, plural } from '../../lib/format.ts';
import { Button } from '../../ui/Button.tsx';
import { Facts } from '../../ui/Facts.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { Empty, Panel } from '../../ui/Panel.tsx';
import { State } from '../../ui/State.tsx';
import { Table } from '../../ui/Table.tsx';
import { Time } from '../../ui/Time.tsx';
import { BackupDialog } from './BackupDialog.tsx';
import { CheckBackupDialog } from './CheckBackupDialog.tsx';

type Asked = 'make' | 'continue' | 'check';

/** Copies of the vault elsewhere, and what this computer keeps to notice an older one. */
export function CustodyTab() {
  const may = useMay();
  const backups = useQuery('backups', () => client.backups.list(null), ['audit']);
  const [asked, setAsked] = useState<Asked>();
  const [folder, setFolder] = useState<PickedPlace>();
  const [doing, setDoing] = useState<Asked>();
  const close = (): void => {
    setFolder(undefined);
    setDoing(undefined);
  };
  return (
    <>
      <Loaded query={backups}>
        {(list) => (
          <>
            <Standing list={list} />
            {list[0]?.state === 'unfinished' && may(contract.backups.make) ? (
              <Notice
                tone="watch"
                title="A backup is not finished"
                action={
                  <Button size="small" onClick={() => setAsked('continue')}>
                    Go on with it
                  </Button>
                }
              >
                It waits for its next medium, or was interrupted. What it has written counts; until
                it is finished it cannot be restored.
              </Notice>
            ) : null}
            <Panel
              title="Backups"
              flush
              action={
                <div className="row">
                  <Button size="small" onClick={() => setAsked('check')}>
                    Check a backup
                  </Button>
                  {may(contract.backups.make) ? (
                    <Button kind="primary" size="small" onClick={() => setAsked('make')}>
                      Make backup
                    </Button>
                  ) : null}
                </div>
              }
            >
              <History list={list} />
            </Panel>
          </>
        )}
      </Loaded>
      {asked === undefined ? null : (
        <FileDialog
          title={asked === 'check' ? 'Where the backup is' : 'Medium for the backup'}
          pick="folder"
          onPick={(place) => {
            setFolder(place);
            setDoing(asked);
          }}
          onClose={() => setAsked(undefined)}
        />
      )}
      {folder !== undefined && doing === 'check' ? (
        <CheckBackupDialog folder={folder} onClose={close} />
      ) : null}
      {folder !== undefined && (doing === 'make' || doing === 'continue') ? (
        <BackupDialog
          folder={folder}
          continues={doing === 'continue'}
          onNext={() => {
            close();
            setAsked('continue');
          }}
          onClose={() => {
            close();
            backups.reload();
          }}
        />
      ) : null}
    </>
  );
}

function Standing({ list }: { readonly list: readonly RememberedBackup[] }) {
  const status = useApp((state) => state.status);
  return (
    <Panel title="Custody">
      <Facts
        rows={[
          ['Last backup', <LastBackup key="last" list={list} />],
          ['Kept outside the vault', pinWords(status?.pin ?? null)],
        ]}
      />
    </Panel>
  );
}

function LastBackup({ list }: { readonly list: readonly RememberedBackup[] }) {
  const status = useApp((state) => state.status);
  const last = list.find(({ state }) => state === 'complete');
  const restoredFrom = status?.rolledBack?.restoredFrom ?? null;
  // The list is as old as the backup that it came back with.
  if (restoredFrom !== null) return <>the one that this vault was restored from</>;
  if (last === undefined || last.finishedAt === null)
    return <State tone="watch">never: all of it is on this disk alone</State>;
  const since = (status?.log?.size ?? 0) - (last.logSize ?? 0);
  return (
    <>
      {ago(last.finishedAt, new Date())}; {plural(since, 'entry', 'entries')} of the log came after
      it
    </>
  );
}

function pinWords(pin: VaultStatus['pin']): string {
  switch (pin?.state) {
    case 'kept':
      return `the newest checkpoint, over ${plural(pin.size ?? 0, 'entry', 'entries')}: an older copy of the vault would be noticed`;
    case 'unreadable':
      return 'a checkpoint that cannot be read or written: an older copy would not be noticed. See System';
    case 'off':
      return 'nothing: an older copy of the vault would not be noticed on this computer';
    default:
      return 'nothing before this sign-in; from now on an older copy will be noticed';
  }
}

function History({ list }: { readonly list: readonly RememberedBackup[] }) {
  const isRestored = useApp(({ status }) => (status?.rolledBack?.restoredFrom ?? null) !== null);
  if (list.length === 0)
    return isRestored ? (
      <Empty title="Not in the list yet">
        The backup that this vault came from is added when an administrator accepts the vault. Until
        then the list is as old as the backup.
      </Empty>
    ) : (
      <Empty title="No backup yet">
        A backup copies the encrypted vault to another medium and signs what it wrote. Restoring it
        takes no password; opening it does.
      </Empty>
    );
  return (
    <Table
      label="Backups"
      columns={[
        { title: 'Started' },
        { title: 'By' },
        { title: 'State' },
        { title: 'Snapshot', align: 'number' },
        { title: 'Log entries', align: 'number' },
        { title: 'Where' },
      ]}
      rows={list.map((backup) => ({
        key: backup.id,
        cells: [
          <Time key="at" at={backup.startedAt} />,
          backup.startedBy,
          <State key="state" tone={backup.state === 'complete' ? 'ok' : 'watch'}>
            {backup.state}
          </State>,
          backup.snapshot ?? '',
          backup.logSize ?? '',
          <span key="where" className="mono small wrap-anywhere">
            {backup.places.join(', ')}
          </span>,
        ],
      }))}
    />
  );
}
