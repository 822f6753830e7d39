/** A tensor in memory, as the program handles it before and after the runtime. */

export type TensorArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

export interface TensorData {
  /** ONNX's name of the element type (`tensorTypes`), as `heldAs` says: never one of the narrow types. */
  readonly type: string;
  readonly dims: readonly number[];
  /** Row-major; booleans as 0 and 1. */
  readonly data: TensorArray | readonly string[];
}

const widerTypes: Readonly<Record<string, string>> = {
  float16: 'float',
  bfloat16: 'float',
  float8e4m3fn: 'float',
  float8e4m3fnuz: 'float',
  float8e5m2: 'float',
  float8e5m2fnuz: 'float',
  float8e8m0: 'float',
  float4e2m1: 'float',
  int4: 'int8',
  int2: 'int8',
  uint4: 'uint8',
  uint2: 'uint8',
};

/** The type in which values of an element type are held: the narrow ones in the next that JavaScript has an array for, without loss. */
export function heldAs(type: string): string {
  return widerTypes[type] ?? type;
}

const arrays: Readonly<Record<string, (length: number) => TensorArray>> = {
  float: (length) => new Float32Array(length),
  double: (length) => new Float64Array(length),
  int8: (length) => new Int8Array(length),
  int16: (length) => new Int16Array(length),
  int32: (length) => new Int32Array(length),
  int64: (length) => new BigInt64Array(length),
  uint8: (length) => new Uint8Array(length),
  uint16: (length) => new Uint16Array(length),
  uint32: (length) => new Uint32Array(length),
  uint64: (length) => new BigUint64Array(length),
  bool: (length) => new Uint8Array(length),
};

/** Zeros; undefined for `string`, narrow types and those that nothing can hold. */
export function newArray(type: string, length: number): TensorArray | undefined {
  return arrays[type]?.(length);
}
