import { client } from '../../app/client.ts';
import { Loaded } from '../../app/Page.tsx';
import { useApp } from '../../app/store.ts';
import { useQuery } from '../../app/use-query.ts';
import { capital } from '../../lib/format.ts';
import { Facts } from '../../ui/Facts.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { State } from '../../ui/State.tsx';
import { Table } from '../../ui/Table.tsx';

export function SystemTab() {
  const info = useQuery('info', () => client.system.info(null), []);
  const doctor = useQuery('doctor', () => client.system.doctor(null), []);
  const status = useApp((state) => state.status);
  return (
    <>
      <Panel title="This installation">
        <Loaded query={info}>
          {(facts) => (
            <Facts
              rows={[
                ['Strongroom', facts.version],
                ['Window', capital(facts.host)],
                ['Node', facts.node],
                ['Runtime', facts.runtime],
                ['System', facts.platform],
                [
                  'Vault',
                  <span key="path" className="mono wrap-anywhere">
                    {status?.path}
                  </span>,
                ],
                [
                  'Vault id',
                  <span key="id" className="mono wrap-anywhere">
                    {status?.vaultId}
                  </span>,
                ],
                ['Cryptography', status?.profile === 'fips' ? 'FIPS algorithms only' : 'standard'],
              ]}
            />
          )}
        </Loaded>
      </Panel>
      <Panel title="Self-check" flush>
        <Loaded query={doctor}>
          {({ checks }) => (
            <Table
              label="Self-check"
              columns={[{ title: 'Check' }, { title: 'Result' }, { title: 'What was seen' }]}
              rows={checks.map((check) => ({
                key: check.name,
                cells: [
                  capital(check.name),
                  <State key="ok" tone={check.ok ? 'ok' : 'act'}>
                    {check.ok ? 'holds' : 'fails'}
                  </State>,
                  check.detail,
                ],
              }))}
            />
          )}
        </Loaded>
      </Panel>
    </>
  );
}
