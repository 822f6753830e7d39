import { contract } from '#shared/contract/index.ts';
import type { Method } from '#shared/rpc.ts';
import { roles } from '#shared/roles.ts';
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
  return (
    <Panel title="Who may do what" flush>
      <Table
        label="Roles"
        columns={[{ title: 'Act' }, ...roles.map((role) => ({ title: role }))]}
        rows={methods.map(({ path, method }) => ({
          key: path,
          cells: [
            <div key="about">
              {method.about}
              <div className="quiet small mono">{path}</div>
            </div>,
            ...roles.map((role) =>
              method.access === 'anyone' || method.access.includes(role) ? (
                'yes'
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
  );
}
