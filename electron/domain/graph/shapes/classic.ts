/** The domain ai.onnx.ml. */
import { first, known, product, type Call, type Rule, type Size } from './known.ts';

const rows = (call: Call): Size => first(call).shape?.[0] ?? null;

function classes(call: Call): Size {
  for (const name of ['classlabels_int64s', 'classlabels_ints', 'classlabels_strings']) {
    const list = call.attribute(name);
    if (list !== undefined) return Math.max(list.ints.length + list.strings.length, 2);
  }
  return null;
}

const classified: Rule = (call) => [
  known((call.attribute('classlabels_strings')?.strings.length ?? 0) > 0 ? 'string' : 'int64', [
    rows(call),
  ]),
  known('float', [rows(call), classes(call)]),
];

const regressed: Rule = (call) => [
  known('float', [
    rows(call),
    call.int(call.node.opType === 'LinearRegressor' ? 'targets' : 'n_targets', 1),
  ]),
];

export const classicRules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['TreeEnsembleClassifier', classified],
  ['LinearClassifier', classified],
  ['SVMClassifier', classified],
  ['TreeEnsembleRegressor', regressed],
  ['LinearRegressor', regressed],
  ['TreeEnsemble', regressed],
  ['SVMRegressor', (call) => [known('float', [rows(call), 1])]],
  ['Scaler', (call) => [known('float', first(call).shape)]],
  ['Normalizer', (call) => [known('float', first(call).shape)]],
  ['Binarizer', (call) => [first(call)]],
  ['Imputer', (call) => [first(call)]],
  [
    'OneHotEncoder',
    (call) => {
      const names = call.attribute('cats_int64s') ?? call.attribute('cats_strings');
      const count = names === undefined ? null : names.ints.length + names.strings.length;
      const { shape } = first(call);
      return [known('float', shape === null ? null : [...shape, count])];
    },
  ],
  [
    'LabelEncoder',
    (call) => {
      const type =
        call.attribute('values_strings') !== undefined
          ? 'string'
          : call.attribute('values_floats') !== undefined
            ? 'float'
            : call.attribute('values_int64s') !== undefined
              ? 'int64'
              : '';
      return [known(type, first(call).shape)];
    },
  ],
  [
    'FeatureVectorizer',
    (call) => {
      const sizes = call.ints('inputdimensions');
      return [known('float', [rows(call), sizes?.reduce((a, b) => a + b, 0) ?? null])];
    },
  ],
  [
    'ArrayFeatureExtractor',
    (call) => {
      const { type, shape } = first(call);
      const count = call.inputs[1]?.shape;
      return [
        known(
          type,
          shape === null || count === null || count === undefined
            ? null
            : [...shape.slice(0, -1), product(count)],
        ),
      ];
    },
  ],
  [
    'ZipMap',
    (call) => {
      const key = call.attribute('classlabels_strings') === undefined ? 'int64' : 'string';
      return [known(`sequence of map of ${key} to float`, null)];
    },
  ],
]);
