/** What is known of the values around a node: their element types, and their sizes where the model states them. */
import {
  attributeOf,
  isStandard,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
} from '#domain/onnx/index.ts';
import { elementTypes, type ElementTypes } from './element-types.ts';
import { inSubgraphs, opsetOf } from './graph-edit.ts';

export interface Scope {
  readonly opset: number;
  readonly types: ElementTypes;
  /** By name; those of which every dimension is a number. */
  readonly dims: ReadonlyMap<string, readonly number[]>;
  /** The node of the same graph that makes a value. */
  readonly makers: ReadonlyMap<string, OnnxNode>;
}

/** Replaces standard nodes in the main graph and in graphs inside of nodes. Of values in functions nothing is known, so these stay. */
export function mapInScope(
  model: OnnxModel,
  change: (node: OnnxNode, scope: Scope) => OnnxNode | readonly OnnxNode[],
): OnnxModel {
  if (model.graph === undefined) return model;
  const inGraph = (graph: OnnxGraph, outer: Scope): OnnxGraph => {
    const scope = {
      ...outer,
      types: elementTypes(graph, outer.types),
      dims: knownDims(graph, outer.dims),
      makers: new Map(graph.nodes.flatMap((one) => one.outputs.map((name) => [name, one]))),
    };
    return {
      ...graph,
      nodes: graph.nodes.flatMap((one) => {
        const changed = inSubgraphs(one, (nested) => inGraph(nested, scope));
        return isStandard(one) ? change(changed, scope) : changed;
      }),
    };
  };
  const opset = opsetOf(model.opsetImports);
  const outermost = { opset, types: new Map(), dims: new Map(), makers: new Map() };
  return { ...model, graph: inGraph(model.graph, outermost) };
}

function knownDims(graph: OnnxGraph, outer: Scope['dims']): Scope['dims'] {
  const known = new Map(outer);
  for (const { name = '', type } of [...graph.inputs, ...graph.valueInfo, ...graph.outputs]) {
    const dims = type?.tensor?.shape?.dims.map(({ value }) => value);
    if (dims?.every((size) => size !== undefined) === true) known.set(name, dims);
    // A name of its own hides that of a graph around it.
    else known.delete(name);
  }
  for (const { name = '', dims } of graph.initializers) known.set(name, dims);
  for (const one of graph.nodes) {
    const value = one.opType === 'Constant' ? attributeOf(one, 'value')?.t : undefined;
    if (value !== undefined) known.set(one.outputs[0] ?? '', value.dims);
  }
  return known;
}
