import { contract } from '#shared/contract/index.ts';
import { client } from '../../app/client.ts';
import { Loaded, Page } from '../../app/Page.tsx';
import { go, linkTo } from '../../app/routes.ts';
import { useMay } from '../../app/session.ts';
import { useQuery } from '../../app/use-query.ts';
import { isRoutine, sentenceOf, tellsWhatHappened } from '../../app/sentences.ts';
import { Button } from '../../ui/Button.tsx';
import { Empty, Panel } from '../../ui/Panel.tsx';
import { Time } from '../../ui/Time.tsx';
import { ModelsPanel } from './ModelsPanel.tsx';
import { Needs } from './Needs.tsx';

const happenings = 8;

/** First what needs somebody, then the models, then what happened last. */
export function OverviewPage() {
  const may = useMay();
  const models = useQuery('models', () => client.models.list(null), ['models']);
  const runs = useQuery('runs', () => client.runs.list({ limit: 50 }), ['runs']);
  const erasure = useQuery('erasure', () => client.erasure.overview(null), [
    'runs',
    'models',
    'policy',
  ]);
  const due = erasure.data?.kinds.reduce((sum, kind) => sum + kind.due, 0) ?? 0;
  const mayImport = may(contract.bundles.import);
  return (
    <Page
      title="Overview"
      action={
        mayImport ? (
          <Button kind="primary" onClick={() => go('media')}>
            Import a bundle
          </Button>
        ) : null
      }
    >
      <Loaded query={models}>
        {(list) =>
          list.length === 0 ? (
            <Panel>
              <Empty
                title="No models yet"
                action={
                  mayImport ? (
                    <Button onClick={() => go('media')}>Look at removable media</Button>
                  ) : null
                }
              >
                Plug in a medium with a signed bundle. Strongroom verifies who signed it, scans it
                and stores it encrypted.
              </Empty>
            </Panel>
          ) : (
            <>
              <Needs models={list} runs={runs.data ?? []} due={due} />
              <ModelsPanel models={list} />
            </>
          )
        }
      </Loaded>
      <Happened />
    </Page>
  );
}

function Happened() {
  const log = useQuery('recent', () => client.audit.list({ limit: 100 }), ['audit']);
  return (
    <Panel title="What happened last" action={<a href={linkTo('audit')}>The whole log</a>} flush>
      <Loaded query={log}>
        {({ entries }) => (
          <ul className="happened">
            {entries
              .filter(({ entry }) => tellsWhatHappened(entry) && !isRoutine(entry))
              .slice(0, happenings)
              .map(({ entry }) => (
                <li key={entry.index}>
                  <Time at={entry.time} />
                  <a href={linkTo('audit', String(entry.index))}>
                    <strong>{entry.actor}</strong> {sentenceOf(entry)}
                  </a>
                  <span className="quiet small">entry {entry.index}</span>
                </li>
              ))}
          </ul>
        )}
      </Loaded>
    </Panel>
  );
}
