import { useState } from 'react';
import { contract } from '#shared/contract/index.ts';
import type { User } from '#shared/contract/users.ts';
import type { Role } from '#shared/roles.ts';
import { client } from '../../app/client.ts';
import { Loaded } from '../../app/Page.tsx';
import { ReasonDialog } from '../../app/ReasonDialog.tsx';
import { useMay, useSession } from '../../app/session.ts';
import { useQuery } from '../../app/use-query.ts';
import { Button } from '../../ui/Button.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { State } from '../../ui/State.tsx';
import { Table } from '../../ui/Table.tsx';
import { Time } from '../../ui/Time.tsx';
import { textOf } from '../../lib/form.ts';
import { AddUser, NewPassword, RoleField, SetPassword } from './UserDialogs.tsx';

type Open =
  | { readonly act: 'add' }
  | { readonly act: 'disable' | 'enable' | 'role' | 'password'; readonly user: User };

export function UsersTab() {
  const may = useMay();
  const { user: self } = useSession();
  const users = useQuery('users', () => client.users.list(null), ['users']);
  const [open, setOpen] = useState<Open>();
  /** Lost keys in this sitting; an older copy of the vault file still has them. */
  const [lostKeys, setLostKeys] = useState<string>();
  const close = (): void => setOpen(undefined);
  const isAdministrator = may(contract.users.add);
  return (
    <>
      {lostKeys === undefined ? null : (
        <Notice
          tone="watch"
          title={`Rotate the keys, if ${lostKeys} may have a copy of the vault`}
          action={
            <Button size="small" onClick={() => setLostKeys(undefined)}>
              Dismiss
            </Button>
          }
        >
          A copy of <code>vault.json</code> from before still opens with the old password. New keys,
          under Keys, make it useless for what is stored now.
        </Notice>
      )}
      <Panel
        title="Users"
        action={
          isAdministrator ? (
            <Button kind="primary" size="small" onClick={() => setOpen({ act: 'add' })}>
              Add user
            </Button>
          ) : null
        }
        flush
      >
        <Loaded query={users}>
          {(list) => (
            <Table
              label="Users"
              columns={[
                { title: 'Name' },
                { title: 'Role' },
                { title: 'State' },
                { title: 'Last sign-in' },
                { title: '' },
              ]}
              rows={list.map((user) => ({
                key: user.name,
                cells: [
                  <strong key="name">{user.name}</strong>,
                  user.role,
                  <State key="state" tone={user.state === 'active' ? 'ok' : 'neutral'}>
                    {user.state}
                  </State>,
                  user.lastSignIn === null ? (
                    <span className="quiet">never</span>
                  ) : (
                    <Time key="at" at={user.lastSignIn} />
                  ),
                  <div key="acts" className="row">
                    {isAdministrator ? (
                      <>
                        <Button
                          size="small"
                          aria-label={`Change role of ${user.name}`}
                          onClick={() => setOpen({ act: 'role', user })}
                        >
                          Role
                        </Button>
                        <Button
                          size="small"
                          aria-label={`${user.state === 'active' ? 'Disable' : 'Enable'} ${user.name}`}
                          onClick={() =>
                            setOpen({ act: user.state === 'active' ? 'disable' : 'enable', user })
                          }
                        >
                          {user.state === 'active' ? 'Disable' : 'Enable'}
                        </Button>
                      </>
                    ) : null}
                    {isAdministrator || (user.name === self && may(contract.users.password)) ? (
                      <Button
                        size="small"
                        aria-label={`Set password of ${user.name}`}
                        onClick={() => setOpen({ act: 'password', user })}
                      >
                        Password
                      </Button>
                    ) : null}
                  </div>,
                ],
              }))}
            />
          )}
        </Loaded>
      </Panel>
      {open?.act === 'add' ? <AddUser onClose={close} /> : null}
      {open?.act === 'password' ? <SetPassword user={open.user} onClose={close} /> : null}
      {open?.act === 'disable' ? (
        <ReasonDialog
          title={`Disable ${open.user.name}`}
          explain="The key slot is removed: no password opens the vault for this name any more. An older copy of vault.json still would; rotating the keys, under Keys, ends that."
          act={`Disable ${open.user.name}`}
          kind="danger"
          onClose={close}
          onConfirm={async (reason) => {
            await client.users.disable({ name: open.user.name, reason });
            setLostKeys(open.user.name);
          }}
        />
      ) : null}
      {open?.act === 'enable' ? (
        <ReasonDialog
          title={`Enable ${open.user.name}`}
          explain="A new key slot is made, with a new password."
          act={`Enable ${open.user.name}`}
          onClose={close}
          onConfirm={(reason, form) =>
            client.users.enable({
              name: open.user.name,
              reason,
              password: textOf(form, 'password'),
            })
          }
        >
          <NewPassword label="New password" />
        </ReasonDialog>
      ) : null}
      {open?.act === 'role' ? (
        <ReasonDialog
          title={`Role of ${open.user.name}`}
          explain="The keys that the slot holds change with the role: an auditor's slot has no key of the models. An older copy of vault.json still holds what it held; rotating the keys, under Keys, ends that."
          act="Change role"
          onClose={close}
          onConfirm={async (reason, form) => {
            const role = textOf(form, 'role') as Role;
            await client.users.role({ name: open.user.name, reason, role });
            // The other roles hold the same keys; what tells them apart stands in the catalog.
            if (role === 'auditor' && open.user.role !== 'auditor') setLostKeys(open.user.name);
          }}
        >
          <RoleField initial={open.user.role} />
        </ReasonDialog>
      ) : null}
    </>
  );
}
