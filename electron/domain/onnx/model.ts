/** ONNX messages (onnx.proto, IR version 13) as far as the product reads or writes them; other fields travel along unread. */
import { AppError } from '#shared/errors.ts';
import type { Descriptor, Message, Unknown } from './wire.ts';
import { createDecoder, decode, type Outline } from './wire-read.ts';
import { encode } from './wire-write.ts';

export interface OnnxModel extends Unknown {
  irVersion?: number;
  producerName?: string;
  producerVersion?: string;
  graph?: OnnxGraph;
  opsetImports: OnnxOpset[];
  metadata: OnnxEntry[];
  trainingInfo?: OnnxTraining[];
  functions: OnnxFunction[];
}

/** Graphs for training; the runtime leaves them alone. */
export interface OnnxTraining extends Unknown {
  initialization?: OnnxGraph;
  algorithm?: OnnxGraph;
}

export interface OnnxOpset extends Unknown {
  domain?: string;
  version?: number;
}

export interface OnnxEntry extends Unknown {
  key?: string;
  value?: string;
}

export interface OnnxGraph extends Unknown {
  nodes: OnnxNode[];
  name?: string;
  initializers: OnnxTensor[];
  sparseInitializers: OnnxSparseTensor[];
  inputs: OnnxValueInfo[];
  outputs: OnnxValueInfo[];
  valueInfo: OnnxValueInfo[];
  quantization?: OnnxQuantization[];
}

/** Which tensors hold the scale and zero point of another one. */
export interface OnnxQuantization extends Unknown {
  tensorName?: string;
  parameters: OnnxEntry[];
}

export interface OnnxNode extends Unknown {
  inputs: string[];
  outputs: string[];
  name?: string;
  opType?: string;
  domain?: string;
  /** Tells functions of one name apart. */
  overload?: string;
  attributes: OnnxAttribute[];
}

export interface OnnxAttribute extends Unknown {
  name?: string;
  type?: number;
  f?: number;
  i?: bigint;
  s?: Uint8Array;
  t?: OnnxTensor;
  g?: OnnxGraph;
  floats: number[];
  ints: bigint[];
  strings: Uint8Array[];
  tensors: OnnxTensor[];
  graphs: OnnxGraph[];
  sparseTensor?: OnnxSparseTensor;
  sparseTensors: OnnxSparseTensor[];
  tp?: OnnxType;
}

export interface OnnxTensor extends Unknown {
  dims: number[];
  dataType?: number;
  name?: string;
  strings: Uint8Array[];
  rawData?: Uint8Array;
  externalData: OnnxEntry[];
  dataLocation?: number;
}

export interface OnnxSparseTensor extends Unknown {
  values?: OnnxTensor;
  indices?: OnnxTensor;
  dims: number[];
}

export interface OnnxValueInfo extends Unknown {
  name?: string;
  type?: OnnxType;
}

export interface OnnxType extends Unknown {
  tensor?: { elemType?: number; shape?: { dims: { value?: number; name?: string }[] } } & Unknown;
  sequence?: { elemType?: OnnxType } & Unknown;
  map?: { keyType?: number; valueType?: OnnxType } & Unknown;
  optional?: { elemType?: OnnxType } & Unknown;
}

export interface OnnxFunction extends Unknown {
  name?: string;
  domain?: string;
  overload?: string;
  inputs: string[];
  outputs: string[];
  nodes: OnnxNode[];
  opsetImports: OnnxOpset[];
  /** Attributes with a default. */
  attributes: OnnxAttribute[];
}

const entry: Descriptor = [
  { number: 1, name: 'key', type: 'string' },
  { number: 2, name: 'value', type: 'string' },
];
const opset: Descriptor = [
  { number: 1, name: 'domain', type: 'string' },
  { number: 2, name: 'version', type: 'int' },
];
const tensor: Descriptor = [
  { number: 1, name: 'dims', type: 'int', many: true },
  { number: 2, name: 'dataType', type: 'int' },
  { number: 6, name: 'strings', type: 'bytes', many: true },
  { number: 8, name: 'name', type: 'string' },
  { number: 9, name: 'rawData', type: 'bytes' },
  { number: 13, name: 'externalData', type: () => entry, many: true },
  { number: 14, name: 'dataLocation', type: 'int' },
];
const sparseTensor: Descriptor = [
  { number: 1, name: 'values', type: () => tensor },
  { number: 2, name: 'indices', type: () => tensor },
  { number: 3, name: 'dims', type: 'int', many: true },
];
const shape: Descriptor = [
  {
    number: 1,
    name: 'dims',
    many: true,
    type: () => dimension,
  },
];
const dimension: Descriptor = [
  { number: 1, name: 'value', type: 'int' },
  { number: 2, name: 'name', type: 'string' },
];
const tensorType: Descriptor = [
  { number: 1, name: 'elemType', type: 'int' },
  { number: 2, name: 'shape', type: () => shape },
];
const type: Descriptor = [
  { number: 1, name: 'tensor', type: () => tensorType },
  { number: 4, name: 'sequence', type: () => sequenceType },
  { number: 5, name: 'map', type: () => mapType },
  { number: 9, name: 'optional', type: () => optionalType },
];
const sequenceType: Descriptor = [{ number: 1, name: 'elemType', type: () => type }];
const optionalType: Descriptor = [{ number: 1, name: 'elemType', type: () => type }];
const mapType: Descriptor = [
  { number: 1, name: 'keyType', type: 'int' },
  { number: 2, name: 'valueType', type: () => type },
];
/** SequenceProto and OptionalProto of onnx-data.proto, which ONNX's own tests write. */
const sequenceValue: Descriptor = [
  { number: 1, name: 'name', type: 'string' },
  { number: 2, name: 'elemType', type: 'int' },
  { number: 3, name: 'tensors', type: () => tensor, many: true },
];
const optionalValue: Descriptor = [
  { number: 1, name: 'name', type: 'string' },
  { number: 2, name: 'elemType', type: 'int' },
  { number: 3, name: 'tensor', type: () => tensor },
  { number: 5, name: 'sequence', type: () => sequenceValue },
];
const valueInfo: Descriptor = [
  { number: 1, name: 'name', type: 'string' },
  { number: 2, name: 'type', type: () => type },
];
const attribute: Descriptor = [
  { number: 1, name: 'name', type: 'string' },
  { number: 2, name: 'f', type: 'float' },
  { number: 3, name: 'i', type: 'long' },
  { number: 4, name: 's', type: 'bytes' },
  { number: 5, name: 't', type: () => tensor },
  { number: 6, name: 'g', type: () => graph },
  { number: 7, name: 'floats', type: 'float', many: true },
  { number: 8, name: 'ints', type: 'long', many: true },
  { number: 9, name: 'strings', type: 'bytes', many: true },
  { number: 10, name: 'tensors', type: () => tensor, many: true },
  { number: 11, name: 'graphs', type: () => graph, many: true },
  { number: 14, name: 'tp', type: () => type },
  { number: 20, name: 'type', type: 'int' },
  { number: 22, name: 'sparseTensor', type: () => sparseTensor },
  { number: 23, name: 'sparseTensors', type: () => sparseTensor, many: true },
];
const node: Descriptor = [
  { number: 1, name: 'inputs', type: 'string', many: true },
  { number: 2, name: 'outputs', type: 'string', many: true },
  { number: 3, name: 'name', type: 'string' },
  { number: 4, name: 'opType', type: 'string' },
  { number: 5, name: 'attributes', type: () => attribute, many: true },
  { number: 7, name: 'domain', type: 'string' },
  { number: 8, name: 'overload', type: 'string' },
];
const quantization: Descriptor = [
  { number: 1, name: 'tensorName', type: 'string' },
  { number: 2, name: 'parameters', type: () => entry, many: true },
];
const graph: Descriptor = [
  { number: 1, name: 'nodes', type: () => node, many: true },
  { number: 2, name: 'name', type: 'string' },
  { number: 5, name: 'initializers', type: () => tensor, many: true },
  { number: 11, name: 'inputs', type: () => valueInfo, many: true },
  { number: 12, name: 'outputs', type: () => valueInfo, many: true },
  { number: 13, name: 'valueInfo', type: () => valueInfo, many: true },
  { number: 14, name: 'quantization', type: () => quantization, many: true },
  { number: 15, name: 'sparseInitializers', type: () => sparseTensor, many: true },
];
const functionProto: Descriptor = [
  { number: 1, name: 'name', type: 'string' },
  { number: 4, name: 'inputs', type: 'string', many: true },
  { number: 5, name: 'outputs', type: 'string', many: true },
  { number: 7, name: 'nodes', type: () => node, many: true },
  { number: 9, name: 'opsetImports', type: () => opset, many: true },
  { number: 10, name: 'domain', type: 'string' },
  { number: 11, name: 'attributes', type: () => attribute, many: true },
  { number: 13, name: 'overload', type: 'string' },
];
const training: Descriptor = [
  { number: 1, name: 'initialization', type: () => graph },
  { number: 2, name: 'algorithm', type: () => graph },
];
const model: Descriptor = [
  { number: 1, name: 'irVersion', type: 'int' },
  { number: 2, name: 'producerName', type: 'string' },
  { number: 3, name: 'producerVersion', type: 'string' },
  { number: 7, name: 'graph', type: () => graph },
  { number: 8, name: 'opsetImports', type: () => opset, many: true },
  { number: 14, name: 'metadata', type: () => entry, many: true },
  { number: 20, name: 'trainingInfo', type: () => training, many: true },
  { number: 25, name: 'functions', type: () => functionProto, many: true },
];

/** Throws `corrupt` for bytes that are no ONNX model, `unsupported` for ONNX Runtime's own format. */
export function parseModel(bytes: Uint8Array): OnnxModel {
  refuseOrtFormat(bytes);
  return checkModel(decode(bytes, model));
}

/** What is kept when a model is read from a stream; weights are longer, and a forest of trees has more numbers. */
const outlineLimits: Outline = {
  keepBytes: 64 * 2 ** 10,
  keepItems: 64 * 2 ** 10,
  totalBytes: 512 * 2 ** 20,
};

export interface OutlineReader {
  write(chunk: Uint8Array): void;
  end(): OnnxModel;
}

/**
 * The structure of a model without its weights, read from a stream in bounded memory. A tensor whose `rawData` was passed
 * over has its length in `elided`, and with `digests` its digest beside it. An outline is for looking, not for writing back. Errors are those of `parseModel`.
 */
export function createOutlineReader(options: Pick<Outline, 'digests'> = {}): OutlineReader {
  const decoder = createDecoder(model, { ...outlineLimits, ...options });
  let head: Uint8Array = new Uint8Array();
  return {
    write(chunk) {
      if (head.length < 8) {
        head = Buffer.concat([head, chunk.subarray(0, 8)]);
        refuseOrtFormat(head);
      }
      decoder.write(chunk);
    },
    end: () => checkModel(decoder.end()),
  };
}

function refuseOrtFormat(bytes: Uint8Array): void {
  if (Buffer.from(bytes.subarray(4, 8)).toString('latin1') === 'ORTM') {
    throw new AppError(
      'unsupported',
      'This is a model in the ORT format, which cannot be inspected. Ask for the ONNX file it was made from.',
    );
  }
}

function checkModel(message: Message): OnnxModel {
  // The descriptors above and the interfaces say the same; the codec fills every repeated field.
  const parsed = message as unknown as OnnxModel;
  if (
    parsed.graph === undefined ||
    parsed.irVersion === undefined ||
    parsed.opsetImports.length === 0
  ) {
    throw new AppError(
      'corrupt',
      'The file is not an ONNX model: it has no graph, IR version or operator set.',
    );
  }
  return parsed;
}

/** Throws `corrupt`. */
export function parseTensor(bytes: Uint8Array): OnnxTensor {
  return decode(bytes, tensor) as unknown as OnnxTensor;
}

/** A sequence of tensors as a file of its own. Throws `corrupt`. */
export function parseSequence(bytes: Uint8Array): readonly OnnxTensor[] {
  return (decode(bytes, sequenceValue) as { tensors?: unknown }).tensors as OnnxTensor[];
}

/** A tensor or a sequence of them, or nothing, as a file of its own. Throws `corrupt`. */
export function parseOptional(bytes: Uint8Array): OnnxTensor | readonly OnnxTensor[] | undefined {
  const { tensor: one, sequence } = decode(bytes, optionalValue) as {
    tensor?: unknown;
    sequence?: { tensors: unknown };
  };
  return (sequence?.tensors ?? one) as OnnxTensor | OnnxTensor[] | undefined;
}

export function writeModel(value: OnnxModel): Uint8Array {
  return encode(value, model);
}
