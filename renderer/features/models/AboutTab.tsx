import { useState } from 'react';
import type { TensorSpec } from '#shared/contract/bundles.ts';
import type { VersionDetail } from '#shared/contract/models.ts';
import { bytes } from '#shared/words.ts';
import { client } from '../../app/client.ts';
import { Loaded } from '../../app/Page.tsx';
import { linkTo } from '../../app/routes.ts';
import { useQuery } from '../../app/use-query.ts';
import { count } from '../../lib/format.ts';
import { Button } from '../../ui/Button.tsx';
import { Digest } from '../../ui/Digest.tsx';
import { Facts } from '../../ui/Facts.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { Table } from '../../ui/Table.tsx';

/** Inputs that are shown at once. */
const shownFirst = 50;

/** What the files say of the model, read without loading it. */
export function AboutTab({ version }: { readonly version: string }) {
  const detail = useQuery(`version ${version}`, () => client.models.version({ version }), [
    'models',
  ]);
  return (
    <Loaded query={detail}>
      {(shown) => {
        const { facts, card, files, format, sizeBytes, digest } = shown;
        return (
          <>
            <div className="columns">
              <Panel title="Model">
                <Facts
                  rows={[
                    ['File', `${facts.path}, ${bytes(facts.sizeBytes)}`],
                    ['Made by', facts.producer === '' ? 'not told' : facts.producer],
                    ['Licence', card?.licences.join(', ') || 'not told'],
                    ['IR version', facts.irVersion],
                    [
                      'Operator sets',
                      facts.opsets.map(({ domain, version: at }) => `${domain} ${at}`).join(', '),
                    ],
                    [
                      'Nodes',
                      <a key="nodes" href={linkToGraph(shown)}>
                        {count(facts.nodes)}
                      </a>,
                    ],
                    ['Parameters', count(facts.parameters)],
                    ['Bundle', `${format}, ${bytes(sizeBytes)}`],
                    ['Digest', <Digest key="digest" value={digest} />],
                    ['First contact', shown.firstContact.message],
                  ]}
                />
              </Panel>
              <Values title="Inputs" values={facts.inputs} />
              <Values title="Outputs" values={facts.outputs} />
            </div>
            <div className="columns">
              <Panel title="Operators" flush>
                <Table
                  label="Operators"
                  columns={[{ title: 'Operator' }, { title: 'Count', align: 'number' }]}
                  rows={facts.operators.map(({ name, count: times }) => ({
                    key: name,
                    cells: [
                      <span key="name" className="mono wrap-anywhere">
                        {name}
                      </span>,
                      count(times),
                    ],
                  }))}
                />
              </Panel>
              <Panel title="Files" flush>
                <Table
                  label="Files"
                  columns={[
                    { title: 'File' },
                    { title: 'Size', align: 'number' },
                    { title: 'Digest' },
                  ]}
                  rows={files.map((file) => ({
                    key: file.path,
                    cells: [
                      <span key="path" className="mono wrap-anywhere">
                        {file.path}
                      </span>,
                      bytes(file.bytes),
                      <Digest key="digest" value={`sha256:${file.sha256}`} />,
                    ],
                  }))}
                />
              </Panel>
            </div>
          </>
        );
      }}
    </Loaded>
  );
}

function linkToGraph({ model, version }: VersionDetail): string {
  return linkTo('models', model, 'graph', String(version));
}

function Values({
  title,
  values,
}: {
  readonly title: string;
  readonly values: readonly TensorSpec[];
}) {
  const [isWhole, setIsWhole] = useState(false);
  const shown = isWhole ? values : values.slice(0, shownFirst);
  return (
    <Panel title={title} flush>
      <Table
        label={title}
        columns={[{ title: 'Name' }, { title: 'Type' }, { title: 'Shape' }]}
        rows={shown.map(({ name, kind, type, shape }) => ({
          key: name,
          cells: [
            <span key="name" className="mono wrap-anywhere">
              {name}
            </span>,
            kind === 'tensor' || kind === 'other' ? type : `${kind} of ${type}`,
            <span key="shape" className="mono">
              {kind === 'tensor' ? shape.map((size) => size ?? '?').join(' × ') || 'scalar' : ''}
            </span>,
          ],
        }))}
      />
      {shown.length === values.length ? null : (
        <p className="more">
          <Button kind="link" onClick={() => setIsWhole(true)}>
            {`Show all ${count(values.length)}`}
          </Button>
        </p>
      )}
    </Panel>
  );
}
