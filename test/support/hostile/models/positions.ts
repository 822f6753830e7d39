/** Operators whose constants point beyond the end, and learned models that do not fit together. */
import { tensor, type OnnxModel, type OnnxTensor } from '#domain/onnx/index.ts';
import {
  floats,
  greatest,
  hostile,
  ints,
  least,
  one,
  scalar,
  type Attributes,
  type ModelCase,
  type Row,
} from './model-case.ts';

const image = { x: ['float', [1, 1, 4, 4]] } as const;
const far = 2n ** 40n;
const positions: readonly Row[] = [
  ['a Gather beyond the end', 'row', () => one('Gather', ['x', ints('at', [far])])],
  ['a Gather before the beginning', 'row', () => one('Gather', ['x', ints('at', [least])])],
  ['a GatherND beyond the end', 'row', () => one('GatherND', ['x', ints('at', [far], [1, 1])])],
  [
    'a GatherND with more batches than axes',
    'load',
    () => one('GatherND', ['x', ints('at', [0], [1, 1])], { batch_dims: far }),
  ],
  [
    'a GatherND with batches below nothing',
    'row',
    () => one('GatherND', ['x', ints('at', [0], [1, 1])], { batch_dims: -1n }),
  ],
  [
    'a ScatterND beyond the end',
    'row',
    () => one('ScatterND', ['x', ints('at', [far], [1, 1]), floats('u', [1])]),
  ],
  [
    'a Transpose of an axis twice',
    'load',
    () => one('Transpose', ['x'], { perm: [0n, 0n, 0n, 0n] }, image),
  ],
  ['an Unsqueeze far away', 'load', () => one('Unsqueeze', ['x', ints('axes', [far])])],
  [
    'a Squeeze of an axis that is not there',
    'load',
    () => one('Squeeze', ['x', ints('axes', [-9])]),
  ],
  ['a sum along an axis that is not there', 'row', () => one('CumSum', ['x', scalar('axis', far)])],
  [
    'a Softmax along an axis that is not there',
    'runs',
    () => one('Softmax', ['x'], { axis: -far }),
  ],
  [
    'scales along an axis that is not there',
    'row',
    () =>
      one('DequantizeLinear', [tensor('q', 'uint8', { dims: [1], data: [1] }), floats('s', [2])], {
        axis: far,
      }),
  ],
  [
    'a BatchNormalization of other lengths',
    'load',
    () =>
      one(
        'BatchNormalization',
        ['x', floats('s', [1]), floats('b', [7]), floats('m', [3]), floats('v', [9])],
        {},
        image,
      ),
  ],
  [
    'a diagonal far outside',
    'runs',
    () => one('Trilu', ['x', scalar('k', greatest)], {}, { x: ['float', [3, 3]] }),
  ],
  ['an Einsum that is no equation', 'load', () => one('Einsum', ['x'], { equation: '...,->->' })],
];

const ml = { domain: 'ai.onnx.ml' } as const;
const tree = (change: Attributes): OnnxModel =>
  one(
    'TreeEnsembleRegressor',
    ['x'],
    {
      nodes_treeids: [0n, 0n, 0n],
      nodes_nodeids: [0n, 1n, 2n],
      nodes_featureids: [0n, 0n, 0n],
      nodes_modes: ['BRANCH_LEQ', 'LEAF', 'LEAF'],
      nodes_values: [0.5, 0.1, 0.1],
      nodes_truenodeids: [1n, 0n, 0n],
      nodes_falsenodeids: [2n, 0n, 0n],
      target_treeids: [0n, 0n],
      target_nodeids: [1n, 2n],
      target_ids: [0n, 0n],
      target_weights: [1.5, 2.5],
      n_targets: 1n,
      ...change,
    },
    { ...ml, x: ['float', [1, 1]] },
  );

const learned: readonly Row[] = [
  ['a tree whose branch leads to itself', 'load', () => tree({ nodes_truenodeids: [0n, 0n, 0n] })],
  [
    'a tree whose branch leads out of it',
    'load',
    () => tree({ nodes_falsenodeids: [far, 0n, 0n] }),
  ],
  [
    'a tree that asks for a feature that is not there',
    'row',
    () => tree({ nodes_featureids: [2n ** 30n, 0n, 0n] }),
  ],
  ['a tree with fewer values than nodes', 'load', () => tree({ nodes_values: [0.5] })],
  ['a tree of targets that are not there', 'load', () => tree({ target_ids: [far, far] })],
  [
    'a linear model with too few coefficients',
    'load',
    () =>
      one(
        'LinearClassifier',
        ['x'],
        { coefficients: [1], intercepts: [0, 0, 0], classlabels_ints: [0n, 1n, 2n] },
        { ...ml, x: ['float', [1, 40]], outputs: ['label', 'y'] },
      ),
  ],
  [
    'a support vector machine whose vectors are not there',
    'load',
    () =>
      one(
        'SVMRegressor',
        ['x'],
        {
          coefficients: [1, 1],
          n_supports: far,
          rho: [0],
          support_vectors: [1, 1],
          kernel_type: 'RBF',
          kernel_params: [1, 0, 3],
        },
        { ...ml, x: ['float', [1, 2]] },
      ),
  ],
  [
    'an extractor beyond the end',
    'row',
    () =>
      one('ArrayFeatureExtractor', ['x', ints('at', [far])], {}, { ...ml, x: ['float', [1, 2]] }),
  ],
  [
    'words whose positions are not there',
    'load',
    () =>
      one('TfIdfVectorizer', [ints('w', [1, 2, 3])], {
        max_gram_length: 2n,
        max_skip_count: 0n,
        min_gram_length: 1n,
        mode: 'TF',
        ngram_counts: [0n, far],
        ngram_indexes: [far],
        pool_int64s: [1n],
      }),
  ],
  [
    'labels of which some have no value',
    'load',
    () =>
      one('LabelEncoder', [ints('k', [1])], { keys_int64s: [1n, 2n, 3n], values_floats: [1] }, ml),
  ],
];

const text = (name: string, value: string): OnnxTensor =>
  tensor(name, 'string', { dims: [1], data: [value] });
const signal = { x: ['float', [1, 8, 1]] } as const;

const others: readonly Row[] = [
  [
    'a pattern that takes for ever to match',
    'runs',
    () =>
      one(
        'RegexFullMatch',
        [text('s', `${'a'.repeat(60)}!`)],
        { pattern: '(a+)+$' },
        { opset: 20, y: 'bool' },
      ),
  ],
  [
    'a language that no system has',
    'runs',
    () =>
      one(
        'StringNormalizer',
        [text('s', 'A')],
        { case_change_action: 'LOWER', locale: 'xx_XX.nonsense' },
        { y: 'string' },
      ),
  ],
  [
    'a number that is read from text, and is none',
    'row',
    () => one('Cast', [text('s', 'ten')], { to: 1n }),
  ],
  ['a Cast to a type that is none', 'load', () => one('Cast', ['x'], { to: 999n })],
  [
    'a picture that is none',
    'load',
    () =>
      one(
        'ImageDecoder',
        [tensor('bytes', 'uint8', { dims: [4], data: [1, 2, 3, 4] })],
        {},
        { opset: 20, y: 'uint8' },
      ),
  ],
  ['a transform of no length', 'row', () => one('DFT', ['x', scalar('n', 0)], {}, signal)],
  [
    'a transform in frames that do not move',
    'load',
    () => one('STFT', ['x', scalar('step', 0), '', scalar('length', 2)], {}, signal),
  ],
];

export const positionCases: readonly ModelCase[] = [...positions, ...learned, ...others].map(
  (row) => hostile(...row),
);
