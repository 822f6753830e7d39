import { IconCheck } from '@tabler/icons-react';
import { contract } from '#shared/contract/index.ts';
import type { Method } from '#shared/rpc.ts';
import { roles } from '#shared/roles.ts';
import { capital } from '../../lib/format.ts';
import { Panel } from '../../ui/Panel.tsx';
import { Table } from '../../ui/Table.tsx';

/** The matrix that is in force: computed from the contract that the core checks every call against. */
export function RolesTab() {
  const methods = Object.entries(contract).flatMap(([area, declared]) =>
    Object.entries(declared).map(([name, method]) => ({
      path: `${area}.${name}`,
      method: method as Method,
    })),
  );
  const limited = methods.filter(({ method }) => !isForAll(method));
  const free = methods.filter(({ method }) => isForAll(method));
  return (
    <>
      <Panel title="What not every role may do" flush>
        <Table
          label="Roles"
          columns={[{ title: 'Act' }, ...roles.map((role) => ({ title: capital(role) }))]}
          rows={limited.map(({ path, method }) => ({
            key: path,
            cells: [
              <About key="about" path={path} about={method.about} />,
              ...roles.map((role) =>
                method.access !== 'anyone' && method.access.includes(role) ? (
                  <span key={role} className="matrix-yes">
                    <IconCheck size={14} aria-hidden /> yes
                  </span>
                ) : (
                  <span key={role} className="quiet">
                    no
                  </span>
                ),
              ),
            ],
          }))}
        />
      </Panel>
      <Panel title="What everybody may do" flush>
        <Table
          label="Open to every role"
          columns={[{ title: 'Act' }, { title: 'Without signing in' }]}
          rows={free.map(({ path, method }) => ({
            key: path,
            cells: [
              <About key="about" path={path} about={method.about} />,
              method.access === 'anyone' ? 'yes' : <span className="quiet">no</span>,
            ],
          }))}
        />
      </Panel>
    </>
  );
}

function About({ path, about }: { readonly path: string; readonly about: string }) {
  return (
    <>
      {about} <span className="quiet small mono">{path}</span>
    </>
  );
}

function isForAll({ access }: Method): boolean {
  return access === 'anyone' || roles.every((role) => access.includes(role));
}
