import { useState } from 'react';
import { contract } from '#shared/contract/index.ts';
import { defaultPort, type ServingStatus } from '#shared/contract/serving.ts';
import { client } from '../../app/client.ts';
import { ErrorNotice } from '../../app/ErrorNotice.tsx';
import { FormDialog } from '../../app/FormDialog.tsx';
import { Loaded } from '../../app/Page.tsx';
import { linkTo } from '../../app/routes.ts';
import { useMay } from '../../app/session.ts';
import { useAct } from '../../app/use-act.ts';
import { useQuery } from '../../app/use-query.ts';
import { compact, count } from '../../lib/format.ts';
import { Button } from '../../ui/Button.tsx';
import { CopyButton } from '../../ui/CopyButton.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { Facts } from '../../ui/Facts.tsx';
import { Field } from '../../ui/Field.tsx';
import { Empty, Panel } from '../../ui/Panel.tsx';
import { State } from '../../ui/State.tsx';
import { Table } from '../../ui/Table.tsx';
import { Time } from '../../ui/Time.tsx';

interface Started {
  readonly address: string;
  readonly token: string;
}

/** Models for other programs of this computer: on or off, and what they have asked. */
export function ServingTab() {
  const status = useQuery('serving', () => client.serving.status(null), ['serving', 'policy'], {
    keep: true,
  });
  const [starting, setStarting] = useState(false);
  const [started, setStarted] = useState<Started>();
  return (
    <Loaded query={status}>
      {(state) => (
        <>
          <ServingPanel state={state} onStart={() => setStarting(true)} />
          <Requests models={state.models} />
          {starting ? (
            <StartDialog onClose={() => setStarting(false)} onStarted={setStarted} />
          ) : null}
          {started === undefined ? null : (
            <TokenDialog {...started} onClose={() => setStarted(undefined)} />
          )}
        </>
      )}
    </Loaded>
  );
}

function ServingPanel({
  state: { allowed, listening },
  onStart,
}: {
  readonly state: ServingStatus;
  readonly onStart: () => void;
}) {
  const may = useMay();
  const { run, pending, error } = useAct();
  const action =
    listening === null ? (
      allowed && may(contract.serving.start) ? (
        <Button size="small" onClick={onStart}>
          Start serving
        </Button>
      ) : null
    ) : may(contract.serving.stop) ? (
      <Button
        size="small"
        disabled={pending}
        onClick={() => void run(() => client.serving.stop(null))}
      >
        Stop serving
      </Button>
    ) : null;
  return (
    <Panel title="Serving" action={action}>
      <div className="stack">
        <p className="quiet">
          Programs of this computer can ask models for predictions over a port on 127.0.0.1, by the
          Open Inference Protocol v2. NAME takes the tensors of the model as they are, NAME:rows
          takes columns of rows and sends them through the pipeline or the saved binding. A program
          needs a token, which is shown once. Every call stands in the log. Serving ends when the
          vault is sealed.
        </p>
        <ErrorNotice error={error} />
        {listening === null ? (
          <Facts
            rows={[
              [
                'State',
                <div key="state" className="row">
                  <State tone="neutral">off</State>
                  {allowed ? null : (
                    <span className="quiet">
                      The policy does not allow it. An administrator can change that under Policy.
                    </span>
                  )}
                </div>,
              ],
            ]}
          />
        ) : (
          <Facts
            rows={[
              [
                'State',
                <State key="state" tone="accent">
                  on
                </State>,
              ],
              [
                'Address',
                <div key="address" className="row">
                  <span className="mono">http://{listening.address}</span>
                  <CopyButton size="small" text={`http://${listening.address}`}>
                    Copy
                  </CopyButton>
                </div>,
              ],
              [
                'Started',
                <span key="since">
                  <Time at={listening.since} /> by {listening.by}
                </span>,
              ],
              ['Requests that come together', joining(listening)],
              [
                'Turned away',
                `${count(listening.turnedAway)} without the token, from a browser or for another host`,
              ],
            ]}
          />
        )}
      </div>
    </Panel>
  );
}

function joining({
  maxQueueDelayMicroseconds: delay,
  maxBatch,
}: NonNullable<ServingStatus['listening']>): string {
  return delay === 0
    ? 'each is run alone'
    : `wait for ${compact(delay / 1000)} ms and are run together, up to ${count(maxBatch)} rows`;
}

function Requests({ models }: Pick<ServingStatus, 'models'>) {
  const ms = (value: number | null): string => (value === null ? '' : `${compact(value)} ms`);
  return (
    <Panel title="Requests since serving was started" flush>
      {models.length === 0 ? (
        <Empty title="Nothing was asked yet">
          A model in production is asked by its name, other versions by their number.
        </Empty>
      ) : (
        <Table
          label="Requests by version"
          columns={[
            { title: 'Version' },
            { title: 'Answered', align: 'number' },
            { title: 'Failed', align: 'number' },
            { title: 'Waiting', align: 'number' },
            { title: 'Rows', align: 'number' },
            { title: 'Runs of the model', align: 'number' },
            { title: 'Mean time', align: 'number' },
            { title: 'In the model', align: 'number' },
            { title: 'Last' },
          ]}
          rows={models.map((each) => ({
            key: `${each.model}@${each.version}`,
            cells: [
              <a key="model" href={linkTo('models', each.model.replace(/:rows$/, ''))}>
                {`${each.model}@${each.version}`}
              </a>,
              count(each.succeeded),
              count(each.failed),
              count(each.pending),
              count(each.inferences),
              count(each.executions),
              ms(each.meanMs),
              ms(each.meanInferMs),
              each.lastInferenceAt === null ? '' : <Time key="last" at={each.lastInferenceAt} />,
            ],
          }))}
        />
      )}
    </Panel>
  );
}

function StartDialog({
  onClose,
  onStarted,
}: {
  readonly onClose: () => void;
  readonly onStarted: (started: Started) => void;
}) {
  return (
    <FormDialog
      title="Start serving"
      explain="Whoever has the token, and runs on this computer, can ask every version that may run. The vault stays open for as long as requests come."
      act="Start serving"
      onClose={onClose}
      onSubmit={async (form) => {
        onStarted(
          await client.serving.start({
            port: Number(form.get('port')),
            maxQueueDelayMicroseconds: Math.round(1000 * Number(form.get('delay'))),
            maxBatch: Number(form.get('maxBatch')),
          }),
        );
        onClose();
      }}
    >
      <Field label="Port" hint="0 is any that is free.">
        <input name="port" type="number" min={0} max={65535} required defaultValue={defaultPort} />
      </Field>
      <Field
        label="Wait for others, in milliseconds"
        hint="0: each request is run alone. Otherwise those that fit are run together, and the last digits of a result can depend on who else asks."
      >
        <input name="delay" type="number" min={0} max={1000} step="any" required defaultValue={0} />
      </Field>
      <Field label="Rows that are run together, at most">
        <input name="maxBatch" type="number" min={1} max={4096} required defaultValue={64} />
      </Field>
    </FormDialog>
  );
}

function TokenDialog({
  address,
  token,
  onClose,
}: Started & {
  readonly onClose: () => void;
}) {
  return (
    <Dialog title="The token, shown this once" stays onClose={onClose}>
      <p className="quiet">
        Every request to http://{address} carries it in its header Authorization. It ends with this
        serving; a new start makes a new one.
      </p>
      <Field label="Token">
        <input className="mono" readOnly value={token} onFocus={(event) => event.target.select()} />
      </Field>
      <footer>
        <CopyButton text={token}>Copy the token</CopyButton>
        <Button kind="primary" onClick={onClose}>
          I have it
        </Button>
      </footer>
    </Dialog>
  );
}
