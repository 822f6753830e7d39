import { useState } from 'react';
import { contract } from '#shared/contract/index.ts';
import { client } from '../../app/client.ts';
import { Loaded, Page } from '../../app/Page.tsx';
import { ReasonDialog } from '../../app/ReasonDialog.tsx';
import { go, linkTo } from '../../app/routes.ts';
import { useMay } from '../../app/session.ts';
import { useQuery } from '../../app/use-query.ts';
import { Button } from '../../ui/Button.tsx';
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
  const mayRun = shown.data?.versions.some(({ stage }) => runnable.includes(stage)) === true;
  return (
    <Page
      title={model}
      action={
        <>
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
          if (tab === 'runs') return <RunsTab model={model} />;
          if (tab === 'card') return <CardTab version={reference} />;
          if (tab === 'graph') return <GraphTab version={reference} />;
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
