import { useDeferredValue, useMemo, useState } from 'react';
import type { GraphNode, GraphPart } from '#shared/contract/graph.ts';
import { client } from '../../app/client.ts';
import { ErrorNotice } from '../../app/ErrorNotice.tsx';
import { Loaded } from '../../app/Page.tsx';
import { useQuery } from '../../app/use-query.ts';
import { count, plural } from '../../lib/format.ts';
import { Button } from '../../ui/Button.tsx';
import { Loading, Panel } from '../../ui/Panel.tsx';
import { GraphCanvas } from './graph/GraphCanvas.tsx';
import { NodePanel } from './graph/NodePanel.tsx';
import { NodeTable } from './graph/NodeTable.tsx';
import { useGraph } from './graph/use-graph.ts';
import { findNodes } from './graph/words.ts';

/** The graph of a version: drawn, or as a table; searched; each graph inside of it opened on demand. */
export function GraphTab({ version }: { readonly version: string }) {
  const [wanted, setWanted] = useState<string>();
  const [part, setPart] = useState(0);
  const asked = { version, ...(wanted === undefined ? {} : { path: wanted }) };
  const parts = useQuery(`parts ${JSON.stringify(asked)}`, () => client.models.parts(asked), [
    'models',
  ]);
  if (parts.error?.code === 'forbidden')
    return (
      <p className="quiet">
        Your role cannot read models, so the graph is not shown to you. Card, findings and history
        can be read.
      </p>
    );
  return (
    <Loaded query={parts}>
      {({ path, paths, parts: list }) => (
        <>
          {paths.length < 2 ? null : (
            <label className="row graph-model">
              <span className="quiet small">Model</span>
              <select
                value={path}
                onChange={(event) => {
                  setPart(0);
                  setWanted(event.currentTarget.value);
                }}
              >
                {paths.map((one) => (
                  <option key={one}>{one}</option>
                ))}
              </select>
            </label>
          )}
          <GraphOfPart
            key={`${path} ${part}`}
            of={{ version, path, part }}
            parts={list}
            onOpen={setPart}
          />
        </>
      )}
    </Loaded>
  );
}

function GraphOfPart({
  of,
  parts,
  onOpen,
}: {
  readonly of: { readonly version: string; readonly path: string; readonly part: number };
  readonly parts: readonly GraphPart[];
  readonly onOpen: (part: number) => void;
}) {
  const { graph, error } = useGraph(of);
  const [as, setAs] = useState<'drawing' | 'table'>('drawing');
  const [query, setQuery] = useState('');
  const [chosen, setChosen] = useState<GraphNode>();
  const asked = useDeferredValue(query);
  const found = useMemo(() => findNodes(graph?.scene.nodes ?? [], asked), [graph, asked]);
  const matches = useMemo(() => new Set(found.map(({ id }) => id)), [found]);
  const at = chosen === undefined ? -1 : found.findIndex(({ id }) => id === chosen.id);
  const step = (by: number): void => {
    const next = found.at(at < 0 ? Math.min(by, 0) : (at + by) % found.length);
    if (next !== undefined) setChosen(next);
  };
  const isSearching = asked.trim() !== '';
  return (
    <div className="stack">
      <div className="graph-bar">
        <Place parts={parts} part={of.part} onOpen={onOpen} />
        <form
          role="search"
          onSubmit={(event) => {
            event.preventDefault();
            step(1);
          }}
        >
          <input
            type="search"
            aria-label="Search nodes and values"
            placeholder="Search by operator, name or value"
            value={query}
            onChange={(event) => setQuery(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === 'Enter' && event.shiftKey) {
                event.preventDefault();
                step(-1);
              }
            }}
          />
          <span className="quiet small nowrap" role="status">
            {isSearching
              ? found.length === 0
                ? 'none found'
                : at < 0
                  ? `${count(found.length)} found`
                  : `${count(at + 1)} of ${count(found.length)}`
              : ''}
          </span>
          {isSearching && found.length > 0 ? (
            <span className="row">
              <Button size="small" onClick={() => step(-1)}>
                Previous
              </Button>
              <Button size="small" submit>
                Next
              </Button>
            </span>
          ) : null}
        </form>
        <div className="row" role="group" aria-label="Show as">
          {(['drawing', 'table'] as const).map((kind) => (
            <Button key={kind} size="small" aria-pressed={as === kind} onClick={() => setAs(kind)}>
              {kind === 'drawing' ? 'Drawing' : 'Table'}
            </Button>
          ))}
        </div>
      </div>
      {error === undefined ? null : <ErrorNotice error={error} />}
      {graph === undefined ? (
        error === undefined ? (
          <Panel>
            <Loading lines={8} />
          </Panel>
        ) : null
      ) : (
        <div className="graph-view">
          {as === 'drawing' ? (
            <GraphCanvas graph={graph} chosen={chosen} matches={matches} onChoose={setChosen} />
          ) : (
            <NodeTable
              nodes={isSearching ? found : graph.scene.nodes}
              chosen={chosen}
              onChoose={setChosen}
            />
          )}
          <div className="graph-side" tabIndex={0} role="region" aria-label="Chosen node">
            {chosen === undefined ? (
              <Legend />
            ) : (
              <NodePanel
                node={chosen}
                graph={graph}
                parts={parts}
                onChoose={setChosen}
                onOpen={onOpen}
              />
            )}
          </div>
        </div>
      )}
      <p className="quiet small" role="status">
        {graph?.isWhole === false
          ? 'The rest of the graph is on its way…'
          : graph === undefined
            ? ''
            : `${plural(parts[of.part]?.nodes ?? 0, 'node')}, inputs and outputs among them. Shapes come from the file, or are inferred from the operators; ? is a size that is not known.`}
      </p>
    </div>
  );
}

/** How the drawing is read, until a node is chosen. */
function Legend() {
  return (
    <Panel title="How to read it">
      <div className="stack small">
        <p>Choose a node to see its inputs, outputs and attributes.</p>
        <ul className="graph-legend">
          <li>Rounded: what goes into the graph, and what comes out.</li>
          <li>Second line of a box: the size of its largest weight, and how many more it has.</li>
          <li>Below a box: the shape of what it gives.</li>
          <li>Double frame: it has a graph inside, which can be opened.</li>
        </ul>
        <p className="quiet">
          Drag to move, Ctrl and wheel to zoom. With the keyboard: arrows follow the edges, + and −
          zoom, 0 shows all.
        </p>
      </div>
    </Panel>
  );
}

/** Where one is: the main graph, a graph inside of a node, a function; and the way back. */
function Place({
  parts,
  part,
  onOpen,
}: {
  readonly parts: readonly GraphPart[];
  readonly part: number;
  readonly onOpen: (part: number) => void;
}) {
  const above: GraphPart[] = [];
  for (
    let at = parts[part];
    at !== undefined && above.length < 64;
    at = parts[at.parent?.part ?? -1]
  )
    above.unshift(at);
  if (above[0] !== undefined && above[0].id !== 0 && parts[0] !== undefined)
    above.unshift(parts[0]);
  const name = (of: GraphPart): string =>
    of.kind === 'subgraph'
      ? `${of.parent?.node ?? ''} › ${of.name}`
      : of.name === ''
        ? 'main graph'
        : of.name;
  if (parts.length === 1) return <strong className="graph-name">{name(parts[0] ?? empty)}</strong>;
  return (
    <nav className="graph-place" aria-label="Graphs">
      {above.map((one) =>
        one.id === part ? (
          <strong key={one.id} className="graph-name">
            {name(one)}
          </strong>
        ) : (
          <span key={one.id} className="row">
            <Button kind="link" onClick={() => onOpen(one.id)}>
              {name(one)}
            </Button>
            <span aria-hidden className="quiet">
              /
            </span>
          </span>
        ),
      )}
    </nav>
  );
}

const empty: GraphPart = {
  id: 0,
  kind: 'main',
  name: '',
  parent: null,
  nodes: 0,
  edges: 0,
  width: 0,
  height: 0,
};
