/**
 * Inference request and response of the Open Inference Protocol v2 (REST), with Triton's binary tensor data extension:
 * the body is a JSON object, and after it the binary data of those tensors that name their `binary_data_size`, in their order.
 * Fields that are not known are passed over, as the published clients send some (`model_name`).
 */
import { z } from 'zod';
import { AppError } from '#shared/errors.ts';
import type { TensorSpec } from '#shared/contract/bundles.ts';
import type { TensorData } from '#domain/onnx/index.ts';
import {
  bytesToData,
  carriedBy,
  datatypeOf,
  datatypes,
  dataToBytes,
  type ServedTensor,
} from './datatypes.ts';
import { dataToJson, jsonToData, parseJson } from './json-data.ts';

/** What is known of a model: the tensors that it takes and gives, in their order. */
export interface ServedModel {
  /** Whether a value may be `null`, as those of a column may. */
  readonly takesMissing?: boolean;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

export interface InferRequest {
  readonly id: string | undefined;
  /** Longest time in the queue, in microseconds; undefined: as long as it takes. */
  readonly timeoutMicroseconds: number | undefined;
  readonly feeds: Readonly<Record<string, TensorData>>;
  /** In the order of the reply; undefined: all that the model gives. */
  readonly wanted: readonly WantedOutput[] | undefined;
  /** For outputs that do not say themselves. */
  readonly binaryOutput: boolean;
}

interface WantedOutput {
  readonly name: string;
  readonly binary: boolean | undefined;
}

/** What each field must be: the rest of a sentence. */
const objectOf = <Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape> =>
  z.object(shape, 'an object');
const textOf = (most: number): z.ZodString =>
  z
    .string(`a text of at most ${most} characters`)
    .max(most, `a text of at most ${most} characters`);
const listOf = <Item extends z.ZodType>(item: Item, most: number): z.ZodArray<Item> =>
  z.array(item, `a list of at most ${most}`).max(most, `a list of at most ${most}`);
const size = 'a whole number from 0';

const parameters = z
  .record(
    textOf(200),
    z.union(
      [textOf(10_000), z.number(), z.bigint(), z.boolean()],
      'a number, true, false or a text of at most 10000 characters',
    ),
    'an object with names of at most 200 characters',
  )
  .nullish()
  .transform((given) => given ?? {});
const name = textOf(1000).min(1, 'a name');
/** What is parsed in one piece, while nothing else of the program goes on. */
const mostJsonBytes = 16 * 2 ** 20;
const mostTensors = 1000;
const mostDimensions = 32;

const requestHeader = objectOf({
  id: textOf(1000).nullish(),
  parameters,
  inputs: listOf(
    objectOf({
      name,
      shape: listOf(z.int(size).nonnegative(size), mostDimensions),
      datatype: z.enum(datatypes, `one of ${datatypes.join(', ')}`),
      parameters,
      data: z.unknown().optional(),
    }),
    mostTensors,
  ),
  outputs: listOf(objectOf({ name, parameters }), mostTensors).nullish(),
});

/**
 * `jsonBytes` is what `Inference-Header-Content-Length` says; undefined when the whole body is JSON. Throws `invalid-input` with
 * a sentence for whoever sends the request.
 */
export function parseInferRequest(
  body: Uint8Array,
  jsonBytes: number | undefined,
  model: ServedModel,
): InferRequest {
  if (jsonBytes !== undefined && jsonBytes > body.length)
    throw new AppError('invalid-input', 'Inference-Header-Content-Length is beyond the body.');
  const header = parseHeader(body.subarray(0, jsonBytes ?? body.length));
  refuseParameters(header.parameters, {
    sequence_id: 'Sequences are not served: every request stands alone.',
  });
  let at = jsonBytes ?? body.length;
  const specByName = new Map(model.inputs.map((spec) => [spec.name, spec]));
  const feeds = new Map<string, TensorData>();
  const sizes: NamedSizes = new Map();
  for (const input of header.inputs) {
    const spec = specByName.get(input.name);
    if (spec === undefined)
      throw new AppError(
        'invalid-input',
        `The model has no input ${input.name}. It takes: ${listed([...specByName.keys()])}.`,
      );
    if (feeds.has(input.name))
      throw new AppError('invalid-input', `Input ${input.name} is given twice.`);
    checkForm(input, spec);
    checkNamedSizes(input, spec, sizes);
    refuseParameters(input.parameters, {
      shared_memory_region: `Input ${input.name}: shared memory is not served. Send the data in the request.`,
    });
    const size = sizeOf(input.parameters['binary_data_size'], input.name);
    if (size !== undefined && input.data !== undefined && input.data !== null)
      throw new AppError(
        'invalid-input',
        `Input ${input.name}: data is given twice, as JSON and as binary.`,
      );
    if (size !== undefined && body.length - at < size)
      throw new AppError(
        'invalid-input',
        `Input ${input.name}: the body ends before its binary data.`,
      );
    const count = input.shape.reduce((product, dim) => product * dim, 1);
    feeds.set(input.name, {
      type: input.datatype === 'BYTES' ? 'string' : carriedBy[input.datatype].type,
      dims: input.shape,
      data:
        size === undefined
          ? jsonToData(input, model.takesMissing === true)
          : bytesToData(input.name, input.datatype, body.subarray(at, at + size), count),
    });
    at += size ?? 0;
  }
  if (at !== body.length)
    throw new AppError('invalid-input', 'The body is longer than its tensors.');
  const missing = model.inputs.filter((spec) => !feeds.has(spec.name)).map((spec) => spec.name);
  if (missing.length > 0)
    throw new AppError('invalid-input', `The request lacks ${listed(missing)}.`);
  return {
    id: header.id ?? undefined,
    timeoutMicroseconds: timeoutOf(header.parameters['timeout']),
    feeds: Object.fromEntries(feeds),
    wanted: wantedOutputs(header.outputs ?? [], model),
    binaryOutput: header.parameters['binary_data_output'] === true,
  };
}

function parseHeader(bytes: Uint8Array): z.infer<typeof requestHeader> {
  if (bytes.length > mostJsonBytes)
    throw new AppError(
      'invalid-input',
      `The JSON of a request has at most ${mostJsonBytes / 2 ** 20} MiB. Send large tensors as binary data.`,
    );
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new AppError(
      'invalid-input',
      'The request is not UTF-8. Binary data needs the header Inference-Header-Content-Length.',
      { cause },
    );
  }
  const parsed = requestHeader.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = (issue?.path ?? []).map((part) =>
    typeof part === 'number' ? `[${part}]` : `.${String(part).slice(0, 100)}`,
  );
  throw new AppError(
    'invalid-input',
    `The request is no inference request: ${place.join('').slice(1) || 'its JSON'} must be ${issue?.message}.`,
  );
}

function checkForm(
  { name, shape, datatype }: z.infer<typeof requestHeader>['inputs'][number],
  spec: TensorSpec,
): void {
  if (spec.kind !== 'tensor')
    throw new AppError('unsupported', `Input ${name} is a ${spec.kind}, which cannot be served.`);
  const expected = datatypeOf(spec.type);
  if (datatype !== expected)
    throw new AppError('invalid-input', `Input ${name} is ${expected}, and ${datatype} is given.`);
  if (!Number.isSafeInteger(shape.reduce((product, dim) => product * dim, 1)))
    throw new AppError('invalid-input', `Input ${name}: its shape is too large.`);
  // A file without a shape and a scalar look the same here; the model looks itself.
  if (spec.shape.length === 0) return;
  const fits =
    shape.length === spec.shape.length &&
    spec.shape.every((dim, at) => typeof dim !== 'number' || dim === shape[at]);
  if (!fits)
    throw new AppError(
      'invalid-input',
      `Input ${name} has the shape [${shapeToWire(spec.shape).join(', ')}], and [${shape.join(', ')}] is given (-1 is any).`,
    );
}

/** Size of each named dimension, and the input that gave it first. */
type NamedSizes = Map<string, { readonly size: number; readonly input: string }>;

/**
 * A dimension of one name has one size (ONNX IR, "Static tensor shapes"). The runtime does not look: an input with no rows beside
 * others with one can be scored as if its column was not there.
 */
function checkNamedSizes(
  { name, shape }: z.infer<typeof requestHeader>['inputs'][number],
  spec: TensorSpec,
  sizes: NamedSizes,
): void {
  for (const [at, symbol] of spec.shape.entries()) {
    const size = shape[at];
    if (typeof symbol !== 'string' || symbol === '' || size === undefined) continue;
    const first = sizes.get(symbol);
    if (first === undefined) sizes.set(symbol, { size, input: name });
    else if (first.size !== size)
      throw new AppError(
        'invalid-input',
        `Inputs ${first.input} and ${name} share the dimension ${symbol}, and ${first.size} and ${size} are given.`,
      );
  }
}

function wantedOutputs(
  outputs: NonNullable<z.infer<typeof requestHeader>['outputs']>,
  model: ServedModel,
): readonly WantedOutput[] | undefined {
  if (outputs.length === 0) return undefined;
  const known = model.outputs.map(({ name }) => name);
  return outputs.map(({ name, parameters }, at) => {
    if (!known.includes(name))
      throw new AppError(
        'invalid-input',
        `The model has no output ${name}. It gives: ${listed(known)}.`,
      );
    if (outputs.findIndex((other) => other.name === name) !== at)
      throw new AppError('invalid-input', `Output ${name} is asked for twice.`);
    refuseParameters(parameters, {
      classification: `Output ${name}: classification is not served. Ask for the tensor.`,
      shared_memory_region: `Output ${name}: shared memory is not served.`,
    });
    const binary = parameters['binary_data'];
    return { name, binary: typeof binary === 'boolean' ? binary : undefined };
  });
}

/** Parameters that would change what the reply means; all others that are not known are passed over, as Triton does. */
function refuseParameters(
  given: Readonly<Record<string, unknown>>,
  refused: Readonly<Record<string, string>>,
): void {
  for (const [parameter, why] of Object.entries(refused))
    if (given[parameter] !== undefined) throw new AppError('invalid-input', why);
}

function sizeOf(value: unknown, name: string): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new AppError('invalid-input', `Input ${name}: binary_data_size is not a size in bytes.`);
}

function timeoutOf(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 ? value : undefined;
}

export interface InferReply {
  readonly body: Uint8Array;
  /** For `Inference-Header-Content-Length`; undefined when the body is JSON alone. */
  readonly jsonBytes: number | undefined;
}

/** Throws `invalid-input` for an output that JSON cannot carry, `internal` for one that the model did not give. */
export function inferReply(
  of: { readonly model: string; readonly version: number; readonly tensors: ServedModel },
  request: Pick<InferRequest, 'id' | 'wanted' | 'binaryOutput'>,
  results: Readonly<Record<string, TensorData>>,
): InferReply {
  const specByName = new Map(of.tensors.outputs.map((spec) => [spec.name, spec]));
  const wanted =
    request.wanted ??
    [...specByName.keys()]
      .filter((name) => Object.hasOwn(results, name))
      .map((name) => ({ name, binary: undefined }));
  const binaries: Uint8Array[] = [];
  const outputs = wanted.map(({ name, binary = request.binaryOutput }) => {
    const result = Object.hasOwn(results, name) ? results[name] : undefined;
    if (result === undefined) throw new AppError('internal', `The model gave no output ${name}.`);
    const tensor = servedTensor(result, specByName.get(name));
    const head = `"name":${JSON.stringify(name)},"datatype":"${tensor.datatype}","shape":[${tensor.dims.join()}]`;
    if (!binary) return `{${head},"data":${dataToJson(name, tensor)}}`;
    const raw = dataToBytes(tensor);
    binaries.push(raw);
    return `{${head},"parameters":{"binary_data_size":${raw.length}}}`;
  });
  const id = request.id === undefined ? '' : `,"id":${JSON.stringify(request.id)}`;
  const json = Buffer.from(
    `{"model_name":${JSON.stringify(of.model)},"model_version":"${of.version}"${id},"outputs":[${outputs.join()}]}`,
  );
  return {
    body: Buffer.concat([json, ...binaries]),
    jsonBytes: binaries.length === 0 ? undefined : json.length,
  };
}

/** Halves are carried as floats and leave as what the model says they are. */
function servedTensor(
  { type, dims, data }: TensorData,
  spec: TensorSpec | undefined,
): ServedTensor {
  const isHalf = type === 'float' && (spec?.type === 'float16' || spec?.type === 'bfloat16');
  return { datatype: datatypeOf(isHalf ? spec.type : type), dims, data };
}

/** Dimensions of any size are -1. */
export function shapeToWire(shape: TensorSpec['shape']): number[] {
  return shape.map((dim) => (typeof dim === 'number' ? dim : -1));
}

const listed = (names: readonly string[]): string =>
  names.length <= 20
    ? names.join(', ')
    : `${names.slice(0, 20).join(', ')} and ${names.length - 20} more`;
