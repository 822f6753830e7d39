/**
 * What can be sent, and what comes back: the tensors of the model as it was made fit for the runtime (maps are tensors here,
 * sequences and optionals their parts), or the columns of rows that the pipeline reads and makes.
 */
import type { TensorSpec } from '#shared/contract/bundles.ts';
import type { Answer } from './kinds.ts';

export interface DescribeBody {
  readonly of: 'tensors' | 'rows';
}

export interface Description {
  readonly inputs: TensorSpec[];
  readonly outputs: TensorSpec[];
  /** Class labels of outputs that were maps. */
  readonly labelsByOutput: Record<string, string[]>;
}

export const answer: Answer<DescribeBody, Description> = async ({ body }, context) => {
  const { model } = context;
  if (body.of === 'rows') {
    const [{ columnSpec, resultSpec }, { recordModel }] = await Promise.all([
      import('./rows.ts'),
      import('./record-model.ts'),
    ]);
    const { plan } = await recordModel(context);
    return {
      value: {
        inputs: plan.wanted.map(columnSpec),
        outputs: plan.toColumns({}, 0).map(resultSpec),
        labelsByOutput: {},
      },
    };
  }
  return {
    value: {
      inputs: [...model.fed],
      outputs: [...model.outputs],
      labelsByOutput: Object.fromEntries(
        [...model.labelsByOutput].map(([name, labels]) => [name, [...labels]]),
      ),
    },
  };
};
