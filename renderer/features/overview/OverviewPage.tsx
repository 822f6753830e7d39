import { contract } from '#shared/contract/index.ts';
import type { ModelSummary } from '#shared/contract/models.ts';
import { client } from '../../app/client.ts';
import { Loaded, Page } from '../../app/Page.tsx';
import { go, linkTo } from '../../app/routes.ts';
import { useMay } from '../../app/session.ts';
import { useQuery } from '../../app/use-query.ts';
import { plural } from '../../lib/format.ts';
import { Button } from '../../ui/Button.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { Empty, Panel } from '../../ui/Panel.tsx';
import { State } from '../../ui/State.tsx';
import { Table } from '../../ui/Table.tsx';
import { Time } from '../../ui/Time.tsx';
import { driftTone, driftWord, stageTone } from '../../ui/words.ts';

/** First what needs somebody, then the models, then what happened last. */
export function OverviewPage() {
  const may = useMay();
  const models = useQuery('models', () => client.models.list(null), ['models']);
  const log = useQuery('recent', () => client.audit.list({ limit: 8 }), ['audit']);
  return (
    <Page
      title="Overview"
      action={
        may(contract.bundles.import) ? (
          <Button kind="primary" onClick={() => go('media')}>
            Import a bundle
          </Button>
        ) : null
      }
    >
      <Loaded query={models}>
        {(list) => (
          <>
            <Needs models={list} />
            <Panel title="Models" flush>
              {list.length === 0 ? (
                <Empty
                  title="No models yet"
                  action={
                    may(contract.bundles.import) ? (
                      <Button onClick={() => go('media')}>Look at removable media</Button>
                    ) : null
                  }
                >
                  Plug in a medium with a signed bundle. Strongroom verifies who signed it, scans it
                  and stores it encrypted.
                </Empty>
              ) : (
                <Table
                  label="Models"
                  columns={[
                    { title: 'Model' },
                    { title: 'Production' },
                    { title: 'Newest' },
                    { title: 'Drift' },
                    { title: 'Last run' },
                  ]}
                  rows={list.map((model) => ({
                    key: model.name,
                    onOpen: () => go('models', model.name),
                    cells: [
                      <a key="name" href={linkTo('models', model.name)}>
                        {model.name}
                      </a>,
                      model.production === null ? (
                        <span className="quiet">none</span>
                      ) : (
                        `@${model.production}`
                      ),
                      <State
                        key="stage"
                        tone={stageTone(model.latest.stage)}
                      >{`@${model.latest.version} ${model.latest.stage}`}</State>,
                      <State key="drift" tone={driftTone(model.monitorState)}>
                        {driftWord(model.monitorState)}
                      </State>,
                      model.lastRunAt === null ? (
                        <span className="quiet">never</span>
                      ) : (
                        <Time key="run" at={model.lastRunAt} />
                      ),
                    ],
                  }))}
                />
              )}
            </Panel>
          </>
        )}
      </Loaded>
      <Panel title="What happened last" action={<a href={linkTo('audit')}>All of it</a>} flush>
        <Loaded query={log}>
          {({ entries }) => (
            <Table
              label="Latest log entries"
              columns={[{ title: 'When' }, { title: 'Who' }, { title: 'What' }, { title: 'About' }]}
              rows={entries.map(({ entry }) => ({
                key: String(entry.index),
                onOpen: () => go('audit', String(entry.index)),
                cells: [
                  <Time key="at" at={entry.time} />,
                  entry.actor,
                  `${entry.action} (${entry.outcome ?? entry.phase})`,
                  entry.objects
                    .map(({ id }) => id)
                    .join(', ')
                    .slice(0, 80),
                ],
              }))}
            />
          )}
        </Loaded>
      </Panel>
    </Page>
  );
}

function Needs({ models }: { readonly models: readonly ModelSummary[] }) {
  const may = useMay();
  const waiting = models.filter(({ pending }) => pending > 0);
  const drifting = models.filter(({ monitorState }) => monitorState === 'act');
  const quarantined = models.filter(({ latest }) => latest.stage === 'quarantined');
  if (waiting.length + drifting.length + quarantined.length === 0)
    return (
      <Notice tone="ok" title="Nothing needs you now">
        No approval waits, no model drifts, nothing is in quarantine.
      </Notice>
    );
  return (
    <div className="stack">
      {waiting.map(({ name, pending }) => (
        <Notice
          key={`waiting ${name}`}
          tone="watch"
          title={`${name}: ${plural(pending, 'promotion waits', 'promotions wait')} for approval`}
          action={
            <Button size="small" onClick={() => go('models', name)}>
              Open
            </Button>
          }
        >
          {may(contract.models.approve)
            ? 'Look at the version and decide.'
            : 'An approver has to decide.'}
        </Notice>
      ))}
      {drifting.map(({ name }) => (
        <Notice
          key={`drift ${name}`}
          tone="act"
          title={`${name}: the last run drifted`}
          action={
            <Button size="small" onClick={() => go('monitor', name)}>
              Open
            </Button>
          }
        >
          Some columns moved enough to act on.
        </Notice>
      ))}
      {quarantined.map(({ name, latest }) => (
        <Notice
          key={`quarantine ${name}`}
          tone="watch"
          title={`${name}@${latest.version} is in quarantine`}
          action={
            <Button size="small" onClick={() => go('models', name)}>
              Open
            </Button>
          }
        >
          It may not run until somebody makes it a candidate.
        </Notice>
      ))}
    </div>
  );
}
