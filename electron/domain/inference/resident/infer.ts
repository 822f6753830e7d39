/** Tensors in, tensors out. Refuses with `invalid-input` what does not fit the inputs of the model, by their names. */
import { AppError } from '#shared/errors.ts';
import type { TensorSpec } from '#shared/contract/bundles.ts';
import { heldAs, type TensorData } from '#domain/onnx/index.ts';
import type { Tensors } from '../frames.ts';
import type { LoadedModel } from '../runtime.ts';
import type { Answer } from './kinds.ts';

export interface InferBody {
  /** Outputs that are wanted; all of them without it. */
  readonly outputs?: readonly string[];
}

export const answer: Answer<InferBody, null> = async ({ body, tensors }, { model }) => {
  requireInputs(tensors, model);
  const results = (await model.run(tensors)) as Tensors;
  return {
    value: null,
    tensors: body.outputs === undefined ? results : chosen(results, body.outputs),
  };
};

function requireInputs(tensors: Tensors, { fed, optional }: LoadedModel): void {
  for (const spec of fed) {
    const tensor = Object.hasOwn(tensors, spec.name) ? tensors[spec.name] : undefined;
    if (tensor === undefined && optional.has(spec.name)) continue;
    if (tensor === undefined) throw refused(`The input ${spec.name} is missing.`);
    if (heldAs(tensor.type) !== heldAs(spec.type))
      throw refused(`The input ${spec.name} takes ${spec.type}, and is given ${tensor.type}.`);
    if (!fits(tensor, spec))
      throw refused(
        `The input ${spec.name} has the shape ${shapeText(spec.shape)}, and is given ${shapeText(tensor.dims)}.`,
      );
  }
  const known = new Set(fed.map(({ name }) => name));
  const other = Object.keys(tensors).find((name) => !known.has(name));
  if (other !== undefined) throw refused(`The model has no input ${other}.`);
}

/** An input without a shape looks like a scalar here; the runtime can tell them apart. */
function fits({ dims }: TensorData, { shape }: TensorSpec): boolean {
  return (
    shape.length === 0 ||
    (dims.length === shape.length &&
      shape.every((size, at) => typeof size !== 'number' || size === dims[at]))
  );
}

function shapeText(shape: TensorSpec['shape'] | readonly number[]): string {
  return `[${shape.map((size) => size ?? '?').join(', ')}]`;
}

function chosen(results: Tensors, names: readonly string[]): Tensors {
  return Object.fromEntries(
    names.map((name) => {
      const found = Object.hasOwn(results, name) ? results[name] : undefined;
      if (found === undefined) throw refused(`The model has no output ${name}.`);
      return [name, found];
    }),
  );
}

function refused(message: string): AppError {
  return new AppError('invalid-input', message);
}
