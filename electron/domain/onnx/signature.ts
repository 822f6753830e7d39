/** What a model takes and gives, and what it is made of, read from the file and not from the runtime. */
import type { ModelFacts, TensorSpec } from '#shared/contract/bundles.ts';
import type {
  OnnxGraph,
  OnnxModel,
  OnnxNode,
  OnnxTensor,
  OnnxType,
  OnnxValueInfo,
} from './model.ts';
import { attributeOf } from './nodes.ts';

/** TensorProto.DataType by number, in the runtime's spelling. */
export const tensorTypes: readonly string[] = [
  'undefined',
  'float',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'double',
  'uint32',
  'uint64',
  'complex64',
  'complex128',
  'bfloat16',
  'float8e4m3fn',
  'float8e4m3fnuz',
  'float8e5m2',
  'float8e5m2fnuz',
  'uint4',
  'int4',
  'float4e2m1',
  'float8e8m0',
  'uint2',
  'int2',
];

const bitsByType: Readonly<Record<string, number>> = {
  float: 32,
  uint8: 8,
  int8: 8,
  uint16: 16,
  int16: 16,
  int32: 32,
  int64: 64,
  bool: 8,
  float16: 16,
  double: 64,
  uint32: 32,
  uint64: 64,
  complex64: 64,
  complex128: 128,
  bfloat16: 16,
  float8e4m3fn: 8,
  float8e4m3fnuz: 8,
  float8e5m2: 8,
  float8e5m2fnuz: 8,
  uint4: 4,
  int4: 4,
  float4e2m1: 4,
  float8e8m0: 8,
  uint2: 2,
  int2: 2,
};

export type ModelSignature = Pick<ModelFacts, 'inputs' | 'outputs'>;

export function modelSignature(model: OnnxModel): ModelSignature {
  const graph = model.graph;
  // Before IR version 4 initializers were listed as inputs too.
  const constants = new Set(graph?.initializers.map(({ name }) => name));
  return {
    inputs: (graph?.inputs ?? [])
      .filter(({ name }) => !constants.has(name))
      .flatMap((input) =>
        graph === undefined
          ? valueToSpec(input)
          : (mapKeys(graph, input)?.names.map((name) => keySpec(name, input)) ??
            valueToSpec(input)),
      ),
    outputs: (graph?.outputs ?? []).map(valueToSpec),
  };
}

export interface MapKeys {
  /** The DictVectorizer that takes the map. */
  readonly vectorizer: OnnxNode;
  /** What the inputs for its keys are called, in the order of its columns. */
  readonly names: readonly string[];
}

/**
 * An input that is a map and goes into one DictVectorizer has known keys: each is an input of its own, called as the key, or
 * `name[key]` where another input is called so. Undefined for every other input.
 */
export function mapKeys(graph: OnnxGraph, { name = '', type }: OnnxValueInfo): MapKeys | undefined {
  if (type?.map === undefined) return undefined;
  const [vectorizer, second] = graph.nodes.filter(({ inputs }) => inputs.includes(name));
  if (vectorizer?.opType !== 'DictVectorizer' || second !== undefined) return undefined;
  const texts = attributeOf(vectorizer, 'string_vocabulary')?.strings ?? [];
  const keys =
    texts.length > 0
      ? texts.map((bytes) => Buffer.from(bytes).toString('utf8'))
      : (attributeOf(vectorizer, 'int64_vocabulary')?.ints ?? []).map(String);
  const others = new Set(graph.inputs.map((other) => other.name));
  return { vectorizer, names: keys.map((key) => (others.has(key) ? `${name}[${key}]` : key)) };
}

function keySpec(name: string, { type }: OnnxValueInfo): TensorSpec {
  const element = tensorTypes[type?.map?.valueType?.tensor?.elemType ?? 0] ?? 'undefined';
  return { name, kind: 'tensor', type: element, shape: [null, 1] };
}

/** Operators beyond this many kinds are not listed. */
const mostOperators = 1000;

export function modelFactsOf(model: OnnxModel): Omit<ModelFacts, 'path' | 'sizeBytes'> {
  const counts = new Map<string, number>();
  let nodes = 0;
  let parameters = 0;
  const external = new Set<string>();
  const visitTensor = ({ externalData }: OnnxTensor): void => {
    const location = externalData.find(({ key }) => key === 'location')?.value;
    if (location !== undefined) external.add(location);
  };
  const visit = (list: readonly OnnxNode[]): void => {
    for (const { opType, domain, attributes } of list) {
      nodes += 1;
      const name = (domain ?? '') === '' ? (opType ?? '?') : `${domain}:${opType}`;
      counts.set(name, (counts.get(name) ?? 0) + 1);
      for (const { g, graphs, t, tensors } of attributes) {
        [...(t === undefined ? [] : [t]), ...tensors].forEach(visitTensor);
        [...(g === undefined ? [] : [g]), ...graphs].forEach(visitGraph);
      }
    }
  };
  const visitGraph = (graph: OnnxGraph): void => {
    for (const tensor of graph.initializers) {
      parameters += tensor.dims.reduce((product, dim) => product * dim, 1);
      visitTensor(tensor);
    }
    visit(graph.nodes);
  };
  if (model.graph !== undefined) visitGraph(model.graph);
  for (const { nodes: body } of model.functions) visit(body);
  return {
    producer: [model.producerName, model.producerVersion]
      .filter((part) => part !== undefined && part !== '')
      .join(' '),
    irVersion: model.irVersion ?? 0,
    opsets: model.opsetImports.map(({ domain, version }) => ({
      domain: (domain ?? '') === '' ? 'ai.onnx' : (domain ?? ''),
      version: version ?? 0,
    })),
    nodes,
    operators: [...counts]
      .map(([name, count]) => ({ name, count }))
      .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
      .slice(0, mostOperators),
    parameters,
    externalData: [...external].sort(),
    ...modelSignature(model),
  };
}

/** Bytes that `rawData` or an external file must hold; undefined for types without a fixed width, such as strings. */
export function tensorBytes({ dims, dataType }: OnnxTensor): number | undefined {
  const bits = bitsByType[tensorTypes[dataType ?? 0] ?? ''];
  return bits === undefined
    ? undefined
    : Math.ceil((dims.reduce((product, dim) => product * dim, 1) * bits) / 8);
}

function valueToSpec({ name, type }: OnnxValueInfo): TensorSpec {
  return { name: name ?? '', ...typeToSpec(type) };
}

function withoutKind({
  type,
  shape,
}: Omit<TensorSpec, 'name'>): Pick<TensorSpec, 'type' | 'shape'> {
  return { type, shape };
}

function typeToSpec(type: OnnxType | undefined): Omit<TensorSpec, 'name'> {
  if (type?.tensor !== undefined) {
    const dims = type.tensor.shape?.dims ?? [];
    return {
      kind: 'tensor',
      type: tensorTypes[type.tensor.elemType ?? 0] ?? 'undefined',
      shape: dims.map(
        ({ value, name }) => value ?? (name === undefined || name === '' ? null : name),
      ),
    };
  }
  if (type?.sequence !== undefined)
    return { kind: 'sequence', type: typeToSpec(type.sequence.elemType).type, shape: [] };
  if (type?.map !== undefined)
    return {
      kind: 'map',
      type: `${tensorTypes[type.map.keyType ?? 0]}→${typeToSpec(type.map.valueType).type}`,
      shape: [],
    };
  if (type?.optional !== undefined)
    return { kind: 'optional', ...withoutKind(typeToSpec(type.optional.elemType)) };
  return { kind: 'other', type: 'undefined', shape: [] };
}
