/**
 * Sizes that a graph computes from nothing but its own constants: a file of a hundred bytes can ask for a tensor of a hundred
 * gigabytes. Shapes and small integers are followed through the operators that make tensors large; a size that depends on an
 * input counts as one, so what is reported is a lower bound.
 */
import {
  attributeOf,
  smallIntegers,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
} from '#domain/onnx/index.ts';
import { gateLimits } from '../limits.ts';
import { named, type Report } from './report.ts';

interface Known {
  /** Sizes of the tensor, where they are known. */
  readonly dims?: readonly number[];
  /** Its values, if it is a short list of integers. */
  readonly values?: readonly number[];
}

/** Names of values as one graph sees them; what is outside of it is seen through. */
export interface Scope {
  get(name: string | undefined): Known;
  inside(): Scope;
  initializer(tensor: OnnxTensor): void;
  node(node: OnnxNode): void;
}

/** Longer lists are no sizes. */
const longest = 64;
const sameShape: ReadonlySet<string> = new Set([
  'Identity',
  'Cast',
  'Neg',
  'Abs',
  'Sqrt',
  'Exp',
  'Relu',
  'Sigmoid',
  'Tanh',
  'Not',
  'Dropout',
  'CastLike',
]);
const broadcast: ReadonlySet<string> = new Set([
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Pow',
  'And',
  'Or',
  'Xor',
  'Equal',
  'Less',
  'Greater',
  'Min',
  'Max',
  'Sum',
  'Mean',
  'Where',
  'Mod',
  'PRelu',
  'BitShift',
]);

export function createScope(report: Report, outer?: Scope): Scope {
  const known = new Map<string, Known>();
  const scope: Scope = {
    get: (name) => known.get(name ?? '') ?? outer?.get(name) ?? {},
    inside: () => createScope(report, scope),
    initializer: (tensor) => {
      known.set(tensor.name ?? '', knownTensor(tensor));
    },
    node: (node) => {
      const result = resultOf(node, scope);
      const elements = (result.dims ?? []).reduce((product, dim) => product * Math.max(dim, 0), 1);
      if (elements > gateLimits.constantValues)
        report(
          'SR-ONNX-016',
          `The operator ${named(node.opType)} makes a tensor of at least ${elements.toExponential(1)} values, whatever the input is.`,
        );
      const [output] = node.outputs;
      if (output !== undefined && (result.dims !== undefined || result.values !== undefined))
        known.set(output, result);
    },
  };
  return scope;
}

function knownTensor(tensor: OnnxTensor): Known {
  const values = tensor.dims.length <= 1 ? smallIntegers(tensor) : undefined;
  return values !== undefined && values.length <= longest
    ? { dims: tensor.dims, values }
    : { dims: tensor.dims };
}

const ones = (sizes: readonly number[] | undefined, rank: number): readonly number[] =>
  sizes ?? Array.from({ length: rank }, () => 1);

function resultOf(node: OnnxNode, scope: Scope): Known {
  const { opType = '', inputs } = node;
  const input = (at: number): Known => scope.get(inputs[at]);
  const attribute = (name: string): OnnxAttribute | undefined => attributeOf(node, name);
  const ints = (name: string): number[] | undefined => {
    const list = attribute(name)?.ints.map(Number);
    return list === undefined || list.length === 0 ? undefined : list;
  };
  const shaped = (dims: readonly number[] | undefined): Known =>
    dims === undefined ? {} : { dims };
  const product = (list: readonly number[] | undefined): number | undefined =>
    list?.reduce((a, b) => a * b, 1);
  switch (opType) {
    case 'Constant': {
      const {
        t,
        i,
        ints: list,
      } = { t: attribute('value')?.t, i: attribute('value_int')?.i, ints: ints('value_ints') };
      if (t !== undefined) return knownTensor(t);
      if (i !== undefined) return { dims: [], values: [Number(i)] };
      return list === undefined || list.length > longest
        ? {}
        : { dims: [list.length], values: list };
    }
    case 'ConstantOfShape':
    case 'ConstantFill':
      return shaped(input(0).values ?? ints('shape'));
    case 'RandomNormal':
    case 'RandomUniform':
      return shaped(ints('shape'));
    case 'HannWindow':
    case 'HammingWindow':
    case 'BlackmanWindow':
      return shaped(input(0).values);
    case 'EyeLike':
    case 'RandomNormalLike':
    case 'RandomUniformLike':
    case 'Bernoulli':
      return shaped(input(0).dims);
    case 'Multinomial':
      return shaped([1, Number(attribute('sample_size')?.i ?? 1n)]);
    case 'Range': {
      const [start, limit, delta] = [0, 1, 2].map((at) => input(at).values?.[0]);
      return start === undefined || limit === undefined || delta === undefined
        ? {}
        : { dims: [Math.max(Math.ceil((limit - start) / delta), 0)] };
    }
    case 'Expand': {
      const target = input(1).values ?? ints('shape');
      return target === undefined ? {} : { dims: broadcastOf([input(0).dims ?? [], target]) };
    }
    case 'Tile': {
      const repeats = input(1).values;
      if (repeats === undefined) return {};
      const dims = ones(input(0).dims, repeats.length);
      return { dims: repeats.map((repeat, axis) => repeat * (dims[axis] ?? 1)) };
    }
    case 'Pad': {
      const pads = input(1).values ?? ints('pads') ?? ints('paddings');
      if (pads === undefined) return {};
      // With axes of their own the pads belong to other sizes; the product is the same lower bound.
      const rank = pads.length / 2;
      const dims = inputs[3] === undefined ? ones(input(0).dims, rank) : ones(undefined, rank);
      return {
        dims: Array.from(
          { length: rank },
          (_, axis) => (dims[axis] ?? 1) + (pads[axis] ?? 0) + (pads[axis + rank] ?? 0),
        ),
      };
    }
    case 'Resize':
    case 'Upsample':
      return shaped(input(3).values ?? attribute('scales')?.floats);
    case 'OneHot':
      return { dims: [...(input(0).dims ?? []), input(1).values?.[0] ?? 1] };
    case 'AffineGrid':
      return shaped(input(1).values);
    case 'ConvTranspose':
    case 'MaxUnpool':
      return shaped(ints('output_shape') ?? input(2).values);
    case 'CenterCropPad':
      return shaped(input(1).values);
    case 'MatMul':
    case 'Gemm': {
      const [a, b] = [input(0).dims, input(1).dims];
      return a === undefined ||
        b === undefined ||
        a.length !== 2 ||
        b.length !== 2 ||
        node.attributes.length > 0
        ? {}
        : { dims: [a[0] ?? 1, b[1] ?? 1] };
    }
    case 'Reshape': {
      const { dims, values } = input(0);
      const total = product(dims);
      return total === undefined
        ? {}
        : { dims: [total], ...(values === undefined ? {} : { values }) };
    }
    case 'Unsqueeze':
    case 'Squeeze':
    case 'Flatten': {
      const { dims, values } = input(0);
      const total = product(dims);
      return total === undefined
        ? {}
        : {
            dims: values === undefined ? [total] : [values.length],
            ...(values === undefined ? {} : { values }),
          };
    }
    case 'Concat': {
      const parts = inputs.map((_, at) => input(at));
      const values = parts.flatMap((part) => part.values ?? [Number.NaN]);
      const isList = values.length <= longest && !values.includes(Number.NaN);
      const total = parts.reduce((sum, { dims }) => sum + (product(dims) ?? 0), 0);
      return isList ? { dims: [values.length], values } : { dims: [total] };
    }
    case 'Shape': {
      const { dims } = input(0);
      return dims === undefined ? {} : { dims: [dims.length], values: dims };
    }
    default:
      if (sameShape.has(opType)) return input(0);
      return broadcast.has(opType)
        ? broadcastResult(
            opType,
            inputs.map((_, at) => input(at)),
          )
        : {};
  }
}

function broadcastResult(opType: string, parts: readonly Known[]): Known {
  const dims = broadcastOf(parts.map((part) => part.dims ?? []));
  const [a, b] = parts.map(({ values }) => values);
  const fold = {
    Add: (x: number, y: number) => x + y,
    Sub: (x: number, y: number) => x - y,
    Mul: (x: number, y: number) => x * y,
    Pow: (x: number, y: number) => x ** y,
    Div: (x: number, y: number) => Math.trunc(x / y),
  }[opType];
  if (fold === undefined || a === undefined || b === undefined || parts.length !== 2)
    return { dims };
  const length = Math.max(a.length, b.length);
  const values = Array.from({ length }, (_, at) =>
    fold(a[a.length === 1 ? 0 : at] ?? 1, b[b.length === 1 ? 0 : at] ?? 1),
  );
  return { dims, values };
}

function broadcastOf(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length), 0);
  return Array.from({ length: rank }, (_, at) =>
    Math.max(1, ...shapes.map((shape) => shape[at - rank + shape.length] ?? 1)),
  );
}
