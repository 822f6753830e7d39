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
  /** ONNX's name of the element type (`tensorTypes`); float16, bfloat16 and smaller floats come as `float`, booleans as 0 and 1. */
  readonly type: string;
  readonly dims: readonly number[];
  /** Row-major. */
  readonly data: TensorArray | readonly string[];
}
