import { useState } from 'react';
import { contract } from '#shared/contract/index.ts';
import { client } from '../../app/client.ts';
import { Loaded, Page } from '../../app/Page.tsx';
import { go, linkTo } from '../../app/routes.ts';
import { useMay } from '../../app/session.ts';
import { useQuery } from '../../app/use-query.ts';
import { plural } from '../../lib/format.ts';
import { Button } from '../../ui/Button.tsx';
import { Drift, InProduction, NewestStage } from '../../ui/ModelCells.tsx';
import { Empty, Panel } from '../../ui/Panel.tsx';
import { State } from '../../ui/State.tsx';
import { Table } from '../../ui/Table.tsx';
import { Time } from '../../ui/Time.tsx';
import { signatureTone, signatureWord } from '../../ui/words.ts';

export function ModelsPage() {
  const may = useMay();
  const models = useQuery('models', () => client.models.list(null), ['models']);
  const [wanted, setWanted] = useState('');
  return (
    <Page
      title="Models"
      action={
        may(contract.bundles.import) ? (
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
                  may(contract.bundles.import) ? (
                    <Button onClick={() => go('media')}>Look at removable media</Button>
                  ) : null
                }
              >
                Import a signed bundle from a removable medium, and it stands here with its
                versions.
              </Empty>
            </Panel>
          ) : (
            <Panel
              title={plural(list.length, 'model')}
              action={
                <input
                  aria-label="Filter models"
                  placeholder="Filter"
                  value={wanted}
                  onChange={(event) => setWanted(event.currentTarget.value)}
                  className="narrow"
                />
              }
              flush
            >
              <Table
                label="Models"
                columns={[
                  { title: 'Model' },
                  { title: 'Versions', align: 'number' },
                  { title: 'Production' },
                  { title: 'Newest' },
                  { title: 'Signature' },
                  { title: 'Drift' },
                  { title: 'Last run' },
                ]}
                rows={list
                  .filter(({ name }) => name.toLowerCase().includes(wanted.toLowerCase()))
                  .map((model) => ({
                    key: model.name,
                    onOpen: () => go('models', model.name),
                    cells: [
                      <div key="name">
                        <a href={linkTo('models', model.name)} className="name">
                          {model.name}
                        </a>
                        {model.description === null ? null : (
                          <div className="quiet small clamped" title={model.description}>
                            {model.description}
                          </div>
                        )}
                        {model.licences.length === 0 ? null : (
                          <div className="quiet small clamped" title={model.licences.join(', ')}>
                            {`Licence ${model.licences.join(', ')}`}
                          </div>
                        )}
                      </div>,
                      model.versions,
                      <InProduction key="production" model={model} />,
                      <NewestStage key="newest" model={model} />,
                      <State key="signature" tone={signatureTone(model.latest.signature.status)}>
                        {signatureWord(model.latest.signature.status)}
                      </State>,
                      <Drift key="drift" state={model.monitorState} />,
                      model.lastRunAt === null ? (
                        <span className="quiet">never</span>
                      ) : (
                        <Time key="run" at={model.lastRunAt} />
                      ),
                    ],
                  }))}
              />
            </Panel>
          )
        }
      </Loaded>
    </Page>
  );
}
