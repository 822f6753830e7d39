/** Writing models by hand: small constructors for the messages, so that scripts and adapters read like the graph they make. */
import type {
  OnnxAttribute,
  OnnxGraph,
  OnnxModel,
  OnnxNode,
  OnnxTensor,
  OnnxType,
  OnnxValueInfo,
} from './model.ts';
import { tensorTypes } from './signature.ts';

export type ElementType = 'float' | 'double' | 'int32' | 'int64' | 'bool' | 'string' | 'uint8';
export type AttributeValue =
  | number
  | bigint
  | string
  | readonly number[]
  | readonly bigint[]
  | readonly string[]
  | OnnxTensor
  | OnnxGraph
  | OnnxType;

/** Unknown sizes are null, named ones their name. */
export function valueInfo(
  name: string,
  type: ElementType,
  dims: readonly (number | string | null)[],
): OnnxValueInfo {
  return {
    name,
    type: {
      tensor: {
        elemType: tensorTypes.indexOf(type),
        shape: {
          dims: dims.map((dim) =>
            typeof dim === 'number' ? { value: dim } : dim === null ? {} : { name: dim },
          ),
        },
      },
    },
  };
}

export function tensor(
  name: string,
  type: ElementType,
  content: {
    readonly dims: readonly number[];
    readonly data: readonly (number | bigint | string)[];
  },
): OnnxTensor {
  const base = {
    name,
    dims: [...content.dims],
    dataType: tensorTypes.indexOf(type),
    strings: [],
    externalData: [],
  };
  if (type === 'string')
    return { ...base, strings: content.data.map((text) => Buffer.from(String(text))) };
  return { ...base, rawData: packNumbers(type, content.data) };
}

/** `number` attributes are floats and `bigint` ones are ints, as ONNX tells them apart and JavaScript does not. */
export function node(
  opType: string,
  wiring: {
    readonly inputs: readonly string[];
    readonly outputs: readonly string[];
    readonly domain?: string;
  },
  attributes: Readonly<Record<string, AttributeValue>> = {},
): OnnxNode {
  return {
    opType,
    name: `${opType}:${wiring.outputs[0] ?? ''}`,
    inputs: [...wiring.inputs],
    outputs: [...wiring.outputs],
    ...(wiring.domain === undefined ? {} : { domain: wiring.domain }),
    attributes: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  };
}

export function graph(
  name: string,
  parts: {
    readonly nodes: readonly OnnxNode[];
    readonly inputs: readonly OnnxValueInfo[];
    readonly outputs: readonly OnnxValueInfo[];
    readonly initializers?: readonly OnnxTensor[];
  },
): OnnxGraph {
  return {
    name,
    nodes: [...parts.nodes],
    inputs: [...parts.inputs],
    outputs: [...parts.outputs],
    initializers: [...(parts.initializers ?? [])],
    sparseInitializers: [],
    valueInfo: [],
  };
}

/** `opsets` by domain; the standard domain is the empty string. */
export function model(
  main: OnnxGraph,
  options: {
    readonly opsets: Readonly<Record<string, number>>;
    readonly producer?: string;
    readonly irVersion?: number;
  },
): OnnxModel {
  return {
    irVersion: options.irVersion ?? 9,
    producerName: options.producer ?? 'strongroom',
    graph: main,
    opsetImports: Object.entries(options.opsets).map(([domain, version]) => ({ domain, version })),
    metadata: [],
    functions: [],
  };
}

function attribute(name: string, value: AttributeValue): OnnxAttribute {
  const base = {
    name,
    floats: [],
    ints: [],
    strings: [],
    tensors: [],
    graphs: [],
    sparseTensors: [],
  };
  if (typeof value === 'number') return { ...base, type: 1, f: value };
  if (typeof value === 'bigint') return { ...base, type: 2, i: value };
  if (typeof value === 'string') return { ...base, type: 3, s: Buffer.from(value) };
  if (isList(value)) {
    const [first] = value;
    if (typeof first === 'number') return { ...base, type: 6, floats: value.map(Number) };
    if (typeof first === 'bigint') return { ...base, type: 7, ints: value.map(BigInt) };
    return { ...base, type: 8, strings: value.map((text) => Buffer.from(String(text))) };
  }
  if ('dims' in value) return { ...base, type: 4, t: value };
  return 'nodes' in value ? { ...base, type: 5, g: value } : { ...base, type: 13, tp: value };
}

function isList(
  value: AttributeValue,
): value is readonly number[] | readonly bigint[] | readonly string[] {
  return Array.isArray(value);
}

function packNumbers(
  type: Exclude<ElementType, 'string'>,
  data: readonly (number | bigint | string)[],
): Uint8Array {
  const array = ((): ArrayBufferView => {
    switch (type) {
      case 'float':
        return Float32Array.from(data, Number);
      case 'double':
        return Float64Array.from(data, Number);
      case 'int32':
        return Int32Array.from(data, Number);
      case 'int64':
        return BigInt64Array.from(data, BigInt);
      case 'bool':
      case 'uint8':
        return Uint8Array.from(data, Number);
    }
  })();
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
