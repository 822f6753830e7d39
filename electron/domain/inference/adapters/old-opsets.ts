/**
 * Models of operator sets 1 to 6, which the runtime reads and has no operators for, become ones of operator set 7. The differences are
 * those of ONNX's Changelog.md: broadcasting along an axis, shapes and sizes as attributes, flags of training.
 */
import { AppError } from '#shared/errors.ts';
import {
  attributeOf,
  isStandard,
  tensor,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
} from '#domain/onnx/index.ts';
import {
  inner,
  intOf,
  mapNodes,
  opsetOf,
  withOpset,
  withoutAttributes,
  type Adapter,
  attributesOf,
  node,
} from './graph-edit.ts';

const target = 7;

export const upgradeOldOpsets: Adapter = (model) => {
  if (opsetOf(model.opsetImports) >= target) return model;
  const made: OnnxTensor[] = [];
  const ranks = ranksOf(model);
  const changed = mapNodes(model, (one, opset) =>
    isStandard(one) && opset < target
      ? (upgrades[one.opType ?? ''] ?? keep)(withoutAttributes(one, 'consumed_inputs'), {
          ranks,
          list(name, data) {
            made.push(tensor(name, 'int64', { dims: [data.length], data }));
            return name;
          },
        })
      : one,
  );
  const { graph } = changed;
  return withOpset(
    graph === undefined
      ? changed
      : { ...changed, graph: { ...graph, initializers: [...graph.initializers, ...made] } },
    target,
  );
};

interface Context {
  readonly ranks: ReadonlyMap<string, number>;
  /** A constant of these numbers, under this name. */
  list(name: string, data: readonly number[]): string;
}

type Upgrade = (one: OnnxNode, context: Context) => OnnxNode | OnnxNode[];
const keep: Upgrade = (one) => one;

/** Numbers of dimensions that the model tells: of inputs, constants and whatever it describes. */
function ranksOf({ graph }: OnnxModel): Map<string, number> {
  const ranks = new Map<string, number>();
  for (const { name = '', type } of [...(graph?.inputs ?? []), ...(graph?.valueInfo ?? [])])
    if (type?.tensor?.shape !== undefined) ranks.set(name, type.tensor.shape.dims.length);
  for (const { name = '', dims } of graph?.initializers ?? []) ranks.set(name, dims.length);
  for (const one of graph?.nodes ?? []) {
    const value = one.opType === 'Constant' ? attributeOf(one, 'value')?.t : undefined;
    if (value !== undefined) ranks.set(one.outputs[0] ?? '', value.dims.length);
  }
  return ranks;
}

/**
 * The second operand was laid along the axes of the first from `axis` on. With a first operand of shape [before…, theirs…, after] and
 * a second of [theirs…, 1] that is what broadcasting does today.
 */
const alongAxis: Upgrade = (one, { ranks, list }) => {
  const plain = withoutAttributes(one, 'broadcast', 'axis');
  const axis = intOf(one, 'axis');
  if (intOf(one, 'broadcast') !== 1 || axis === undefined) return plain;
  const [first = '', second = ''] = one.inputs;
  const rank = ranks.get(second);
  if (rank === undefined || axis < 0)
    throw new AppError(
      'unsupported',
      `The operator ${one.opType} of operator set 6 lays its second operand along axis ${axis}, and the model does not say how many dimensions that has.`,
    );
  return broadcastAt(plain, { first, second, axis, rank, list });
};

function broadcastAt(
  plain: OnnxNode,
  {
    first,
    second,
    axis,
    rank,
    list,
  }: { first: string; second: string; axis: number; rank: number } & Pick<Context, 'list'>,
): OnnxNode[] {
  const [output = ''] = plain.outputs;
  const at = (what: string): string => inner(output, what);
  const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);
  // A zero keeps the size that is there.
  return [
    node('Shape', { inputs: [first], outputs: [at('shape')] }),
    node('Reshape', {
      inputs: [first, list(at('three'), [...zeros(axis + rank), -1])],
      outputs: [at('first')],
    }),
    node('Reshape', {
      inputs: [second, list(at('two'), [...zeros(rank), 1])],
      outputs: [at('second')],
    }),
    { ...plain, inputs: [at('first'), at('second')], outputs: [at('joined')] },
    node('Reshape', { inputs: [at('joined'), at('shape')], outputs: [output] }),
  ];
}

/** Shapes and the like were attributes, and are inputs now. */
const attributeToInput =
  (name: string): Upgrade =>
  (one, { list }) => {
    const values = attributeOf(one, name)?.ints;
    if (values === undefined) return one;
    return {
      ...withoutAttributes(one, name),
      inputs: [...one.inputs, list(inner(one.outputs[0] ?? '', name), values.map(Number))],
    };
  };

/** TensorProto.DataType by the names that Cast took. */
const typeNames =
  'UNDEFINED FLOAT UINT8 INT8 UINT16 INT16 INT32 INT64 STRING BOOL FLOAT16 DOUBLE UINT32 UINT64'.split(
    ' ',
  );

const upgrades: Readonly<Record<string, Upgrade>> = {
  ...Object.fromEntries(
    ['Add', 'Sub', 'Mul', 'Div', 'Pow', 'And', 'Or', 'Xor', 'Equal', 'Less', 'Greater'].map(
      (name) => [name, alongAxis],
    ),
  ),
  Gemm: (one) => withoutAttributes(one, 'broadcast'),
  PRelu(one, { ranks, list }) {
    const [first = '', second = ''] = one.inputs;
    // One slope for each channel, the second dimension.
    return ranks.get(second) === 1 && (ranks.get(first) ?? 4) > 2
      ? broadcastAt(one, { first, second, axis: 1, rank: 1, list })
      : one;
  },
  BatchNormalization: (one) => ({
    ...withoutAttributes(one, 'is_test'),
    // The others are for training.
    outputs: one.outputs.slice(0, 1),
  }),
  Dropout: (one) => withoutAttributes(one, 'is_test'),
  Concat: (one) =>
    attributeOf(one, 'axis') === undefined
      ? { ...one, attributes: [...one.attributes, ...attributesOf({ axis: 1n })] }
      : one,
  Reshape: attributeToInput('shape'),
  Pad: (one) => ({
    ...one,
    attributes: one.attributes.map((each) =>
      each.name === 'paddings' ? { ...each, name: 'pads' } : each,
    ),
  }),
  Cast(one) {
    const name = attributeOf(one, 'to')?.s;
    if (name === undefined) return one;
    const to = typeNames.indexOf(Buffer.from(name).toString('latin1').toUpperCase());
    return {
      ...withoutAttributes(one, 'to'),
      attributes: attributesOf({ to: BigInt(to) }),
    };
  },
  Upsample(one) {
    const [height, width] = ['height_scale', 'width_scale'].map(
      (name) => attributeOf(one, name)?.f,
    );
    if (height === undefined || width === undefined) return one;
    return {
      ...one,
      attributes: [
        ...withoutAttributes(one, 'height_scale', 'width_scale').attributes,
        ...attributesOf({ scales: [1, 1, height, width] }),
      ],
    };
  },
  ...Object.fromEntries(
    ['RNN', 'GRU', 'LSTM'].map((name): [string, Upgrade] => [
      name,
      (one) => withoutAttributes(one, 'output_sequence'),
    ]),
  ),
  Tile(one) {
    if (one.inputs.length < 3) return one;
    throw new AppError('unsupported', 'The operator Tile of operator set 1 is not supported.');
  },
};
