/** In the child: a model from encrypted files to a session, in memory only. */
import type { InferenceSession, Tensor, TensorConstructor } from 'onnxruntime-common';
import { AppError } from '#shared/errors.ts';
import type { TensorSpec } from '#shared/contract/bundles.ts';
import { hasMemoryFolder } from '#platform/containment.ts';
import {
  modelFactsOf,
  newArray,
  parseModel,
  type TensorArray,
  type TensorData,
} from '#domain/onnx/index.ts';
import { adaptModel, type AdaptedModel } from './adapter.ts';
import { createFitting } from './fit.ts';
import type { SealedModel } from './protocol.ts';
import { openSealed, readAssets } from './sealed-file.ts';
import { weightsInFolder, weightsInMemory, type Weights } from './weights.ts';

export interface LoadedModel {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Sequences and optionals in their parts (FORMAT.md); else the inputs. */
  readonly fed: readonly TensorSpec[];
  /** Of those, what may be left out. */
  readonly optional: ReadonlyMap<string, string>;
  readonly labelsByOutput: ReadonlyMap<string, readonly string[]>;
  /** Numbers in the weights of its layers; trees have none. */
  readonly parameters: number;
  /** Files that its pipeline reads, by their paths in the bundle. */
  readonly assets: ReadonlyMap<string, Uint8Array>;
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

export async function loadModel(job: SealedModel, options: RuntimeOptions): Promise<LoadedModel> {
  const bytes = await (await openSealed(job.model)).readAll();
  const adapted = adaptModel(parseModel(bytes));
  const weights =
    options.runtime === 'native' && (await hasMemoryFolder())
      ? await weightsInFolder(adapted.model, job.external)
      : await weightsInMemory(adapted.model, job.external);
  try {
    return { ...(await startSession(adapted, weights, options)), assets: await readAssets(job) };
  } finally {
    bytes.fill(0);
  }
}

/** A model that is in memory already, whole. */
export async function loadModelFrom(
  bytes: Uint8Array,
  options: RuntimeOptions,
): Promise<LoadedModel> {
  const adapted = adaptModel(parseModel(bytes));
  const weights = await weightsInMemory(adapted.model, []);
  return startSession(adapted, weights, options);
}

async function startSession(
  { model, inputs, outputs, fed, labelsByOutput, halves, optional }: AdaptedModel,
  weights: Weights,
  options: RuntimeOptions,
): Promise<LoadedModel> {
  const runtime = await (options.runtime === 'native' ? loadNative() : loadWasm());
  const sessionOptions: InferenceSession.SessionOptions = {
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
  };
  const session = await createFitting(weights.model, (bytes) =>
    runtime.create(bytes, sessionOptions),
  );
  // Not waited for: it takes a while for large files, and the folder ends with this process in any case.
  weights.drop().catch(() => undefined);
  const rounded = (name: string, data: TensorData['data']): TensorData['data'] =>
    halves.has(name) && data instanceof Float32Array ? data.map(Math.f16round) : data;
  return {
    inputs,
    outputs,
    fed,
    optional,
    labelsByOutput,
    parameters: modelFactsOf(model).parameters,
    assets: new Map(),
    async run(feeds) {
      const missing = Object.fromEntries(
        [...optional].map(([name, type]) => [name, { type, dims: [0], data: allocate(type, 0) }]),
      );
      const tensors = Object.fromEntries(
        Object.entries({ ...missing, ...feeds }).map(([name, { type, dims, data }]) => [
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
