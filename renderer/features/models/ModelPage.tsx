import { useState } from 'react';
import { contract } from '#shared/contract/index.ts';
import { client } from '../../app/client.ts';
import { Loaded, Page } from '../../app/Page.tsx';
import { ReasonDialog } from '../../app/ReasonDialog.tsx';
import { go, linkTo } from '../../app/routes.ts';
import { useMay } from '../../app/session.ts';
import { useQuery } from '../../app/use-query.ts';
import { plural } from '../../lib/format.ts';
import { Button } from '../../ui/Button.tsx';
import { Digest } from '../../ui/Digest.tsx';
import { Empty, Panel } from '../../ui/Panel.tsx';
import { State } from '../../ui/State.tsx';
import { Table } from '../../ui/Table.tsx';
import { Time } from '../../ui/Time.tsx';
import { stageTone } from '../../ui/words.ts';
import { CardTab } from './CardTab.tsx';
import { DiffTab } from './DiffTab.tsx';
import { GraphTab } from './GraphTab.tsx';
import { VersionActs } from './VersionActs.tsx';

const tabs = [
  ['versions', 'Versions'],
  ['runs', 'Runs'],
  ['card', 'Card'],
  ['graph', 'Graph'],
  ['history', 'History'],
  ['compare', 'Compare'],
] as const;

export function ModelPage({ model, tab }: { readonly model: string; readonly tab: string }) {
  const may = useMay();
  const shown = useQuery(`model ${model}`, () => client.models.show({ model }), ['models']);
  const [rollingBack, setRollingBack] = useState(false);
  const summary = shown.data?.summary;
  return (
    <Page
      title={model}
      action={
        <>
          <Button onClick={() => go('monitor', model)}>Monitor</Button>
          {may(contract.models.rollback) && summary !== undefined && summary.production !== null ? (
            <Button onClick={() => setRollingBack(true)}>Roll back…</Button>
          ) : null}
          {may(contract.runs.start) ? (
            <Button kind="primary" onClick={() => go('run', model)}>
              Run on a file
            </Button>
          ) : null}
        </>
      }
    >
      <nav className="tabs" aria-label={`About ${model}`}>
        {tabs.map(([path, name]) => (
          <a
            key={path}
            href={linkTo('models', model, path)}
            {...(tab === path ? { 'aria-current': 'page' as const } : {})}
          >
            {name}
          </a>
        ))}
      </nav>
      <Loaded query={shown}>
        {({ versions }) => {
          const current = versions.find(({ stage }) => stage === 'production') ?? versions[0];
          const reference = current === undefined ? model : `${model}@${current.version}`;
          if (tab === 'runs') return <Runs model={model} />;
          if (tab === 'card') return <CardTab version={reference} />;
          if (tab === 'graph') return <GraphTab version={reference} />;
          if (tab === 'history') return <History model={model} />;
          if (tab === 'compare') return <DiffTab versions={versions} />;
          return (
            <Panel title={plural(versions.length, 'version')} flush>
              <Table
                label="Versions"
                columns={[
                  { title: 'Version' },
                  { title: 'Stage' },
                  { title: 'Signature' },
                  { title: 'Digest' },
                  { title: 'Imported' },
                  { title: '' },
                ]}
                rows={versions.map((version) => ({
                  key: String(version.version),
                  cells: [
                    <strong key="version">{`@${version.version}`}</strong>,
                    <div key="stage" className="stack">
                      <div className="row">
                        <State tone={stageTone(version.stage)}>{version.stage}</State>
                        {version.aliases.map((alias) => (
                          <span key={alias} className="quiet small">{`@${alias}`}</span>
                        ))}
                      </div>
                      {version.pending === null ? null : (
                        <span className="small">
                          {version.pending.requestedBy} asks for {version.pending.to}: “
                          {version.pending.reason}”
                        </span>
                      )}
                    </div>,
                    <div key="signature">
                      {version.signature.status}
                      {version.signature.signer === null ? '' : ` by ${version.signature.signer}`}
                      {version.overridden ? (
                        <div className="quiet small">let in by two people</div>
                      ) : null}
                    </div>,
                    <Digest key="digest" value={version.digest} />,
                    <div key="imported">
                      <Time at={version.importedAt} />
                      <div className="quiet small">{version.importedBy}</div>
                    </div>,
                    <VersionActs key="acts" version={version} />,
                  ],
                }))}
              />
            </Panel>
          );
        }}
      </Loaded>
      {rollingBack ? (
        <ReasonDialog
          title={`Roll ${model} back`}
          explain="The version that was in production before takes the place of the current one. Its files are checked first."
          act={`Roll back ${model}`}
          kind="danger"
          onClose={() => setRollingBack(false)}
          onConfirm={(reason) => client.models.rollback({ model, reason })}
        />
      ) : null}
    </Page>
  );
}

function Runs({ model }: { readonly model: string }) {
  const runs = useQuery(`runs ${model}`, () => client.runs.list({ model, limit: 200 }), ['runs']);
  return (
    <Panel title="Runs" flush>
      <Loaded query={runs}>
        {(list) =>
          list.length === 0 ? (
            <Empty title="No runs yet">
              Score a file with this model, and the run stands here with its counts and digests.
            </Empty>
          ) : (
            <Table
              label="Runs"
              columns={[
                { title: 'When' },
                { title: 'Version' },
                { title: 'File' },
                { title: 'State' },
                { title: 'Rows', align: 'number' },
                { title: 'Rejected', align: 'number' },
                { title: 'Who' },
              ]}
              rows={list.map((run) => ({
                key: run.runId,
                onOpen: () => go('run', 'result', run.runId),
                cells: [
                  <a key="when" href={linkTo('run', 'result', run.runId)}>
                    <Time at={run.startedAt} />
                  </a>,
                  `@${run.version}`,
                  run.inputName,
                  <State
                    key="state"
                    tone={run.state === 'done' ? 'ok' : run.state === 'running' ? 'accent' : 'act'}
                  >
                    {run.state}
                  </State>,
                  run.rows,
                  run.rejected,
                  run.actor,
                ],
              }))}
            />
          )
        }
      </Loaded>
    </Panel>
  );
}

function History({ model }: { readonly model: string }) {
  const history = useQuery(`history ${model}`, () => client.models.history({ model }), ['models']);
  return (
    <Panel title="History" flush>
      <Loaded query={history}>
        {({ events }) => (
          <Table
            label="History"
            columns={[
              { title: 'When' },
              { title: 'Version' },
              { title: 'What' },
              { title: 'Who' },
              { title: 'Reason' },
            ]}
            rows={events.map((event, at) => ({
              key: String(at),
              cells: [
                <Time key="at" at={event.at} />,
                event.version === null ? '' : `@${event.version}`,
                `${event.kind}: ${[event.from, event.to].filter((part) => part !== null).join(' → ')}`,
                event.actor,
                event.reason ?? '',
              ],
            }))}
          />
        )}
      </Loaded>
    </Panel>
  );
}
