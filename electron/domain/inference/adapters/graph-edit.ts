/** What adapters share: walking and changing nodes wherever they are, and names that the model does not have. */
import {
  attributeOf,
  isStandard,
  node as namedNode,
  type AttributeValue,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
} from '#domain/onnx/index.ts';

/** What stands at the model's border in a form that the runtime's binding can hand over. */
export interface Border {
  /** Class labels of outputs that were maps. */
  readonly labelsByOutput: Map<string, readonly string[]>;
  /** Inputs and outputs that were half floats, whose values have to be rounded where they are handed over. */
  readonly halves: Set<string>;
  /** Inputs that may be left out, with the type of the empty tensor that stands for them. */
  readonly optional: Map<string, string>;
}

/** A rewrite of a model that does not change what it computes. Throws `unsupported` for what it knows it cannot do. */
export type Adapter = (model: OnnxModel, border: Border) => OnnxModel;

/** Replaces nodes, in the main graph, in graphs inside of nodes and in functions. An empty list removes one. */
export function mapNodes(
  model: OnnxModel,
  change: (node: OnnxNode, opset: number) => OnnxNode | readonly OnnxNode[],
): OnnxModel {
  const version = opsetOf(model.opsetImports);
  return {
    ...model,
    ...(model.graph === undefined
      ? {}
      : { graph: mapGraph(model.graph, (node) => change(node, version)) }),
    functions: model.functions.map((body) => ({
      ...body,
      nodes: mapList(body.nodes, (node) => change(node, opsetOf(body.opsetImports))),
    })),
  };
}

export function mapGraph(
  graph: OnnxGraph,
  change: (node: OnnxNode) => OnnxNode | readonly OnnxNode[],
): OnnxGraph {
  return { ...graph, nodes: mapList(graph.nodes, change) };
}

function mapList(
  nodes: readonly OnnxNode[],
  change: (node: OnnxNode) => OnnxNode | readonly OnnxNode[],
): OnnxNode[] {
  return nodes.flatMap((node) => change(inSubgraphs(node, (inner) => mapGraph(inner, change))));
}

/** The node with each graph in it changed. */
export function inSubgraphs(node: OnnxNode, change: (graph: OnnxGraph) => OnnxGraph): OnnxNode {
  if (!node.attributes.some(({ g, graphs }) => g !== undefined || graphs.length > 0)) return node;
  return {
    ...node,
    attributes: node.attributes.map((attribute) => ({
      ...attribute,
      ...(attribute.g === undefined ? {} : { g: change(attribute.g) }),
      graphs: attribute.graphs.map(change),
    })),
  };
}

/** Version of the standard operators. */
export function opsetOf(imports: OnnxModel['opsetImports']): number {
  return imports.find(isStandard)?.version ?? 1;
}

export function withOpset(model: OnnxModel, version: number): OnnxModel {
  return {
    ...model,
    opsetImports: model.opsetImports.map((one) => (isStandard(one) ? { ...one, version } : one)),
  };
}

export function intOf(node: OnnxNode, name: string): number | undefined {
  const value = attributeOf(node, name)?.i;
  return value === undefined ? undefined : Number(value);
}

export function withoutAttributes(node: OnnxNode, ...names: readonly string[]): OnnxNode {
  return { ...node, attributes: node.attributes.filter(({ name = '' }) => !names.includes(name)) };
}

/** A node without a name: those of the model are unique, and a made one could be called like one of them. */
export const node: typeof namedNode = (opType, wiring, attributes) => {
  const made = namedNode(opType, wiring, attributes);
  delete made.name;
  return made;
};

/** Attributes of a node, by name. */
export function attributesOf(values: Readonly<Record<string, AttributeValue>>): OnnxAttribute[] {
  return namedNode('', { inputs: [], outputs: [] }, values).attributes;
}

/** A name that no exporter writes, made from one that is there; the same each time. */
export function inner(name: string, what: string): string {
  return `${name}:strongroom:${what}`;
}

/** Every use of a value becomes that of another, in graphs inside too; with `made`, also where it is made. */
export function renameValue(graph: OnnxGraph, from: string, to: string, made: boolean): OnnxGraph {
  const renamed = (names: readonly string[]): string[] =>
    names.map((name) => (name === from ? to : name));
  const inNode = (node: OnnxNode): OnnxNode => ({
    ...inSubgraphs(node, inGraph),
    inputs: renamed(node.inputs),
    outputs: made ? renamed(node.outputs) : node.outputs,
  });
  const inGraph = (nested: OnnxGraph): OnnxGraph => ({
    ...nested,
    nodes: nested.nodes.map(inNode),
    outputs: nested.outputs.map((output) =>
      output.name === from ? { ...output, name: to } : output,
    ),
  });
  return { ...graph, nodes: graph.nodes.map(inNode) };
}
