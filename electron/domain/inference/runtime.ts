/** In the child: a model from encrypted files to a session, in memory only. */
import type { InferenceSession, Tensor, TensorConstructor } from 'onnxruntime-common';
import { AppError } from '#shared/errors.ts';
import type { TensorSpec } from '#shared/contract/bundles.ts';
import { hasMemoryFolder } from '#platform/containment.ts';
import { modelSignature, parseModel, writeModel } from '#domain/onnx/index.ts';
import { adaptModel } from './adapter.ts';
import type { Job } from './protocol.ts';
import { openSealed } from './sealed-file.ts';
import type { Scalar } from './values.ts';
import { weightsInFolder, weightsInMemory } from './weights.ts';

export interface LoadedModel {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly labelsByOutput: ReadonlyMap<string, readonly string[]>;
  run(feeds: Readonly<Record<string, TensorData>>): Promise<Record<string, TensorData>>;
}

export interface TensorData {
  readonly type: TensorSpec['type'];
  readonly dims: readonly number[];
  readonly data: ArrayLike<Scalar>;
}

type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

const arrayByType: Readonly<Record<string, (length: number) => TypedArray | Scalar[]>> = {
  float: (length) => new Float32Array(length),
  double: (length) => new Float64Array(length),
  int8: (length) => new Int8Array(length),
  int16: (length) => new Int16Array(length),
  int32: (length) => new Int32Array(length),
  int64: (length) => new BigInt64Array(length),
  uint8: (length) => new Uint8Array(length),
  uint16: (length) => new Uint16Array(length),
  uint32: (length) => new Uint32Array(length),
  uint64: (length) => new BigUint64Array(length),
  bool: (length) => new Uint8Array(length),
  string: (length) => Array.from({ length }, () => ''),
};

/** Storage of a tensor of that type; booleans as 0 and 1. */
export function allocate(type: TensorSpec['type'], length: number): TypedArray | Scalar[] {
  const make = arrayByType[type];
  if (make === undefined)
    throw new AppError('unsupported', `Tensors of ${type} cannot be fed from a file.`);
  return make(length);
}

/** The runtime's own name of a type differs for floats only. */
const runtimeType = (type: string): string =>
  type === 'float' ? 'float32' : type === 'double' ? 'float64' : type;
const modelType = (type: string): string =>
  type === 'float32' ? 'float' : type === 'float64' ? 'double' : type;

export async function loadModel(
  job: Pick<Job, 'model' | 'external'>,
  options: { readonly runtime: 'native' | 'wasm'; readonly threads: number },
): Promise<LoadedModel> {
  const bytes = await (await openSealed(job.model)).readAll();
  const { model, labelsByOutput, halves } = adaptModel(parseModel(bytes));
  const weights =
    options.runtime === 'native' && (await hasMemoryFolder())
      ? await weightsInFolder(model, job.external)
      : await weightsInMemory(model, job.external);
  const adapted = writeModel(weights.model);
  bytes.fill(0);
  const runtime = await (options.runtime === 'native' ? loadNative() : loadWasm());
  const session = await runtime.create(adapted, {
    executionProviders: [options.runtime === 'native' ? 'cpu' : 'wasm'],
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 4,
    ...(weights.externalData.length === 0 ? {} : { externalData: weights.externalData }),
    extra: {
      session: {
        // Idle threads of a background job must not spin on cores that the window needs.
        intra_op: { allow_spinning: '0' },
        ...(weights.folder === undefined
          ? {}
          : { model_external_initializers_file_folder_path: weights.folder }),
      },
    },
  });
  // The runtime has its own copies, or has the files mapped.
  adapted.fill(0);
  // Not waited for: it takes a while for large files, and the folder ends with this process in any case.
  weights.drop().catch(() => undefined);
  const { inputs, outputs } = modelSignature(model);
  const rounded = <T>(name: string, data: T): T | Float32Array =>
    halves.has(name) && data instanceof Float32Array ? data.map(Math.f16round) : data;
  return {
    inputs,
    outputs,
    labelsByOutput,
    async run(feeds) {
      const tensors = Object.fromEntries(
        Object.entries(feeds).map(([name, { type, dims, data }]) => [
          name,
          new runtime.Tensor(runtimeType(type) as 'float32', rounded(name, data) as Float32Array, [
            ...dims,
          ]),
        ]),
      );
      const results = await session.run(tensors);
      return Object.fromEntries(
        Object.entries(results).map(([name, tensor]) => [
          name,
          {
            type: modelType(tensor.type),
            dims: tensor.dims,
            data: rounded(name, tensor.data),
          },
        ]),
      );
    },
  };
}

interface Runtime {
  readonly create: (
    model: Uint8Array,
    options: InferenceSession.SessionOptions,
  ) => Promise<InferenceSession>;
  readonly Tensor: TensorConstructor &
    (new (type: 'float32', data: Float32Array, dims: readonly number[]) => Tensor);
}

async function loadNative(): Promise<Runtime> {
  // With it present, onnxruntime-node 1.30 misreads the length of 16-bit float data on Node 23 and later.
  Reflect.deleteProperty(globalThis, 'Float16Array');
  const ort = await import('onnxruntime-node');
  return {
    create: (model, options) => ort.InferenceSession.create(model, options),
    Tensor: ort.Tensor,
  };
}

async function loadWasm(): Promise<Runtime> {
  const ort = await import('onnxruntime-web');
  ort.env.wasm.numThreads = 1;
  return {
    create: (model, options) => ort.InferenceSession.create(model, options),
    Tensor: ort.Tensor,
  };
}
