/**
 * Makes a graph fit for the runtime without changing what it computes: what its binding cannot hand over is turned into tensors that it
 * can, and operators that it lacks into others. Each rewrite is a file in `adapters/`.
 */
import { AppError } from '#shared/errors.ts';
import type { TensorSpec } from '#shared/contract/bundles.ts';
import { isStandard, heldAs, modelSignature, type OnnxModel } from '#domain/onnx/index.ts';
import { fillMask } from './adapters/attention-mask.ts';
import { convolveByChannel } from './adapters/conv-integer.ts';
import { carryFloat4 } from './adapters/float4.ts';
import type { Adapter, Border } from './adapters/graph-edit.ts';
import { unfoldMaps } from './adapters/maps.ts';
import { castNarrow } from './adapters/narrow.ts';
import { upgradeOldOpsets } from './adapters/old-opsets.ts';
import { rewriteOperators } from './adapters/operators.ts';
import { countDimensions } from './adapters/rank.ts';
import { packSequences } from './adapters/sequences.ts';
import { topOfUnsigned } from './adapters/top-k.ts';

export interface AdaptedModel extends Border {
  readonly model: OnnxModel;
  /** As they are fed and given: tensors in the types that they are held as; sequences and optionals under their own names. */
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** The tensors that the runtime is fed, by their names: the inputs, or the parts that FORMAT.md says they come in. */
  readonly fed: readonly TensorSpec[];
}

/** In this order: each may make what a later one takes. */
const adapters: readonly Adapter[] = [
  upgradeOldOpsets,
  rewriteOperators,
  convolveByChannel,
  fillMask,
  topOfUnsigned,
  countDimensions,
  carryFloat4,
  packSequences,
  castNarrow,
];

/** Throws `unsupported` for what cannot be made fit, with its name. */
export function adaptModel(original: OnnxModel): AdaptedModel {
  if (original.graph === undefined) throw new AppError('corrupt', 'The model has no graph.');
  const border: Border = { labelsByOutput: new Map(), halves: new Set(), optional: new Map() };
  // What maps become has names of its own; what the others make has those of the model.
  const unfolded = unfoldMaps(withStandard(original), border);
  const model = adapters.reduce((changed, adapt) => adapt(changed, border), unfolded);
  const held = (spec: TensorSpec): TensorSpec => ({ ...spec, type: heldAs(spec.type) });
  const { inputs, outputs } = modelSignature(unfolded);
  return {
    ...border,
    model,
    inputs: inputs.map(held),
    outputs: outputs.map(held),
    fed: modelSignature(model).inputs,
  };
}

/** A model of scikit-learn may import its own domain only; what is put around it are standard operators. */
function withStandard(model: OnnxModel): OnnxModel {
  const imports = model.opsetImports;
  return imports.some(isStandard)
    ? model
    : { ...model, opsetImports: [...imports, { domain: '', version: 21 }] };
}
