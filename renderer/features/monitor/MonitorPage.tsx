import { useState } from 'react';
import { contract } from '#shared/contract/index.ts';
import type { MonitorView } from '#shared/contract/monitor.ts';
import { client } from '../../app/client.ts';
import { Loaded, Page } from '../../app/Page.tsx';
import { ReasonDialog } from '../../app/ReasonDialog.tsx';
import { go } from '../../app/routes.ts';
import { useMay } from '../../app/session.ts';
import { useQuery } from '../../app/use-query.ts';
import { count, localTime, percent } from '../../lib/format.ts';
import { Button } from '../../ui/Button.tsx';
import { RunTimeline } from '../../ui/RunTimeline.tsx';
import { Facts } from '../../ui/Facts.tsx';
import { Empty, Panel } from '../../ui/Panel.tsx';
import { State } from '../../ui/State.tsx';
import { Table } from '../../ui/Table.tsx';
import { Time } from '../../ui/Time.tsx';
import { driftTone, driftWord, testName } from '../../ui/words.ts';
import { ColumnPanel } from './ColumnPanel.tsx';

/** Runs in time, columns ranked by how much they moved, and the chosen column's two distributions. */
export function MonitorPage({
  version,
  runId,
}: {
  /** A model (of which the version in production is shown, else the newest), or one version of it. */
  readonly version: string | undefined;
  readonly runId: string | undefined;
}) {
  const models = useQuery('models', () => client.models.list(null), ['models']);
  return (
    <Loaded query={models}>
      {(list) => {
        const chosen = version ?? list[0]?.name;
        if (chosen === undefined) {
          return (
            <Page title="Monitor">
              <Panel>
                <Empty title="Nothing to watch yet">
                  Import a model and score a file with it. Every run is compared with the reference
                  of its version.
                </Empty>
              </Panel>
            </Page>
          );
        }
        return (
          <Watched key={chosen} asked={chosen} names={list.map(({ name }) => name)} runId={runId} />
        );
      }}
    </Loaded>
  );
}

function Watched({
  asked,
  names,
  runId,
}: {
  readonly asked: string;
  readonly names: readonly string[];
  readonly runId: string | undefined;
}) {
  const may = useMay();
  const model = asked.split('@', 1)[0] ?? asked;
  const view = useQuery(
    `monitor ${asked} ${runId ?? ''}`,
    () => client.monitor.show({ version: asked, ...(runId === undefined ? {} : { runId }) }),
    ['monitor', 'models'],
    { keep: true },
  );
  const [setting, setSetting] = useState(false);
  const current = view.data?.current;
  return (
    <Page
      title={`Monitor ${model}`}
      action={
        <>
          {names.length < 2 ? null : (
            <select
              aria-label="Model"
              value={model}
              onChange={(event) => go('monitor', event.currentTarget.value)}
            >
              {names.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          )}
          {may(contract.monitor.setReference) && current !== null && current !== undefined ? (
            <Button onClick={() => setSetting(true)}>Make this run the reference…</Button>
          ) : null}
        </>
      }
    >
      <Loaded query={view}>{(data) => <View view={data} asked={asked} />}</Loaded>
      {setting && current !== null && current !== undefined ? (
        <ReasonDialog
          title="Make this run the reference"
          explain={`Later runs of ${asked} are compared with the run of ${localTime(current.at)} instead of the present reference.`}
          act="Make it the reference"
          onClose={() => setSetting(false)}
          onConfirm={(reason) => client.monitor.setReference({ runId: current.runId, reason })}
        />
      ) : null}
    </Page>
  );
}

function View({ view, asked }: { readonly view: MonitorView; readonly asked: string }) {
  const { model, version, state, summary, reference, current, columns, timeline } = view;
  const [chosen, setChosen] = useState<string>();
  const column = columns.find(({ name, role }) => `${role} ${name}` === chosen) ?? columns[0];
  const chosenRun = timeline.find(({ runId }) => runId === current?.runId);
  return (
    <>
      <div className="verdict" data-tone={state === 'unknown' ? 'neutral' : state}>
        <div className="row">
          <State tone={driftTone(state)}>{driftWord(state)}</State>
          <h2>{summary}</h2>
        </div>
        <p className="quiet">
          {model}@{version}
          {current === null ? null : (
            <>
              , {count(current.rows)} rows scored <Time at={current.at} />
            </>
          )}
        </p>
      </div>
      <Panel title="Runs">
        {timeline.length === 0 ? (
          <Empty title="No runs yet">
            {reference === null
              ? 'The first run of at least 30 rows becomes the reference.'
              : 'The reference came with the bundle; score a file to compare it.'}
          </Empty>
        ) : (
          <div className="timeline">
            <RunTimeline
              points={timeline.map((point) => ({
                id: point.runId,
                at: localTime(point.at),
                state: point.state,
                label: `${localTime(point.at)}, ${point.inputName}, ${count(point.rows)} rows: ${driftWord(point.state)}`,
              }))}
              selected={current?.runId ?? null}
              onSelect={(id) => go('monitor', asked, id)}
            />
            <Facts
              rows={[
                ['File', chosenRun?.inputName ?? 'none'],
                ['Rows', count(current?.rows ?? 0)],
                [
                  'Reference',
                  reference === null ? (
                    'none yet'
                  ) : (
                    <span key="reference">
                      {count(reference.rows)} rows{' '}
                      {reference.source === 'bundle' ? 'from the bundle' : 'of a run'}, since{' '}
                      <Time at={reference.since} />
                    </span>
                  ),
                ],
              ]}
            />
          </div>
        )}
      </Panel>
      {columns.length === 0 || column === undefined ? null : (
        <div className="split" data-wide="left">
          <Panel title="Columns, most moved first" flush>
            <Table
              label="Columns"
              columns={[
                { title: 'Column' },
                { title: 'State' },
                { title: 'Test' },
                { title: 'Effect', align: 'number' },
                { title: 'Counts from', align: 'number' },
                { title: 'Missing', align: 'number' },
              ]}
              rows={columns.map((each) => ({
                key: `${each.role} ${each.name}`,
                selected: each === column,
                onOpen: () => setChosen(`${each.role} ${each.name}`),
                cells: [
                  <button
                    key="name"
                    type="button"
                    className="button"
                    data-kind="quiet"
                    data-size="small"
                    onClick={() => setChosen(`${each.role} ${each.name}`)}
                  >
                    {each.name}
                    {each.role === 'output' ? <span className="quiet small">output</span> : null}
                  </button>,
                  <State key="state" tone={driftTone(each.state)}>
                    {driftWord(each.state)}
                  </State>,
                  testName(each.method),
                  each.value.toFixed(3),
                  each.threshold.toFixed(3),
                  percent(each.missing.current),
                ],
              }))}
            />
          </Panel>
          <ColumnPanel column={column} />
        </div>
      )}
    </>
  );
}
