import type { ModelSummary } from '#shared/contract/models.ts';
import { client } from '../../app/client.ts';
import { go, linkTo } from '../../app/routes.ts';
import { useQuery } from '../../app/use-query.ts';
import { plural } from '../../lib/format.ts';
import { Drift, InProduction, NewestStage } from '../../ui/ModelCells.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { Sparkline } from '../../ui/Sparkline.tsx';
import { Table } from '../../ui/Table.tsx';
import { Time } from '../../ui/Time.tsx';

const most = 8;

/** The models that somebody is most likely to look for: those that run, then those that came in last. */
export function ModelsPanel({ models }: { readonly models: readonly ModelSummary[] }) {
  const shown = models.toSorted((a, b) => lastTouched(b).localeCompare(lastTouched(a)));
  return (
    <Panel title="Models" flush>
      <Table
        label="Models"
        columns={[
          { title: 'Model' },
          { title: 'In production' },
          { title: 'Newest' },
          { title: 'Drift' },
          { title: 'Runs' },
          { title: 'Last run' },
        ]}
        rows={shown.slice(0, most).map((model) => ({
          key: model.name,
          onOpen: () => go('models', model.name),
          cells: [
            <a key="name" className="name" href={linkTo('models', model.name)}>
              {model.name}
            </a>,
            <InProduction key="production" model={model} />,
            <NewestStage key="newest" model={model} />,
            <Drift key="drift" state={model.monitorState} />,
            model.lastRunAt === null ? null : <Runs key="runs" model={model.name} />,
            model.lastRunAt === null ? (
              <span className="quiet">never</span>
            ) : (
              <Time key="run" at={model.lastRunAt} />
            ),
          ],
        }))}
      />
      {models.length > most ? (
        <p className="more">
          <a href={linkTo('models')}>{`All ${models.length} models`}</a>
        </p>
      ) : null}
    </Panel>
  );
}

function lastTouched({ lastRunAt, latest }: ModelSummary): string {
  // A model that runs comes before one that was only stored.
  return lastRunAt === null ? `0 ${latest.importedAt}` : `1 ${lastRunAt}`;
}

function Runs({ model }: { readonly model: string }) {
  const view = useQuery(`spark ${model}`, () => client.monitor.show({ version: model }), [
    'monitor',
    'runs',
  ]);
  const timeline = view.data?.timeline ?? [];
  if (timeline.length === 0) return null;
  const moved = timeline.filter(({ state }) => state === 'act').length;
  return (
    <Sparkline
      states={timeline.map(({ state }) => state)}
      label={`${plural(timeline.length, 'run')}, ${moved === 0 ? 'none' : moved} drifted`}
    />
  );
}
