/** Models whose Shapley values can be computed by hand or by definition, as the pool takes them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PooledModel } from '#domain/inference/index.ts';
import {
  graph,
  model,
  node,
  tensor,
  valueInfo,
  writeModel,
  type OnnxModel,
} from '#domain/onnx/index.ts';
import { pipelineSchema, type Pipeline } from '#domain/pipeline/index.ts';
import { sealed } from './inference.ts';
import { temporaryFolder } from './vaults.ts';

export const sampleFolder = join(import.meta.dirname, '../../resources/sample/credit-risk');

export async function pooledOf(
  built: OnnxModel | Uint8Array,
  extra: {
    readonly pipeline?: Pipeline;
    readonly reference?: string;
    /** Where the files lie; a folder of the test without it. */
    readonly dir?: string;
  } = {},
): Promise<PooledModel> {
  const { dir = temporaryFolder() } = extra;
  const bytes = built instanceof Uint8Array ? built : writeModel(built);
  const model = await sealed(bytes, dir);
  const reference =
    extra.reference === undefined ? undefined : await sealed(Buffer.from(extra.reference), dir);
  return {
    key: `test-${Math.random()}`,
    files: () => ({ model, external: [], assets: [], reference }),
    pipeline: extra.pipeline,
  };
}

export function pooledSample(dir: string): Promise<PooledModel> {
  return pooledOf(readFileSync(join(sampleFolder, 'model.onnx')), {
    pipeline: pipelineSchema.parse(
      JSON.parse(readFileSync(join(sampleFolder, 'pipeline.json'), 'utf8')),
    ),
    reference: readFileSync(join(sampleFolder, 'reference.csv'), 'utf8'),
    dir,
  });
}

const opsets = { '': 17, 'ai.onnx.ml': 3 };

/** 1 + 2·a − 3·b + 4·[c = "red"] − [c = "blue"], each a column; the one-hot vector comes before one linear layer. */
export function oneHotLinear(): OnnxModel {
  return model(
    graph('one-hot-linear', {
      nodes: [
        node(
          'OneHotEncoder',
          { inputs: ['c'], outputs: ['c_hot'], domain: 'ai.onnx.ml' },
          { cats_strings: ['red', 'blue'], zeros: 1n },
        ),
        node('Reshape', { inputs: ['c_hot', 'flat'], outputs: ['c_flat'] }),
        node('Concat', { inputs: ['a', 'b', 'c_flat'], outputs: ['all'] }, { axis: 1n }),
        node('MatMul', { inputs: ['all', 'weights'], outputs: ['product'] }),
        node('Add', { inputs: ['product', 'bias'], outputs: ['score'] }),
      ],
      inputs: [
        valueInfo('a', 'float', [null, 1]),
        valueInfo('b', 'float', [null, 1]),
        valueInfo('c', 'string', [null, 1]),
      ],
      outputs: [valueInfo('score', 'float', [null, 1])],
      initializers: [
        tensor('flat', 'int64', { dims: [2], data: [0n, -1n] }),
        tensor('weights', 'float', { dims: [4, 1], data: [2, -3, 4, -1] }),
        tensor('bias', 'float', { dims: [1], data: [1] }),
      ],
    }),
    { opsets },
  );
}

/** 0.5·x[0] + 2·x[1] − x[2], one Gemm. */
export function threeWeights(): OnnxModel {
  return model(
    graph('three-weights', {
      nodes: [node('Gemm', { inputs: ['x', 'weights'], outputs: ['score'] })],
      inputs: [valueInfo('x', 'float', [null, 3])],
      outputs: [valueInfo('score', 'float', [null, 1])],
      initializers: [tensor('weights', 'float', { dims: [3, 1], data: [0.5, 2, -1] })],
    }),
    { opsets },
  );
}

/** A logistic regression of two columns as scikit-learn's converter writes it, probabilities through ZipMap left out. */
export function logisticClassifier(): OnnxModel {
  return model(
    graph('logistic', {
      nodes: [
        node(
          'LinearClassifier',
          { inputs: ['x'], outputs: ['label', 'probability'], domain: 'ai.onnx.ml' },
          {
            coefficients: [-1, 0.5, 1, -0.5],
            intercepts: [-0.25, 0.25],
            classlabels_ints: [0n, 1n],
            post_transform: 'LOGISTIC',
            multi_class: 1n,
          },
        ),
      ],
      inputs: [valueInfo('x', 'float', [null, 2])],
      outputs: [valueInfo('label', 'int64', [null]), valueInfo('probability', 'float', [null, 2])],
    }),
    { opsets },
  );
}

/** Two trees over x[0], x[1], x[2]: the first asks for 0 and 1, the second for 2 and 0. Sum, and `logistic` over it if asked. */
export function twoTrees(kind: 'regressor' | 'classifier' | 'ensemble-5' | 'mean'): OnnxModel {
  const leaves = [1, 2, 4, -1, 3];
  const old = {
    nodes_treeids: [0n, 0n, 0n, 0n, 0n, 1n, 1n, 1n, 1n, 1n],
    nodes_nodeids: [0n, 1n, 2n, 3n, 4n, 0n, 1n, 2n, 3n, 4n],
    nodes_featureids: [0n, 1n, 0n, 0n, 0n, 2n, 0n, 0n, 0n, 0n],
    nodes_values: [0.5, 1.5, 0, 0, 0, 0, -0.5, 0, 0, 0],
    nodes_modes: [
      'BRANCH_LEQ',
      'BRANCH_LT',
      'LEAF',
      'LEAF',
      'LEAF',
      'BRANCH_GT',
      'BRANCH_GTE',
      'LEAF',
      'LEAF',
      'LEAF',
    ],
    nodes_truenodeids: [1n, 2n, 0n, 0n, 0n, 1n, 2n, 0n, 0n, 0n],
    nodes_falsenodeids: [4n, 3n, 0n, 0n, 0n, 4n, 3n, 0n, 0n, 0n],
    nodes_missing_value_tracks_true: [1n, 0n, 0n, 0n, 0n, 0n, 1n, 0n, 0n, 0n],
  };
  const votes = (prefix: string) => ({
    [`${prefix}_treeids`]: [0n, 0n, 0n, 1n, 1n, 1n],
    [`${prefix}_nodeids`]: [2n, 3n, 4n, 2n, 3n, 4n],
    [`${prefix}_ids`]: [0n, 0n, 0n, 0n, 0n, 0n],
    [`${prefix}_weights`]: [...leaves, 0.5],
  });
  const wiring = (outputs: string[]) => ({ inputs: ['x'], outputs, domain: 'ai.onnx.ml' });
  const nodes = {
    regressor: () =>
      node('TreeEnsembleRegressor', wiring(['score']), {
        ...old,
        ...votes('target'),
        n_targets: 1n,
        base_values: [0.25],
        post_transform: 'NONE',
      }),
    mean: () =>
      node('TreeEnsembleRegressor', wiring(['score']), {
        ...old,
        ...votes('target'),
        n_targets: 1n,
        aggregate_function: 'AVERAGE',
        post_transform: 'NONE',
      }),
    classifier: () =>
      node('TreeEnsembleClassifier', wiring(['label', 'score']), {
        ...old,
        ...votes('class'),
        classlabels_int64s: [0n, 1n],
        post_transform: 'LOGISTIC',
      }),
    'ensemble-5': () =>
      node('TreeEnsemble', wiring(['score']), {
        n_targets: 1n,
        aggregate_function: 1n,
        tree_roots: [0n, 2n],
        nodes_featureids: [0n, 1n, 2n, 0n],
        nodes_splits: tensor('s', 'float', { dims: [4], data: [0.5, 1.5, 0, -0.5] }),
        nodes_modes: tensor('m', 'uint8', { dims: [4], data: [0, 1, 3, 2] }),
        nodes_missing_value_tracks_true: [1n, 0n, 0n, 1n],
        nodes_truenodeids: [1n, 0n, 3n, 3n],
        nodes_trueleafs: [0n, 1n, 0n, 1n],
        nodes_falsenodeids: [2n, 1n, 5n, 4n],
        nodes_falseleafs: [1n, 1n, 1n, 1n],
        leaf_targetids: [0n, 0n, 0n, 0n, 0n, 0n],
        leaf_weights: tensor('w', 'float', { dims: [6], data: [...leaves, 0.5] }),
      }),
  };
  return model(
    graph('two-trees', {
      nodes: [nodes[kind]()],
      inputs: [valueInfo('x', 'float', [null, 3])],
      outputs:
        kind === 'classifier'
          ? [valueInfo('label', 'int64', [null]), valueInfo('score', 'float', [null, 2])]
          : [valueInfo('score', 'float', [null, 1])],
    }),
    { opsets: { '': 17, 'ai.onnx.ml': kind === 'ensemble-5' ? 5 : 3 } },
  );
}

/** What `twoTrees` adds up, without base and mean. */
export function treeSum(row: ArrayLike<number>): number {
  const [a = 0, b = 0, c = 0] = Array.from(row);
  const first = a <= 0.5 || Number.isNaN(a) ? (b < 1.5 ? 1 : 2) : 4;
  const second = c > 0 ? (a >= -0.5 || Number.isNaN(a) ? -1 : 3) : 0.5;
  return first + second;
}
