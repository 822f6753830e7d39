/** Operators that compute values, or make them. */
import { tensorTypes } from '#domain/onnx/index.ts';
import {
  axisOf,
  broadcast,
  first,
  known,
  knownTensor,
  longest,
  product,
  unknown,
  type Known,
  type Rule,
  type Size,
} from './known.ts';

/** Same type and shape as the first input, and its values where nothing is computed. */
const same: Rule = (call) => [known(first(call).type, first(call).shape)];

const passed: Rule = (call) => [first(call)];

const compared: Rule = ({ inputs }) => [known('bool', broadcast(inputs.map(({ shape }) => shape)))];

const folds: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => Math.trunc(a / b),
};

const elementwise: Rule = ({ node, inputs }) => {
  const type = inputs.find((input) => input.type !== '')?.type ?? '';
  const shape = broadcast(inputs.map((input) => input.shape));
  const fold = folds[node.opType ?? ''];
  const [a, b] = inputs.map(({ values }) => values);
  if (fold === undefined || a === undefined || b === undefined) return [known(type, shape)];
  const values = Array.from({ length: Math.max(a.length, b.length) }, (_, at) => {
    const [x, y] = [a[a.length === 1 ? 0 : at], b[b.length === 1 ? 0 : at]];
    return typeof x === 'number' && typeof y === 'number' ? fold(x, y) : null;
  });
  return [{ type, shape, values }];
};

const reduced: Rule = (call) => {
  const { type, shape } = first(call);
  const isArg = call.node.opType?.startsWith('Arg') === true;
  const axes = isArg ? [call.int('axis', 0)] : (call.inputs[1]?.values ?? call.ints('axes'));
  const element = isArg ? 'int64' : type;
  if (shape === null || axes?.some((axis) => typeof axis !== 'number') === true)
    return [known(element, null)];
  if (call.inputs.length > 1 && axes === undefined) return [known(element, null)];
  const over = new Set(
    axes === undefined || axes.length === 0
      ? call.int('noop_with_empty_axes', 0) === 1
        ? []
        : shape.keys()
      : axes.map((axis) => axisOf(Number(axis), shape.length)),
  );
  return [
    known(
      element,
      call.int('keepdims', 1) === 1
        ? shape.map((size, at) => (over.has(at) ? 1 : size))
        : shape.filter((_, at) => !over.has(at)),
    ),
  ];
};

function matMul([a = unknown, b = unknown]: readonly Known[]): readonly Size[] | null {
  if (a.shape === null || b.shape === null || a.shape.length === 0 || b.shape.length === 0)
    return null;
  const left = a.shape.length === 1 ? [1, ...a.shape] : a.shape;
  const right = b.shape.length === 1 ? [...b.shape, 1] : b.shape;
  const outer = broadcast([left.slice(0, -2), right.slice(0, -2)]);
  if (outer === null) return null;
  return [
    ...outer,
    ...(a.shape.length === 1 ? [] : [left.at(-2) ?? null]),
    ...(b.shape.length === 1 ? [] : [right.at(-1) ?? null]),
  ];
}

export const arithmeticRules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...'Relu LeakyRelu PRelu Elu Selu Celu Gelu Sigmoid HardSigmoid HardSwish Mish Swish Tanh Softplus Softsign ThresholdedRelu Softmax LogSoftmax Hardmax Neg Abs Sqrt Exp Log Reciprocal Floor Ceil Round Sign Erf Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh Not BitwiseNot BatchNormalization InstanceNormalization LayerNormalization GroupNormalization RMSNormalization SkipLayerNormalization LpNormalization MeanVarianceNormalization LRN Dropout Clip CumSum Trilu ScatterND ScatterElements Scatter ReverseSequence FastGelu BiasGelu QuickGelu Shrink RotaryEmbedding TensorScatter'
    .split(' ')
    .map((op) => [op, same] as const),
  ...'Identity'.split(' ').map((op) => [op, passed] as const),
  ...'Add Sub Mul Div Pow Mod Min Max Sum Mean BitShift BitwiseAnd BitwiseOr BitwiseXor'
    .split(' ')
    .map((op) => [op, elementwise] as const),
  ...'Equal Less LessOrEqual Greater GreaterOrEqual And Or Xor IsNaN IsInf'
    .split(' ')
    .map((op) => [op, compared] as const),
  ...'ReduceMean ReduceSum ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceSumSquare ReduceLogSum ReduceLogSumExp ArgMax ArgMin'
    .split(' ')
    .map((op) => [op, reduced] as const),
  [
    'Where',
    ({ inputs }) => [known(inputs[1]?.type ?? '', broadcast(inputs.map(({ shape }) => shape)))],
  ],
  ['Cast', (call) => [{ ...first(call), type: tensorTypes[call.int('to', 0)] ?? '' }]],
  ['CastLike', (call) => [known(call.inputs[1]?.type ?? '', first(call).shape)]],
  [
    'Shape',
    (call) => {
      const { shape } = first(call);
      if (shape === null) return [known('int64', [null])];
      const end = call.int('end', shape.length);
      const values = shape.slice(call.int('start', 0), end);
      return [{ type: 'int64', shape: [values.length], values }];
    },
  ],
  [
    'Size',
    (call) => [
      {
        ...known('int64', []),
        values: [first(call).shape === null ? null : product(first(call).shape ?? [])],
      },
    ],
  ],
  [
    'Constant',
    ({ attribute }) => {
      const tensor = attribute('value')?.t;
      if (tensor !== undefined) return [knownTensor(tensor)];
      for (const [name, type] of [
        ['value_int', 'int64'],
        ['value_float', 'float'],
        ['value_string', 'string'],
      ] as const) {
        const one = attribute(name);
        if (one !== undefined)
          return [{ type, shape: [], ...(one.i === undefined ? {} : { values: [Number(one.i)] }) }];
        const many = attribute(`${name}s`);
        if (many !== undefined) {
          const count = many.ints.length + many.floats.length + many.strings.length;
          return [
            {
              type,
              shape: [count],
              ...(many.ints.length > 0 && count <= longest
                ? { values: many.ints.map(Number) }
                : {}),
            },
          ];
        }
      }
      return [];
    },
  ],
  [
    'ConstantOfShape',
    (call) => {
      const fill = call.attribute('value')?.t;
      return [
        known(fill === undefined ? 'float' : knownTensor(fill).type, first(call).values ?? null),
      ];
    },
  ],
  [
    'Range',
    ({ inputs }) => {
      const [start, end, step] = inputs.map(({ values }) => values?.[0]);
      return [
        known(inputs[0]?.type ?? '', [
          typeof start === 'number' &&
          typeof end === 'number' &&
          typeof step === 'number' &&
          step !== 0
            ? Math.max(0, Math.ceil((end - start) / step))
            : start === 0 && step === 1
              ? (end ?? null)
              : null,
        ]),
      ];
    },
  ],
  ['MatMul', ({ inputs }) => [known(inputs[0]?.type ?? '', matMul(inputs))]],
  ['MatMulInteger', ({ inputs }) => [known('int32', matMul(inputs))]],
  [
    'QLinearMatMul',
    ({ inputs }) => [
      known(inputs[7]?.type ?? '', matMul([inputs[0] ?? unknown, inputs[3] ?? unknown])),
    ],
  ],
  [
    'Gemm',
    ({ inputs, int }) => {
      const [a, b] = inputs;
      if (a?.shape?.length !== 2 || b?.shape?.length !== 2)
        return [known(a?.type ?? '', a?.shape === null ? null : [null, null])];
      return [
        known(a.type, [
          a.shape[int('transA', 0) === 1 ? 1 : 0] ?? null,
          b.shape[int('transB', 0) === 1 ? 0 : 1] ?? null,
        ]),
      ];
    },
  ],
  [
    'TopK',
    (call) => {
      const { type, shape } = first(call);
      const k = call.inputs[1]?.values?.[0] ?? call.attribute('k')?.i;
      const axis = axisOf(call.int('axis', -1), shape?.length ?? 0);
      const kept =
        shape?.map((size, at) =>
          at === axis ? (typeof k === 'bigint' ? Number(k) : (k ?? null)) : size,
        ) ?? null;
      return [known(type, kept), known('int64', kept)];
    },
  ],
  [
    'OneHot',
    (call) => {
      const { shape } = first(call);
      if (shape === null) return [known(call.inputs[2]?.type ?? '', null)];
      const axis = axisOf(call.int('axis', -1), shape.length + 1);
      const depth = call.inputs[1]?.values?.[0] ?? null;
      return [
        known(call.inputs[2]?.type ?? '', [...shape.slice(0, axis), depth, ...shape.slice(axis)]),
      ];
    },
  ],
  ['NonZero', (call) => [known('int64', [first(call).shape?.length ?? null, null])]],
  ['QuantizeLinear', (call) => [known(call.inputs[2]?.type ?? 'uint8', first(call).shape)]],
  ['DequantizeLinear', (call) => [known(call.inputs[1]?.type ?? 'float', first(call).shape)]],
  [
    'DynamicQuantizeLinear',
    (call) => [known('uint8', first(call).shape), known('float', []), known('uint8', [])],
  ],
  [
    'Einsum',
    ({ inputs, attribute }) => {
      const [left = '', right] = Buffer.from(attribute('equation')?.s ?? '')
        .toString()
        .replaceAll(' ', '')
        .split('->');
      if (right === undefined || left.includes('.')) return [known(inputs[0]?.type ?? '', null)];
      const sizes = new Map<string, Size>();
      for (const [at, term] of left.split(',').entries())
        for (const [place, letter] of [...term].entries()) {
          const size = inputs[at]?.shape?.[place] ?? null;
          if (size !== null) sizes.set(letter, size);
        }
      return [
        known(
          inputs[0]?.type ?? '',
          [...right].map((letter) => sizes.get(letter) ?? null),
        ),
      ];
    },
  ],
]);
