/** Server and model metadata of the Open Inference Protocol v2, and Triton's repository index. */
import type { TensorSpec } from '#shared/contract/bundles.ts';
import { datatypeOf } from './datatypes.ts';
import { shapeToWire, type ServedModel } from './infer.ts';

/** Triton's names of the extensions that are served whole. Of `model_repository` only the index is there. */
const extensions: readonly string[] = ['binary_tensor_data', 'parameters', 'statistics'];

export function serverMetadata(version: string): object {
  return { name: 'strongroom', version, extensions };
}

/** `versions`: those that may be asked for. Throws `unsupported` for tensors that cannot be served. */
export function modelMetadata(
  name: string,
  versions: readonly number[],
  { inputs, outputs }: ServedModel,
): object {
  return {
    name,
    versions: versions.map(String),
    platform: 'onnx_onnxv1',
    inputs: inputs.map(tensorMetadata),
    outputs: outputs.map(tensorMetadata),
  };
}

export interface IndexedVersion {
  readonly model: string;
  readonly version: number;
  /** Undefined for one that may run. */
  readonly notReady: string | undefined;
}

export function repositoryIndex(versions: readonly IndexedVersion[], onlyReady: boolean): object[] {
  return versions
    .filter(({ notReady }) => !onlyReady || notReady === undefined)
    .map(({ model, version, notReady }) => ({
      name: model,
      version: String(version),
      state: notReady === undefined ? 'READY' : 'UNAVAILABLE',
      reason: notReady ?? '',
    }));
}

function tensorMetadata({ name, type, shape }: TensorSpec): object {
  return { name, datatype: datatypeOf(type), shape: shapeToWire(shape) };
}
