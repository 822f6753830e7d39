import { useState } from 'react';
import { contract } from '#shared/contract/index.ts';
import { client } from '../../app/client.ts';
import { Loaded } from '../../app/Page.tsx';
import { ReasonDialog } from '../../app/ReasonDialog.tsx';
import { linkTo } from '../../app/routes.ts';
import { useMay } from '../../app/session.ts';
import { useQuery } from '../../app/use-query.ts';
import { textOf } from '../../lib/form.ts';
import { plural } from '../../lib/format.ts';
import { Button } from '../../ui/Button.tsx';
import { Facts } from '../../ui/Facts.tsx';
import { Field } from '../../ui/Field.tsx';
import { Empty, Panel } from '../../ui/Panel.tsx';
import { Table } from '../../ui/Table.tsx';
import { Time } from '../../ui/Time.tsx';

export function PolicyTab() {
  const may = useMay();
  const policy = useQuery('policy', () => client.policy.show(null), ['policy']);
  const [changing, setChanging] = useState(false);
  return (
    <Loaded query={policy}>
      {(state) => (
        <>
          <Panel
            title="Policy"
            action={
              may(contract.policy.set) ? (
                <Button size="small" onClick={() => setChanging(true)}>
                  Change policy
                </Button>
              ) : null
            }
          >
            <Facts
              rows={[
                [
                  'Approval for production',
                  state.secondPerson
                    ? 'by somebody else than who asked or imported'
                    : 'not needed: one person works alone',
                ],
                [
                  'Bundles nobody trusted has signed',
                  state.unsigned === 'refuse'
                    ? 'refused, always'
                    : 'refused, unless a second person takes the responsibility',
                ],
                [
                  'Signers of a bundle',
                  `${plural(state.signers.required, 'signer', 'different signers')} ${state.signers.from.length === 0 ? 'of the trust list' : `among ${state.signers.from.join(', ')}`}`,
                ],
                [
                  'Serving on 127.0.0.1',
                  state.serving ? 'allowed: an analyst may start it' : 'not allowed',
                ],
                ['Seals itself', `after ${state.idleMinutes} minutes without work`],
              ]}
            />
          </Panel>
          <PolicyHistory />
          {changing ? (
            <ReasonDialog
              title="Change policy"
              explain="The old and the new rules stand in the log."
              act="Change policy"
              onClose={() => setChanging(false)}
              onConfirm={(reason, form) =>
                client.policy.set({
                  reason,
                  secondPerson: form.get('secondPerson') === 'yes',
                  unsigned: form.get('unsigned') === 'override' ? 'override' : 'refuse',
                  signers: {
                    required: Number(form.get('signers')),
                    from: textOf(form, 'signersFrom')
                      .split(',')
                      .map((name) => name.trim())
                      .filter((name) => name !== ''),
                  },
                  serving: form.get('serving') === 'yes',
                  idleMinutes: Number(form.get('idleMinutes')),
                })
              }
            >
              <Field label="A second person approves for production">
                <select name="secondPerson" defaultValue={state.secondPerson ? 'yes' : 'no'}>
                  <option value="yes">Yes</option>
                  <option value="no">No</option>
                </select>
              </Field>
              <Field label="Bundles nobody trusted has signed">
                <select name="unsigned" defaultValue={state.unsigned}>
                  <option value="refuse">Refuse</option>
                  <option value="override">
                    Refuse, unless a second person takes the responsibility
                  </option>
                </select>
              </Field>
              <Field label="Different trusted signers that a bundle needs">
                <input
                  name="signers"
                  type="number"
                  min={1}
                  max={10}
                  required
                  defaultValue={state.signers.required}
                />
              </Field>
              <Field
                label="Whose signatures count"
                hint="Names or roles of the trust list, with commas between. Empty: anybody in it."
              >
                <input name="signersFrom" defaultValue={state.signers.from.join(', ')} />
              </Field>
              <Field label="Models may be served to other programs of this computer">
                <select name="serving" defaultValue={state.serving ? 'yes' : 'no'}>
                  <option value="no">No</option>
                  <option value="yes">Yes, on 127.0.0.1 and with a token</option>
                </select>
              </Field>
              <Field label="Seal after idle minutes">
                <input
                  name="idleMinutes"
                  type="number"
                  min={1}
                  max={480}
                  required
                  defaultValue={state.idleMinutes}
                />
              </Field>
            </ReasonDialog>
          ) : null}
        </>
      )}
    </Loaded>
  );
}

function PolicyHistory() {
  const changes = useQuery('policy changes', () => client.audit.list({ action: 'policy.set' }), [
    'audit',
  ]);
  return (
    <Panel title="Changes" flush>
      <Loaded query={changes}>
        {({ entries }) => {
          // The announcement holds the reason; the entry that answers it holds what was changed.
          const done = entries.filter(({ entry }) => entry.outcome === 'ok');
          const reasonOf = (of: number | undefined): string =>
            entries.find(({ entry }) => entry.index === of)?.entry.reason ?? '';
          return done.length === 0 ? (
            <Empty title="Never changed">The policy is the one the vault was created with.</Empty>
          ) : (
            <Table
              label="Changes of the policy"
              columns={[{ title: 'When' }, { title: 'Who' }, { title: 'Why' }, { title: 'Entry' }]}
              rows={done.map(({ entry }) => ({
                key: String(entry.index),
                cells: [
                  <Time key="at" at={entry.time} />,
                  entry.actor,
                  reasonOf(entry.of),
                  <a key="entry" href={linkTo('audit', String(entry.index))}>
                    {`before and after: ${entry.index}`}
                  </a>,
                ],
              }))}
            />
          );
        }}
      </Loaded>
    </Panel>
  );
}
