import { useState } from 'react';
import { contract } from '#shared/contract/index.ts';
import type { VersionSummary } from '#shared/contract/models.ts';
import { client } from '../../app/client.ts';
import { Loaded, Page } from '../../app/Page.tsx';
import { ReasonDialog } from '../../app/ReasonDialog.tsx';
import { go, linkTo } from '../../app/routes.ts';
import { useMay } from '../../app/session.ts';
import { useQuery } from '../../app/use-query.ts';
import { Button } from '../../ui/Button.tsx';
import { AboutTab } from './AboutTab.tsx';
import { CardTab } from './CardTab.tsx';
import { DiffTab } from './DiffTab.tsx';
import { GraphTab } from './GraphTab.tsx';
import { HistoryTab } from './HistoryTab.tsx';
import { RunsTab } from './RunsTab.tsx';
import { VersionsLine } from './VersionsLine.tsx';
import { VersionsTab } from './VersionsTab.tsx';

const runnable: readonly string[] = ['candidate', 'approved', 'production'];

const tabs = [
  ['versions', 'Versions'],
  ['runs', 'Runs'],
  ['about', 'About'],
  ['card', 'Card'],
  ['graph', 'Graph'],
  ['compare', 'Compare'],
  ['history', 'History'],
] as const;

/** What is told of one version, which can be picked. */
const ofVersion: readonly string[] = ['about', 'card', 'graph'];

export function ModelPage({
  model,
  tab,
  version,
}: {
  readonly model: string;
  readonly tab: string;
  /** Number of the version that was picked; else the one in production, or the newest. */
  readonly version: string | undefined;
}) {
  const may = useMay();
  const shown = useQuery(`model ${model}`, () => client.models.show({ model }), ['models']);
  const [rollingBack, setRollingBack] = useState(false);
  const summary = shown.data?.summary;
  const mayRun = shown.data?.versions.some(({ stage }) => runnable.includes(stage)) === true;
  const current =
    shown.data?.versions.find((one) => String(one.version) === version) ??
    shown.data?.versions.find(({ stage }) => stage === 'production') ??
    shown.data?.versions[0];
  return (
    <Page
      title={model}
      action={
        <>
          {current === undefined || !ofVersion.includes(tab) ? null : (
            <VersionChoice versions={shown.data?.versions ?? []} chosen={current} tab={tab} />
          )}
          {shown.error === undefined ? (
            <Button onClick={() => go('monitor', model)}>See drift</Button>
          ) : (
            <Button onClick={() => go('models')}>All models</Button>
          )}
          {may(contract.models.rollback) &&
          summary !== undefined &&
          summary.production !== null &&
          summary.versions > 1 ? (
            <Button onClick={() => setRollingBack(true)}>Roll back…</Button>
          ) : null}
          {may(contract.records.predict) && mayRun ? (
            <Button
              onClick={() =>
                go(
                  'run',
                  'record',
                  current !== undefined && runnable.includes(current.stage)
                    ? `${model}@${current.version}`
                    : model,
                )
              }
            >
              Try one record
            </Button>
          ) : null}
          {may(contract.runs.start) && mayRun ? (
            <Button kind="primary" onClick={() => go('run', model)}>
              Run on a file
            </Button>
          ) : null}
        </>
      }
    >
      {shown.data === undefined ? null : (
        <VersionsLine
          summary={shown.data.summary}
          versions={shown.data.versions}
          describes={tab !== 'card'}
        />
      )}
      {shown.error !== undefined ? null : (
        <nav className="tabs" aria-label={`About ${model}`}>
          {tabs.map(([path, name]) => (
            <a
              key={path}
              href={linkTo(
                'models',
                model,
                path,
                ...(version !== undefined && ofVersion.includes(path) ? [version] : []),
              )}
              {...(tab === path ? { 'aria-current': 'page' as const } : {})}
            >
              {name}
            </a>
          ))}
        </nav>
      )}
      <Loaded query={shown}>
        {({ versions }) => {
          if (tab === 'runs') return <RunsTab model={model} />;
          if (ofVersion.includes(tab) && current !== undefined) {
            const reference = `${model}@${current.version}`;
            return (
              <>
                {tab === 'about' ? <AboutTab key={reference} version={reference} /> : null}
                {tab === 'card' ? <CardTab key={reference} version={reference} /> : null}
                {tab === 'graph' ? <GraphTab key={reference} version={reference} /> : null}
              </>
            );
          }
          if (tab === 'history') return <HistoryTab model={model} />;
          if (tab === 'compare') return <DiffTab versions={versions} />;
          return <VersionsTab versions={versions} />;
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

/** Which version the tab tells of. */
function VersionChoice({
  versions,
  chosen,
  tab,
}: {
  readonly versions: readonly VersionSummary[];
  readonly chosen: VersionSummary;
  readonly tab: string;
}) {
  return (
    <select
      aria-label="Version"
      value={chosen.version}
      onChange={(event) => go('models', chosen.model, tab, event.currentTarget.value)}
    >
      {versions.map(({ version, stage }) => (
        <option key={version} value={version}>{`@${version} ${stage}`}</option>
      ))}
    </select>
  );
}
