/** What is known of a value, and how a rule tells what an operator makes of it. */
import {
  smallIntegers,
  tensorTypes,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
  type OnnxType,
} from '#domain/onnx/index.ts';

/** A number, the name of one, or null. */
export type Size = number | string | null;

export interface Known {
  /** Element type as ONNX names it; empty where it is not known. */
  readonly type: string;
  readonly shape: readonly Size[] | null;
  /** Of a short list of integers, or one integer: its values. */
  readonly values?: readonly Size[];
}

export const unknown: Known = { type: '', shape: null };

export const longest = 64;

export function knownTensor(tensor: OnnxTensor): Known {
  const type = tensorTypes[tensor.dataType ?? 0] ?? '';
  const count = tensor.dims.reduce((product, dim) => product * dim, 1);
  const values = tensor.dims.length <= 1 && count <= longest ? smallIntegers(tensor) : undefined;
  return { type, shape: tensor.dims, ...(values === undefined ? {} : { values }) };
}

/** As the file declares it. */
export function knownType(type: OnnxType | undefined): Known {
  if (type?.tensor !== undefined) {
    const { elemType, shape } = type.tensor;
    return {
      type: tensorTypes[elemType ?? 0] ?? '',
      shape:
        shape === undefined
          ? null
          : shape.dims.map(({ value, name }) =>
              value === undefined || value < 0 ? (name === '' ? null : (name ?? null)) : value,
            ),
    };
  }
  if (type?.sequence !== undefined)
    return { type: `sequence of ${knownType(type.sequence.elemType).type}`, shape: null };
  if (type?.map !== undefined)
    return {
      type: `map of ${tensorTypes[type.map.keyType ?? 0]} to ${knownType(type.map.valueType).type}`,
      shape: null,
    };
  if (type?.optional !== undefined)
    return { type: `optional ${knownType(type.optional.elemType).type}`, shape: null };
  return unknown;
}

export interface Call {
  readonly node: OnnxNode;
  readonly inputs: readonly Known[];
  /** Attributes by name. */
  readonly attribute: (name: string) => OnnxAttribute | undefined;
  readonly int: (name: string, otherwise: number) => number;
  readonly ints: (name: string) => number[] | undefined;
}

export type Rule = (call: Call) => readonly Known[];

export const first = ({ inputs }: Call): Known => inputs[0] ?? unknown;

export const known = (type: string, shape: readonly Size[] | null): Known => ({ type, shape });

export function broadcast(shapes: readonly (readonly Size[] | null)[]): readonly Size[] | null {
  if (shapes.includes(null)) return null;
  const lists = shapes as readonly (readonly Size[])[];
  const rank = Math.max(0, ...lists.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, at) => {
    const sizes = lists
      .map((shape) => shape[at - rank + shape.length] ?? (at < rank - shape.length ? 1 : null))
      .filter((size) => size !== 1);
    const [size] = sizes;
    if (size === undefined) return 1;
    // A number above one decides, whatever the unknown ones are.
    return (
      sizes.find((other) => typeof other === 'number') ??
      (sizes.every((other) => other === size) ? size : null)
    );
  });
}

export const product = (sizes: readonly Size[]): Size =>
  sizes.reduce<Size>((total, size) => {
    if (total === 1) return size;
    if (size === 1) return total;
    return typeof total === 'number' && typeof size === 'number' ? total * size : null;
  }, 1);

export const axisOf = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);
