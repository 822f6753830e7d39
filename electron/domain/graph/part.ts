/** One graph of a model on its way to the outline: what is known of its values, its nodes, its edges, and their places. */
import { nodeHeight, type GraphEdge, type GraphNode } from '#shared/contract/graph.ts';
import type { OnnxNode, OnnxTensor, OnnxValueInfo } from '#domain/onnx/index.ts';
import { shownAttributes } from './attributes.ts';
import { layoutGraph } from './layout.ts';
import { shapeText, shownText } from './names.ts';
import { inferOutputs } from './shapes/infer.ts';
import { knownTensor, knownType, unknown, type Known, type Size } from './shapes/known.ts';

/** What one graph knows of values, and what it sees of the graphs around it. */
export interface Scope {
  find(name: string): Seen | undefined;
}

interface Seen extends Known {
  readonly from: 'file' | 'inferred';
  readonly isConstant: boolean;
}

/** A graph, or the body of a function. */
export interface Body {
  readonly name: string;
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  readonly values: readonly OnnxValueInfo[];
  readonly tensors: readonly OnnxTensor[];
  readonly nodes: readonly OnnxNode[];
}

/** How a model is looked at: drawn, with constants as part of what uses them, or compared, in the order of the file. */
export type Use = 'view' | 'compare';

export function createPart(
  body: Body,
  { use, outer }: { readonly use: Use; readonly outer: Scope | undefined },
) {
  const declared = new Map(
    [...body.inputs, ...body.values, ...body.outputs].map(({ name, type }) => [
      name ?? '',
      knownType(type),
    ]),
  );
  const seen = new Map<string, Seen>();
  const made = new Map<string, { readonly node: number; readonly output: number }>();
  const nodes: GraphNode[] = [];
  const wires: { readonly name: string; readonly to: number }[] = [];
  const scope: Scope = { find: (name) => seen.get(name) ?? outer?.find(name) };

  function see(name: string, inferred: Known, isConstant: boolean): void {
    if (name === '' || seen.has(name)) return;
    const told = declared.get(name);
    const isTold =
      told !== undefined && told.type !== '' && (told.shape !== null || inferred.shape === null);
    const values = inferred.values === undefined ? {} : { values: inferred.values };
    if (isTold) seen.set(name, { ...told, ...values, from: 'file', isConstant });
    else if (inferred.type !== '' || inferred.shape !== null)
      seen.set(name, {
        ...inferred,
        type: inferred.type || (told?.type ?? ''),
        from: 'inferred',
        isConstant,
      });
  }

  function valueOf(name: string): GraphNode['outputs'][number] {
    const { type, shape, from } = scope.find(name) ?? { ...unknown, from: 'unknown' as const };
    return {
      name: shownText(name),
      type: shownText(type),
      shape: shape === null ? null : shape.slice(0, 64).map(shownSize),
      from,
    };
  }

  function add(
    node: Omit<GraphNode, 'id' | 'x' | 'y' | 'width'>,
    outputs: readonly string[],
  ): number {
    const id = nodes.length;
    nodes.push({ ...node, id, x: 0, y: 0, width: widthOf(node) });
    for (const [output, name] of outputs.entries())
      if (name !== '' && !made.has(name)) made.set(name, { node: id, output });
    return id;
  }

  function addValue(kind: 'input' | 'output' | 'outer', name: string): void {
    const value = valueOf(name);
    const isEnd = kind === 'output';
    const id = add(
      {
        kind,
        name: value.name,
        op: value.name,
        domain: '',
        note: [value.type, shapeText(value.shape)].filter((part) => part !== '').join(' '),
        inputs: isEnd ? [{ name: value.name, constant: null }] : [],
        outputs: isEnd ? [] : [value],
        attributes: [],
        opens: [],
      },
      isEnd ? [] : [name],
    );
    if (isEnd) wires.push({ name, to: id });
  }

  for (const tensor of body.tensors) see(tensor.name ?? '', knownTensor(tensor), true);
  for (const { name = '' } of body.inputs) {
    // Before IR version 4 initializers were listed as inputs too.
    if (seen.has(name)) continue;
    see(name, unknown, false);
    addValue('input', name);
  }

  return {
    scope,
    node(
      node: OnnxNode,
      {
        opens,
        inner,
      }: { readonly opens: GraphNode['opens']; readonly inner: readonly (readonly Known[])[] },
    ): void {
      const inferred =
        node.opType === 'If'
          ? agreed(inner)
          : inferOutputs(
              node,
              node.inputs.map((name) => scope.find(name) ?? unknown),
            );
      const isConstant = node.opType === 'Constant' && (node.domain ?? '') === '';
      for (const [at, name] of node.outputs.entries())
        see(name, inferred[at] ?? unknown, isConstant);
      if (isConstant && use === 'view') return;
      const inputs = node.inputs.map((name) => {
        const value = scope.find(name);
        return {
          name: shownText(name),
          constant:
            value?.isConstant === true
              ? {
                  type: value.type,
                  dims: (value.shape ?? [])
                    .slice(0, 64)
                    .map((size) => (typeof size === 'number' ? size : -1)),
                }
              : null,
        };
      });
      const id = add(
        {
          kind: 'operator',
          name: shownText(node.name ?? ''),
          op: shownText(node.opType ?? ''),
          domain: shownText(node.domain ?? ''),
          note: noteOf(inputs),
          inputs: inputs.slice(0, 10_000),
          outputs: node.outputs.slice(0, 10_000).map(valueOf),
          attributes: shownAttributes(node.attributes),
          opens,
        },
        node.outputs,
      );
      for (const name of new Set(node.inputs))
        if (name !== '' && scope.find(name)?.isConstant !== true) wires.push({ name, to: id });
    },
    finish() {
      for (const { name = '' } of body.outputs) addValue('output', name);
      for (const { name } of wires) if (!made.has(name) && !seen.has(name)) addValue('outer', name);
      const edges = wires.flatMap(({ name, to }): GraphEdge[] => {
        const maker = made.get(name);
        return maker === undefined
          ? []
          : [{ from: maker.node, to, output: maker.output, points: [] }];
      });
      const results = body.outputs.map(({ name = '' }) => scope.find(name) ?? unknown);
      const drawn = use === 'view' ? place(nodes, edges) : { nodes, edges, width: 0, height: 0 };
      return { ...drawn, results };
    },
  };
}

/** Gives nodes their places, and numbers from the top down, so that the first page is what is seen first. */
function place(
  nodes: readonly GraphNode[],
  edges: readonly GraphEdge[],
): { nodes: GraphNode[]; edges: GraphEdge[]; width: number; height: number } {
  const layout = layoutGraph({ widths: nodes.map(roomOf), edges }, nodeHeight);
  const at = (list: Float64Array, id: number): number => list[id] ?? 0;
  const order = nodes
    .map(({ id }) => id)
    .sort((a, b) => at(layout.y, a) - at(layout.y, b) || at(layout.x, a) - at(layout.x, b));
  const numbers = new Int32Array(nodes.length);
  for (const [number, id] of order.entries()) numbers[id] = number;
  return {
    nodes: order.flatMap((id, number) => {
      const node = nodes[id];
      return node === undefined
        ? []
        : [{ ...node, id: number, x: at(layout.x, id), y: at(layout.y, id) }];
    }),
    edges: edges
      .map(({ from, to, output }, edge) => ({
        from: numbers[from] ?? 0,
        to: numbers[to] ?? 0,
        output,
        points: layout.points[edge] ?? [],
      }))
      .sort((a, b) => a.from - b.from || a.to - b.to),
    width: layout.width,
    height: layout.height,
  };
}

/** What all branches give. */
function agreed(branches: readonly (readonly Known[])[]): Known[] {
  const [first = [], ...others] = branches;
  return first.map(({ type, shape }, at) => ({
    type: others.every((branch) => branch[at]?.type === type) ? type : '',
    shape: others.every((branch) => JSON.stringify(branch[at]?.shape) === JSON.stringify(shape))
      ? shape
      : null,
  }));
}

/** The weights of a node: the largest, and how many more. */
function noteOf(inputs: GraphNode['inputs']): string {
  const constants = inputs.flatMap(({ constant }) => constant ?? []);
  const size = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);
  const [largest, ...rest] = constants.toSorted((a, b) => size(b.dims) - size(a.dims));
  if (largest === undefined) return '';
  return `${shapeText(largest.dims)}${rest.length === 0 ? '' : ` +${rest.length}`}`;
}

/** A file may lead to sizes that are none: too large to count, or parts of a number. */
function shownSize(size: Size): Size {
  if (typeof size === 'string') return shownText(size);
  return Number.isSafeInteger(size) ? size : null;
}

/** As wide as its box, or as the shapes that are written below it. */
function roomOf({ kind, width, outputs }: GraphNode): number {
  if (kind !== 'operator') return width;
  const words = outputs.slice(0, 3).map(({ shape }) => shapeText(shape));
  return Math.min(320, Math.max(width, words.join('  ').length * 6.2));
}

/** By the widths of letters of the window's font, about. */
function widthOf({ op, note }: Pick<GraphNode, 'op' | 'note'>): number {
  return Math.round(Math.min(240, Math.max(76, op.length * 7.8 + 24, note.length * 6.6 + 24)));
}
