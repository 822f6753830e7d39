import type { ReactNode } from 'react';
import type { GraphNode, GraphPart } from '#shared/contract/graph.ts';
import { Button } from '../../../ui/Button.tsx';
import { Digest } from '../../../ui/Digest.tsx';
import { Panel } from '../../../ui/Panel.tsx';
import type { LoadedGraph } from './use-graph.ts';
import { shapeWords, titleOf, typeWords } from './words.ts';

/** More are not listed; the drawing shows them. */
const most = 50;

/** What is known of the chosen node, and the ways on from it. */
export function NodePanel({
  node,
  graph,
  parts,
  onChoose,
  onOpen,
}: {
  readonly node: GraphNode;
  readonly graph: LoadedGraph;
  readonly parts: readonly GraphPart[];
  readonly onChoose: (node: GraphNode) => void;
  readonly onOpen: (part: number) => void;
}) {
  return (
    <Panel title={node.kind === 'operator' ? node.op : titleOf(node)}>
      <div className="stack graph-node">
        {node.kind === 'operator' ? (
          <p className="quiet small wrap-anywhere">
            {node.name === '' ? 'It has no name' : node.name}
            {node.domain === '' ? '' : `, from ${node.domain}`}
          </p>
        ) : null}
        {node.opens.map(({ label, part }) => (
          <Button key={`${label} ${part}`} size="small" onClick={() => onOpen(part)}>
            {label === 'function' ? 'Open the function' : `Open ${label}`}
            {parts[part] === undefined ? '' : ` (${parts[part].nodes} nodes)`}
          </Button>
        ))}
        <Section title="Inputs">
          {node.inputs.slice(0, most).map(({ name, constant }, at) => {
            const value = graph.valueByName.get(name);
            const words =
              name === ''
                ? 'left out'
                : constant !== null
                  ? `${constant.type}, ${shapeWords({ type: constant.type, shape: constant.dims })}, stored in the model`
                  : value === undefined
                    ? 'from the graph around'
                    : typeWords(value);
            return (
              <Fact key={`${name} ${at}`} name={name === '' ? '(none)' : name} words={words} />
            );
          })}
        </Section>
        <Section title="Outputs">
          {node.outputs
            .filter(({ name }) => name !== '')
            .slice(0, most)
            .map((value) => (
              <Fact
                key={value.name}
                name={value.name}
                words={`${typeWords(value)}${value.from === 'inferred' ? ' (inferred)' : ''}`}
              />
            ))}
        </Section>
        <Section title="Attributes">
          {node.attributes.slice(0, most).map(({ name, type, value, digest }) => (
            <div key={name}>
              <dt className="mono wrap-anywhere">{name}</dt>
              <dd className="wrap-anywhere">
                {value} <span className="quiet small">{type}</span>
                {digest === null ? null : (
                  <div className="small">
                    <Digest value={`sha256:${digest}`} />
                  </div>
                )}
              </dd>
            </div>
          ))}
        </Section>
        <Neighbours title="Comes from" ids={graph.above.get(node.id)} {...{ graph, onChoose }} />
        <Neighbours title="Goes to" ids={graph.below.get(node.id)} {...{ graph, onChoose }} />
      </div>
    </Panel>
  );
}

function Section({
  title,
  children,
}: {
  readonly title: string;
  readonly children: readonly ReactNode[];
}) {
  if (children.length === 0) return null;
  return (
    <section>
      <h3>{title}</h3>
      <dl className="graph-facts">{children}</dl>
    </section>
  );
}

function Fact({ name, words }: { readonly name: string; readonly words: string }) {
  return (
    <div>
      <dt className="mono wrap-anywhere">{name}</dt>
      <dd className="quiet small">{words}</dd>
    </div>
  );
}

function Neighbours({
  title,
  ids = [],
  graph,
  onChoose,
}: {
  readonly title: string;
  readonly ids: readonly number[] | undefined;
  readonly graph: LoadedGraph;
  readonly onChoose: (node: GraphNode) => void;
}) {
  const nodes = ids.slice(0, most).flatMap((id) => graph.scene.nodes[id] ?? []);
  if (nodes.length === 0) return null;
  return (
    <section>
      <h3>{title}</h3>
      <ul>
        {nodes.map((node) => (
          <li key={node.id}>
            <Button kind="link" onClick={() => onChoose(node)}>
              <span className="wrap-anywhere">{titleOf(node)}</span>
            </Button>
          </li>
        ))}
        {ids.length > most ? <li className="quiet small">{ids.length - most} more</li> : null}
      </ul>
    </section>
  );
}
