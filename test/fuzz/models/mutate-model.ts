/**
 * Mutants of an ONNX model that are models still: other types, sizes, attributes, wiring and operators. One number makes each, so
 * that a finding can be made again. Every seventh is spoilt as bytes on top.
 */
import {
  parseModel,
  tensorTypes,
  writeModel,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValueInfo,
} from '#domain/onnx/index.ts';
import { createRandom, type Random } from './random.ts';

/** What all seeds bring: an operator of one in the place of one of another. */
export interface Pool {
  readonly operators: readonly { readonly opType: string; readonly domain: string }[];
  readonly attributes: readonly OnnxAttribute[];
}

const ints = [
  0n,
  1n,
  -1n,
  2n,
  3n,
  7n,
  64n,
  2n ** 31n - 1n,
  2n ** 31n,
  -(2n ** 31n),
  2n ** 32n,
  2n ** 40n,
  2n ** 62n,
  2n ** 63n - 1n,
  -(2n ** 63n),
];
const floats = [0, -0, 1, -1, 1e-30, 1e30, -1e30, Number.NaN, Number.POSITIVE_INFINITY];
const sizes = [0, 1, -1, 2, 3, 5, 1000, 65_537, 2 ** 31, 2 ** 40];
const texts = [
  '',
  'NOTSET',
  'SAME_UPPER',
  'linear',
  'nearest',
  'reverse',
  'bidirectional',
  'Tanh',
  '...,ij->ji',
  'ij,jk->ik',
  '\u0000',
  'BRANCH_LEQ',
];

export function collectPool(models: readonly OnnxModel[]): Pool {
  const nodes = models.flatMap(({ graph }) => graph?.nodes ?? []);
  const operators = new Map(
    nodes.map(({ opType = '', domain = '' }) => [`${domain}:${opType}`, { opType, domain }]),
  );
  const attributes = new Map(
    nodes.flatMap((node) => node.attributes.map((each) => [`${node.opType}.${each.name}`, each])),
  );
  return { operators: [...operators.values()], attributes: [...attributes.values()] };
}

export function mutant(seed: Uint8Array, pool: Pool, number: number): Uint8Array {
  const random = createRandom(number);
  const model = parseModel(seed);
  const graphs = graphsOf(model.graph);
  for (let left = 1 + random.below(4); left > 0; left -= 1) {
    const graph = random.one(graphs);
    if (graph !== undefined) random.one(mutations)?.({ model, graph, pool, random });
  }
  const bytes = written(model) ?? seed;
  return random.below(7) === 0 ? spoilt(bytes, random) : bytes;
}

interface Turn {
  readonly model: OnnxModel;
  readonly graph: OnnxGraph;
  readonly pool: Pool;
  readonly random: Random;
}

const mutations: readonly ((turn: Turn) => void)[] = [
  // Types and sizes of values at the border and in between.
  ({ graph, random }) => {
    const info = random.one([...graph.inputs, ...graph.outputs, ...graph.valueInfo]);
    if (info?.type?.tensor !== undefined)
      info.type.tensor.elemType = random.below(tensorTypes.length + 2);
  },
  ({ graph, random }) => changeShape(random.one([...graph.inputs, ...graph.outputs]), random),
  // Constants: shape, type and content.
  ({ graph, random }) => {
    const tensor = random.one(tensorsOf(graph));
    if (tensor !== undefined) changeList(tensor.dims, sizes, random);
  },
  ({ graph, random }) => {
    const tensor = random.one(tensorsOf(graph));
    if (tensor !== undefined) tensor.dataType = random.below(tensorTypes.length + 2);
  },
  ({ graph, random }) => changeContent(random.one(tensorsOf(graph)), random),
  ({ graph, random }) => changeContent(random.one(tensorsOf(graph)), random),
  // Attributes.
  ({ graph, random }) => changeAttribute(random.one(attributesOf(graph)), random),
  ({ graph, random }) => changeAttribute(random.one(attributesOf(graph)), random),
  ({ graph, random }) => {
    const node = random.one(graph.nodes);
    node?.attributes.splice(random.below(node.attributes.length + 1), 1);
  },
  ({ graph, pool, random }) => {
    const attribute = random.one(pool.attributes);
    if (attribute !== undefined)
      random.one(graph.nodes)?.attributes.push(structuredClone(attribute));
  },
  // Wiring.
  ({ graph, random }) => {
    const node = random.one(graph.nodes);
    const at = random.below((node?.inputs.length ?? 0) + 1);
    if (node !== undefined) node.inputs[at] = random.one([...namesOf(graph), '']) ?? '';
  },
  ({ graph, random }) => void random.one(graph.nodes)?.inputs.splice(0, 1),
  ({ graph, random }) => random.one(graph.nodes)?.inputs.pop(),
  ({ graph, random }) => random.one(graph.nodes)?.outputs.push(`more${random.below(3)}`),
  // Operators.
  ({ graph, pool, random }) => {
    const node = random.one(graph.nodes);
    const operator = random.one(pool.operators);
    if (node === undefined || operator === undefined) return;
    node.opType = operator.opType;
    node.domain = operator.domain;
  },
  ({ graph, pool, random }) => insertNode(graph, pool, random),
  ({ graph, random }) => graph.nodes.splice(random.below(graph.nodes.length + 1), 1),
  ({ graph, random }) => {
    const node = random.one(graph.nodes);
    if (node !== undefined)
      graph.nodes.splice(random.below(graph.nodes.length), 0, structuredClone(node));
  },
  ({ model, random }) => {
    const opset = random.one(model.opsetImports);
    if (opset !== undefined) opset.version = 1 + random.below(27);
  },
];

function changeShape(info: OnnxValueInfo | undefined, random: Random): void {
  const tensor = info?.type?.tensor;
  if (tensor === undefined) return;
  tensor.shape ??= { dims: [] };
  const made = random.below(3) === 0 ? { name: 'n' } : { value: random.one(sizes) ?? 0 };
  changeList(tensor.shape.dims, [made], random);
}

/** One more, one less, or another. */
function changeList<T>(list: T[], values: readonly T[], random: Random): void {
  const value = random.one(values);
  const kind = random.below(4);
  if (kind === 0) list.splice(random.below(list.length + 1), 1);
  else if (value !== undefined)
    list.splice(random.below(list.length + (kind === 1 ? 1 : 0)), kind === 1 ? 0 : 1, value);
}

function changeContent(tensor: OnnxTensor | undefined, random: Random): void {
  const { rawData } = tensor ?? {};
  if (tensor === undefined || rawData === undefined || rawData.length === 0) return;
  const bytes = Buffer.from(rawData);
  const at = random.below(bytes.length);
  if (random.below(6) === 0) tensor.rawData = bytes.subarray(0, at);
  else if (tensorTypes[tensor.dataType ?? 0] === 'int64' && bytes.length >= 8)
    bytes.writeBigInt64LE(random.one(ints) ?? 0n, 8 * random.below(Math.floor(bytes.length / 8)));
  else if (bytes.length >= 4)
    bytes.writeFloatLE(random.one(floats) ?? 0, 4 * random.below(Math.floor(bytes.length / 4)));
  else bytes[at] = random.below(256);
  if (tensor.rawData === rawData) tensor.rawData = bytes;
}

function changeAttribute(attribute: OnnxAttribute | undefined, random: Random): void {
  if (attribute === undefined) return;
  if (random.below(8) === 0) attribute.type = random.below(15);
  else if (attribute.ints.length > 0) changeList(attribute.ints, ints, random);
  else if (attribute.floats.length > 0) changeList(attribute.floats, floats, random);
  else if (attribute.strings.length > 0)
    changeList(attribute.strings, [Buffer.from(random.one(texts) ?? '')], random);
  else if (attribute.s !== undefined) attribute.s = Buffer.from(random.one(texts) ?? '');
  else if (attribute.f !== undefined) attribute.f = random.one(floats) ?? 0;
  else if (attribute.t !== undefined) changeContent(attribute.t, random);
  else attribute.i = random.one(ints) ?? 0n;
}

/** Between two nodes: what one made goes through an operator of another model before it is used. */
function insertNode(graph: OnnxGraph, pool: Pool, random: Random): void {
  const node = random.one(graph.nodes);
  const operator = random.one(pool.operators);
  if (node === undefined || operator === undefined || node.inputs.length === 0) return;
  const at = random.below(node.inputs.length);
  const made: OnnxNode = {
    ...operator,
    inputs: [
      node.inputs[at] ?? '',
      ...(random.below(2) === 0 ? [random.one(namesOf(graph)) ?? ''] : []),
    ],
    outputs: [`made${graph.nodes.length}`],
    attributes: [],
  };
  node.inputs[at] = made.outputs[0] ?? '';
  graph.nodes.splice(graph.nodes.indexOf(node), 0, made);
}

function spoilt(bytes: Uint8Array, random: Random): Uint8Array {
  const made = Buffer.from(bytes);
  for (let left = 1 + random.below(6); left > 0 && made.length > 0; left -= 1) {
    const at = random.below(made.length);
    made[at] = (made[at] ?? 0) ^ (1 << random.below(8));
  }
  return random.below(5) === 0 ? made.subarray(0, random.below(made.length + 1)) : made;
}

function written(model: OnnxModel): Uint8Array | undefined {
  try {
    return writeModel(model);
  } catch {
    // Some mutants are beyond what can be written.
    return undefined;
  }
}

function graphsOf(graph: OnnxGraph | undefined): OnnxGraph[] {
  if (graph === undefined) return [];
  const inner = graph.nodes
    .flatMap(({ attributes }) => attributes)
    .flatMap(({ g, graphs }) => [...(g === undefined ? [] : [g]), ...graphs]);
  return [graph, ...inner.flatMap(graphsOf)];
}

const attributesOf = (graph: OnnxGraph): OnnxAttribute[] =>
  graph.nodes.flatMap(({ attributes }) => attributes);
const tensorsOf = (graph: OnnxGraph): OnnxTensor[] => [
  ...graph.initializers,
  ...attributesOf(graph).flatMap(({ t }) => t ?? []),
];
const namesOf = (graph: OnnxGraph): string[] => [
  ...graph.nodes.flatMap(({ outputs }) => outputs),
  ...[...graph.inputs, ...graph.initializers].map(({ name }) => name ?? ''),
];
