/**
 * The outline of a model: its graph, the graphs inside of nodes and its functions, each with nodes, edges, what is known of the
 * values on them, and places to draw them at; and its weights by digest. Made in the contained child.
 */
import type { GraphNode, GraphPart } from '#shared/contract/graph.ts';
import { AppError } from '#shared/errors.ts';
import {
  tensorTypes,
  type OnnxFunction,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValueInfo,
} from '#domain/onnx/index.ts';
import type { Outline, OutlinePart, Weight } from './answer.ts';
import { tensorDigest } from './digests.ts';
import { shownText } from './names.ts';
import { createPart, type Body, type Scope, type Use } from './part.ts';
import type { Known } from './shapes/known.ts';

/** More cannot be looked at, and would hold up the window's process. */
const mostNodes = 200_000;
const mostParts = 50_000;
const deepest = 64;

/** Throws `limit` for a model that is too large to look at. */
export function outlineOf(model: OnnxModel, use: Use): Outline {
  const parts: OutlinePart[] = [];
  const weights: Weight[] = [];
  const functions = new Map(model.functions.map((body, at) => [functionKey(body), 1 + at]));
  let nodes = 0;
  // Functions have their numbers before any subgraph.
  parts.length = 1 + model.functions.length;

  function addPart(
    body: Body,
    about: Pick<GraphPart, 'id' | 'kind' | 'parent'>,
    around: { readonly scope: Scope | undefined; readonly depth: number },
  ): readonly Known[] {
    if (around.depth > deepest)
      throw new AppError('limit', `Graphs are nested more than ${deepest} deep.`);
    nodes += body.nodes.length + body.inputs.length + body.outputs.length;
    if (nodes > mostNodes || parts.length > mostParts)
      throw new AppError(
        'limit',
        `The model has more than ${mostNodes} nodes or ${mostParts} graphs, which is more than can be looked at here.`,
      );
    const builder = createPart(body, { use, outer: around.scope });
    for (const tensor of body.tensors) weights.push(weightOf(tensor, about.id));
    for (const node of body.nodes) {
      const opens: GraphNode['opens'] = [];
      const inner: (readonly Known[])[] = [];
      for (const { name, g, graphs } of node.attributes)
        for (const graph of g === undefined ? graphs : [g, ...graphs]) {
          const id = parts.length;
          parts.length += 1;
          opens.push({ label: shownText(name ?? ''), part: id });
          inner.push(
            addPart(
              graphToBody(graph),
              { id, kind: 'subgraph', parent: { part: about.id, node: nodeTitle(node) } },
              { scope: builder.scope, depth: around.depth + 1 },
            ),
          );
        }
      const called = functions.get(functionKey({ ...node, name: node.opType ?? '' }));
      if (called !== undefined) opens.push({ label: 'function', part: called });
      builder.node(node, { opens: opens.slice(0, 100), inner });
    }
    const { nodes: placed, edges, width, height, results } = builder.finish();
    parts[about.id] = {
      part: {
        ...about,
        name: shownText(body.name),
        nodes: placed.length,
        edges: edges.length,
        width,
        height,
      },
      nodes: placed,
      edges,
    };
    return results;
  }

  if (model.graph !== undefined)
    addPart(
      graphToBody(model.graph),
      { id: 0, kind: 'main', parent: null },
      { scope: undefined, depth: 0 },
    );
  for (const [at, body] of model.functions.entries())
    addPart(
      functionToBody(body),
      { id: 1 + at, kind: 'function', parent: null },
      { scope: undefined, depth: 0 },
    );
  return { parts, weights };
}

function weightOf(tensor: OnnxTensor, part: number): Weight {
  const entry = (key: string): string | undefined =>
    tensor.externalData.find((one) => one.key === key)?.value;
  const location = entry('location');
  return {
    part,
    name: shownText(tensor.name ?? ''),
    type: tensorTypes[tensor.dataType ?? 0] ?? '',
    dims: tensor.dims.slice(0, 64),
    digest: tensorDigest(tensor) ?? null,
    external:
      location === undefined
        ? null
        : {
            location: location.slice(0, 1024),
            offset: placeOf(entry('offset') ?? '0'),
            length: entry('length') === undefined ? null : placeOf(entry('length') ?? ''),
          },
  };
}

/** -1 for what is no place in a file. */
function placeOf(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : -1;
}

function nodeTitle({ name = '', opType = '' }: OnnxNode): string {
  return shownText(name === '' ? opType : name);
}

function functionKey(of: {
  readonly domain?: string;
  readonly name?: string;
  readonly overload?: string;
}): string {
  return JSON.stringify([of.domain ?? '', of.name ?? '', of.overload ?? '']);
}

function graphToBody(graph: OnnxGraph): Body {
  const sparse = graph.sparseInitializers.flatMap(({ values, dims }) =>
    values === undefined ? [] : [{ ...values, dims }],
  );
  return {
    name: graph.name ?? '',
    inputs: graph.inputs,
    outputs: graph.outputs,
    values: graph.valueInfo,
    tensors: [...graph.initializers, ...sparse],
    nodes: graph.nodes,
  };
}

function functionToBody({ name = '', domain = '', inputs, outputs, nodes }: OnnxFunction): Body {
  const values = (names: readonly string[]): OnnxValueInfo[] =>
    names.map((value) => ({ name: value }));
  return {
    name: domain === '' ? name : `${domain}.${name}`,
    inputs: values(inputs),
    outputs: values(outputs),
    values: [],
    tensors: [],
    nodes,
  };
}
