/** What the model takes and gives as it was made fit for the runtime: maps are tensors here, sequences and optionals their parts. */
import type { TensorSpec } from '#shared/contract/bundles.ts';
import type { Answer } from './kinds.ts';

export interface ModelDescription {
  readonly inputs: TensorSpec[];
  readonly outputs: TensorSpec[];
  /** Class labels of outputs that were maps. */
  readonly labelsByOutput: Record<string, string[]>;
}

export const answer: Answer<null, ModelDescription> = async (_, { model }) => ({
  value: {
    inputs: [...model.fed],
    outputs: [...model.outputs],
    labelsByOutput: Object.fromEntries(
      [...model.labelsByOutput].map(([name, labels]) => [name, [...labels]]),
    ),
  },
});
