/** Server and model metadata of the Open Inference Protocol v2, and Triton's repository index. */
import type { TensorSpec } from '#shared/contract/bundles.ts';
import { datatypeOf } from './datatypes.ts';
import { shapeToWire, type ServedModel } from './infer.ts';
import { servedName, type Form } from './routes.ts';

/** Triton's names of the extensions that are served whole. Of `model_repository` only the index is there. */
const extensions: readonly string[] = ['binary_tensor_data', 'parameters', 'statistics'];

export function serverMetadata(version: string): object {
  return { name: 'strongroom', version, extensions };
}

/** Of the model's own tensors the protocol has a name; that of rows is this program's. */
const platforms: Readonly<Record<Form, string>> = {
  tensors: 'onnx_onnxv1',
  rows: 'strongroom_rows',
};

/** `versions`: those that may be asked for. Throws `unsupported` for tensors that cannot be served. */
export function modelMetadata(
  { model, form }: { readonly model: string; readonly form: Form },
  versions: readonly number[],
  { inputs, outputs }: ServedModel,
): object {
  return {
    name: servedName(model, form),
    versions: versions.map(String),
    platform: platforms[form],
    inputs: inputs.map(tensorMetadata),
    outputs: outputs.map(tensorMetadata),
  };
}

export interface IndexedVersion {
  readonly model: string;
  readonly form: Form;
  readonly version: number;
  /** Undefined for one that may run. */
  readonly notReady: string | undefined;
}

export function repositoryIndex(versions: readonly IndexedVersion[], onlyReady: boolean): object[] {
  return versions
    .filter(({ notReady }) => !onlyReady || notReady === undefined)
    .map(({ model, form, version, notReady }) => ({
      name: servedName(model, form),
      version: String(version),
      state: notReady === undefined ? 'READY' : 'UNAVAILABLE',
      reason: notReady ?? '',
    }));
}

function tensorMetadata({ name, type, shape }: TensorSpec): object {
  return { name, datatype: datatypeOf(type), shape: shapeToWire(shape) };
}
