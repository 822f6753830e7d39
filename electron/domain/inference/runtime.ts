/** In the child: a model from encrypted files to a session, in memory only. */
import type { InferenceSession, Tensor, TensorConstructor } from 'onnxruntime-common';
import { AppError } from '#shared/errors.ts';
import type { TensorSpec } from '#shared/contract/bundles.ts';
import { hasMemoryFolder } from '#platform/containment.ts';
import {
  modelSignature,
  newArray,
  parseModel,
  writeModel,
  type TensorArray,
  type TensorData,
} from '#domain/onnx/index.ts';
import { adaptModel, type AdaptedModel } from './adapter.ts';
import type { Job } from './protocol.ts';
import { openSealed } from './sealed-file.ts';
import { weightsInFolder, weightsInMemory, type Weights } from './weights.ts';

export interface LoadedModel {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly labelsByOutput: ReadonlyMap<string, readonly string[]>;
  run(feeds: Readonly<Record<string, TensorData>>): Promise<Record<string, TensorData>>;
}

/** Storage of a tensor of that type; booleans as 0 and 1. */
export function allocate(type: TensorSpec['type'], length: number): TensorArray | string[] {
  const data = type === 'string' ? Array.from({ length }, () => '') : newArray(type, length);
  if (data === undefined)
    throw new AppError('unsupported', `Tensors of ${type} cannot be fed from a file.`);
  return data;
}

/** The runtime's own name of a type differs for floats only. */
const runtimeType = (type: string): string =>
  type === 'float' ? 'float32' : type === 'double' ? 'float64' : type;
const modelType = (type: string): string =>
  type === 'float32' ? 'float' : type === 'float64' ? 'double' : type;

export interface RuntimeOptions {
  readonly runtime: 'native' | 'wasm';
  readonly threads: number;
}

export async function loadModel(
  job: Pick<Job, 'model' | 'external'>,
  options: RuntimeOptions,
): Promise<LoadedModel> {
  const bytes = await (await openSealed(job.model)).readAll();
  const adapted = adaptModel(parseModel(bytes));
  const weights =
    options.runtime === 'native' && (await hasMemoryFolder())
      ? await weightsInFolder(adapted.model, job.external)
      : await weightsInMemory(adapted.model, job.external);
  const model = writeModel(weights.model);
  bytes.fill(0);
  return startSession({ ...adapted, bytes: model }, weights, options);
}

/** The runtime's session for a model that was made fit for it. `bytes` is zeroed when the runtime has it. */
export async function startSession(
  { model, bytes, labelsByOutput, halves }: AdaptedModel & { readonly bytes: Uint8Array },
  weights: Weights,
  options: RuntimeOptions,
): Promise<LoadedModel> {
  const runtime = await (options.runtime === 'native' ? loadNative() : loadWasm());
  const session = await runtime.create(bytes, {
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
  bytes.fill(0);
  // Not waited for: it takes a while for large files, and the folder ends with this process in any case.
  weights.drop().catch(() => undefined);
  const { inputs, outputs } = modelSignature(model);
  const rounded = (name: string, data: TensorData['data']): TensorData['data'] =>
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
            data: rounded(name, tensor.data as TensorData['data']),
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
