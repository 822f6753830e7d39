/** What differs between the graphs and weights of two models, told from their outlines. */
import type { GraphNode } from '#shared/contract/graph.ts';
import type { Change, Compared } from '#shared/contract/diff.ts';
import { alignSequences } from './align.ts';
import type { Outline, OutlinePart, Weight } from './answer.ts';
import { shapeText } from './names.ts';

export function diffOutlines(from: Outline, to: Outline): Compared[] {
  return [diffGraphs(from, to), diffWeights(from, to)];
}

/** Graphs are known by where they stand: the main one, functions by name, subgraphs by their node and attribute. */
function diffGraphs(from: Outline, to: Outline): Compared {
  const [old, fresh] = [partsByPlace(from), partsByPlace(to)];
  const changes: Change[] = [];
  let same = 0;
  const list = (place: string, parts: ReadonlyMap<string, OutlinePart>): GraphNode[] =>
    operators(parts.get(place));
  for (const place of new Set([...old.keys(), ...fresh.keys()])) {
    const compared = diffNodes(
      { nodes: list(place, old), inputs: inputsOf(old.get(place)) },
      { nodes: list(place, fresh), inputs: inputsOf(fresh.get(place)) },
    );
    same += compared.same;
    const prefix = place === '' ? '' : `${place}: `;
    changes.push(
      ...compared.changes.map((change) => ({ ...change, what: `${prefix}${change.what}` })),
    );
  }
  return { area: 'graph', same, changes };
}

interface Listed {
  readonly nodes: readonly GraphNode[];
  /** Names of the values that come from outside, in order. */
  readonly inputs: readonly string[];
}

function diffNodes(from: Listed, to: Listed): { same: number; changes: Change[] } {
  const partner = new Map<GraphNode, GraphNode>();
  for (const [a, b] of alignSequences(from.nodes.map(tokenOf), to.nodes.map(tokenOf)))
    pair(from.nodes[a], to.nodes[b]);
  const taken = new Set(partner.values());
  const restOf = (list: readonly GraphNode[], used: { has(node: GraphNode): boolean }) =>
    list.filter((node) => !used.has(node));
  // What has changed or moved still has its name, or gives the value that it gave.
  for (const key of [
    ({ name }: GraphNode) => name,
    ({ outputs }: GraphNode) => outputs[0]?.name ?? '',
  ]) {
    const left = unique(restOf(to.nodes, taken), key);
    for (const [name, node] of unique(restOf(from.nodes, partner), key)) {
      const other = left.get(name);
      if (other === undefined) continue;
      pair(node, other);
      taken.add(other);
    }
  }
  const sameSource = wiring(from, to, partner);
  const changes: Change[] = [];
  let same = 0;
  for (const node of from.nodes) {
    const other = partner.get(node);
    if (other === undefined) {
      changes.push({ what: title(node), kind: 'removed', from: describe(node), to: null });
      continue;
    }
    const differences = differencesOf(node, other, sameSource);
    if (differences.length === 0) same += 1;
    for (const [before, after] of differences)
      changes.push({ what: title(node), kind: 'changed', from: before, to: after });
  }
  for (const node of restOf(to.nodes, taken))
    changes.push({ what: title(node), kind: 'added', from: null, to: describe(node) });
  return { same, changes };

  function pair(a: GraphNode | undefined, b: GraphNode | undefined): void {
    if (a !== undefined && b !== undefined) partner.set(a, b);
  }
}

/** What a node is, apart from its name and from where its inputs come. */
function tokenOf({ op, domain, attributes, inputs, outputs }: GraphNode): string {
  return JSON.stringify([
    domain,
    op,
    attributes.map(({ name, value, digest }) => [name, digest ?? value]),
    inputs.map(({ constant }) => constant),
    outputs.length,
  ]);
}

type SameSource = (before: string, after: string) => boolean;

/** Whether two values come from the same place: from nodes that are partners, or from outside in the same order or by one name. */
function wiring(from: Listed, to: Listed, partner: ReadonlyMap<GraphNode, GraphNode>): SameSource {
  const makers = (nodes: readonly GraphNode[]) =>
    new Map(
      nodes.flatMap((node) => node.outputs.map(({ name }, at) => [name, { node, at }] as const)),
    );
  const [old, fresh] = [makers(from.nodes), makers(to.nodes)];
  return (before, after) => {
    const [a, b] = [old.get(before), fresh.get(after)];
    if (a !== undefined && b !== undefined) return partner.get(a.node) === b.node && a.at === b.at;
    if (a !== undefined || b !== undefined) return false;
    return before === after || from.inputs.indexOf(before) === to.inputs.indexOf(after);
  };
}

function differencesOf(
  before: GraphNode,
  after: GraphNode,
  sameSource: SameSource,
): (readonly [string, string])[] {
  const found: (readonly [string, string])[] = [];
  const kind = ({ op, domain }: GraphNode): string => (domain === '' ? op : `${domain}:${op}`);
  if (kind(before) !== kind(after)) found.push([kind(before), kind(after)]);
  const settings = ({ attributes }: GraphNode) =>
    new Map(attributes.map((attribute) => [attribute.name, attribute]));
  const [old, fresh] = [settings(before), settings(after)];
  for (const name of new Set([...old.keys(), ...fresh.keys()])) {
    const [a, b] = [old.get(name), fresh.get(name)];
    if ((a?.digest ?? a?.value) === (b?.digest ?? b?.value)) continue;
    const words = (one: typeof a): string =>
      one === undefined
        ? `no ${name}`
        : `${name} ${one.value}${one.digest === null ? '' : `, sha256:${one.digest.slice(0, 8)}…`}`;
    found.push([words(a), words(b)]);
  }
  const count = Math.max(before.inputs.length, after.inputs.length);
  for (let at = 0; at < count; at += 1) {
    const [a, b] = [before.inputs[at], after.inputs[at]];
    const isSame =
      a !== undefined &&
      b !== undefined &&
      (a.constant === null || b.constant === null
        ? a.constant === b.constant && sameSource(a.name, b.name)
        : JSON.stringify(a.constant) === JSON.stringify(b.constant));
    const words = (one: typeof a): string =>
      one === undefined || one.name === ''
        ? `input ${at + 1}: none`
        : `input ${at + 1}: ${one.constant === null ? one.name : `${one.constant.type} ${shapeText(one.constant.dims)}`}`;
    if (!isSame) found.push([words(a), words(b)]);
  }
  return found;
}

/** By their name; what has another one but the same values was renamed. */
function diffWeights(from: Outline, to: Outline): Compared {
  const [old, fresh] = [weightsByPlace(from), weightsByPlace(to)];
  const changes: Change[] = [];
  let same = 0;
  const added = new Map<string, string[]>();
  for (const [place, weight] of fresh)
    if (!old.has(place)) {
      const key = contentOf(weight);
      added.set(key, [...(added.get(key) ?? []), place]);
    }
  const renamed = new Set<string>();
  for (const [place, weight] of old) {
    const other = fresh.get(place);
    if (other !== undefined) {
      if (contentOf(weight) === contentOf(other)) same += 1;
      else changes.push({ what: place, kind: 'changed', from: words(weight), to: words(other) });
      continue;
    }
    const next = weight.digest === null ? undefined : added.get(contentOf(weight))?.shift();
    if (next === undefined)
      changes.push({ what: place, kind: 'removed', from: words(weight), to: null });
    else {
      renamed.add(next);
      changes.push({
        what: place,
        kind: 'changed',
        from: `named ${place}`,
        to: `named ${next}, the same values`,
      });
    }
  }
  for (const [place, weight] of fresh)
    if (!old.has(place) && !renamed.has(place))
      changes.push({ what: place, kind: 'added', from: null, to: words(weight) });
  return { area: 'weights', same, changes };
}

function contentOf({ type, dims, digest, external }: Weight): string {
  return JSON.stringify([type, dims, digest ?? external]);
}

function words({ type, dims, digest, external }: Weight): string {
  const values =
    digest !== null
      ? `sha256:${digest.slice(0, 8)}…`
      : external === null
        ? 'values not read'
        : `in ${external.location} at ${external.offset}`;
  return `${type} ${shapeText(dims)}, ${values}`;
}

/** Where each graph stands: empty for the main one. */
function placesOf({ parts }: Outline): string[] {
  const labels = new Map(
    parts.flatMap(({ nodes }) =>
      nodes.flatMap(({ opens }) => opens.map(({ part, label }) => [part, label] as const)),
    ),
  );
  const places: string[] = [];
  for (const { part } of parts) {
    // What is above comes first, but for functions, which have no place above them.
    const above = part.parent === null ? '' : (places[part.parent.part] ?? '');
    const own = `${part.parent?.node ?? ''}.${labels.get(part.id) ?? part.name}`;
    places.push(
      part.kind === 'main'
        ? ''
        : part.kind === 'function'
          ? part.name
          : `${above === '' ? '' : `${above} / `}${own}`,
    );
  }
  return places;
}

function partsByPlace(outline: Outline): Map<string, OutlinePart> {
  const places = placesOf(outline);
  return new Map(outline.parts.map((part, at) => [places[at] ?? '', part]));
}

function weightsByPlace(outline: Outline): Map<string, Weight> {
  const places = placesOf(outline);
  return new Map(
    outline.weights.map((weight) => {
      const place = places[weight.part] ?? '';
      return [place === '' ? weight.name : `${place}: ${weight.name}`, weight];
    }),
  );
}

const operators = (part: OutlinePart | undefined): GraphNode[] =>
  (part?.nodes ?? []).filter(({ kind }) => kind === 'operator');

const inputsOf = (part: OutlinePart | undefined): string[] =>
  (part?.nodes ?? [])
    .filter(({ kind }) => kind === 'input' || kind === 'outer')
    .map(({ name }) => name);

/** Those that share their key with nobody. */
function unique(
  nodes: readonly GraphNode[],
  keyOf: (node: GraphNode) => string,
): Map<string, GraphNode> {
  const found = new Map<string, GraphNode>();
  const doubled = new Set<string>(['']);
  for (const node of nodes) {
    const key = keyOf(node);
    if (found.has(key)) doubled.add(key);
    found.set(key, node);
  }
  for (const key of doubled) found.delete(key);
  return found;
}

function title({ name, op, outputs }: GraphNode): string {
  return name === '' ? `${op} → ${outputs[0]?.name ?? ''}` : name;
}

function describe({ op, domain, note, attributes }: GraphNode): string {
  const settings = attributes.slice(0, 3).map(({ name, value }) => `${name} ${value}`.slice(0, 60));
  return [
    domain === '' ? op : `${domain}:${op}`,
    ...(note === '' ? [] : [`weights ${note}`]),
    ...settings,
    ...(attributes.length > 3 ? ['…'] : []),
  ].join(', ');
}
