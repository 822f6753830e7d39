/** TensorProto to values and back: every element type but the complex ones, from raw bytes or from the typed fields. */
import { AppError } from '#shared/errors.ts';
import type { OnnxTensor } from './model.ts';
import { tensorTypes } from './signature.ts';
import { heldAs, newArray, type TensorArray, type TensorData } from './tensor.ts';
import type { Descriptor } from './wire.ts';
import { decode } from './wire-read.ts';

/** What a model's codec leaves unread in a tensor: its values where they are not raw bytes. */
const typedFields: Descriptor = [
  { number: 4, name: 'floats', type: 'float', many: true },
  { number: 5, name: 'int32s', type: 'long', many: true },
  { number: 7, name: 'int64s', type: 'long', many: true },
  { number: 10, name: 'doubles', type: 'double', many: true },
  { number: 11, name: 'uint64s', type: 'long', many: true },
];

interface Minifloat {
  readonly exponentBits: number;
  readonly mantissaBits: number;
  readonly bias: number;
  /** Which bit patterns are no numbers: those of IEEE 754, all ones, the negative zero, or none. */
  readonly special: 'ieee' | 'ones' | 'negative-zero' | 'none';
}

/** The formats of "FP8 Formats for Deep Learning" (arXiv 2209.05433), its fnuz variants (arXiv 2206.02915), and of OCP MX v1.0. */
const minifloats: Readonly<Record<string, Minifloat>> = {
  float16: { exponentBits: 5, mantissaBits: 10, bias: 15, special: 'ieee' },
  bfloat16: { exponentBits: 8, mantissaBits: 7, bias: 127, special: 'ieee' },
  float8e4m3fn: { exponentBits: 4, mantissaBits: 3, bias: 7, special: 'ones' },
  float8e4m3fnuz: { exponentBits: 4, mantissaBits: 3, bias: 8, special: 'negative-zero' },
  float8e5m2: { exponentBits: 5, mantissaBits: 2, bias: 15, special: 'ieee' },
  float8e5m2fnuz: { exponentBits: 5, mantissaBits: 2, bias: 16, special: 'negative-zero' },
  float4e2m1: { exponentBits: 2, mantissaBits: 1, bias: 1, special: 'none' },
};

/** The value of a bit pattern of one of ONNX's narrow floats. */
export function floatFromBits(type: string, bits: number): number {
  if (type === 'float8e8m0') return bits === 0xff ? Number.NaN : 2 ** (bits - 127);
  const format = minifloats[type];
  if (format === undefined) throw new AppError('internal', `${type} is no narrow float.`);
  const { exponentBits, mantissaBits, bias, special } = format;
  const signBit = 1 << (exponentBits + mantissaBits);
  const magnitude = bits & (signBit - 1);
  const sign = (bits & signBit) === 0 ? 1 : -1;
  const exponent = magnitude >> mantissaBits;
  const mantissa = magnitude & ((1 << mantissaBits) - 1);
  if (special === 'negative-zero' && bits === signBit) return Number.NaN;
  if (special === 'ones' && magnitude === signBit - 1) return Number.NaN;
  if (special === 'ieee' && exponent === (1 << exponentBits) - 1)
    return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  const scale = 2 ** -mantissaBits;
  return exponent === 0
    ? sign * mantissa * scale * 2 ** (1 - bias)
    : sign * (1 + mantissa * scale) * 2 ** (exponent - bias);
}

const widths: Readonly<Record<string, number>> = {
  float16: 16,
  bfloat16: 16,
  float8e4m3fn: 8,
  float8e4m3fnuz: 8,
  float8e5m2: 8,
  float8e5m2fnuz: 8,
  float8e8m0: 8,
  float4e2m1: 4,
  int4: 4,
  uint4: 4,
  int2: 2,
  uint2: 2,
};

/** Throws `unsupported` for complex numbers and values in another file, `corrupt` when there are not as many as the sizes say. */
export function tensorToData(tensor: OnnxTensor): TensorData {
  const type = tensorTypes[tensor.dataType ?? 0] ?? 'undefined';
  const { dims, rawData } = tensor;
  const length = dims.reduce((product, dim) => product * dim, 1);
  if (type === 'string')
    return {
      type,
      dims,
      data: checked(
        tensor.strings.map((bytes) => Buffer.from(bytes).toString('utf8')),
        length,
      ),
    };
  if (newArray(heldAs(type), 0) === undefined)
    throw new AppError('unsupported', `A tensor of ${type} cannot be held.`);
  if (tensor.dataLocation === 1)
    throw new AppError('unsupported', 'The values of a tensor are in another file.');
  const values = rawData === undefined ? fromTyped(tensor, type) : fromRaw(rawData, type, length);
  return { type: heldAs(type), dims, data: checked(values, length) };
}

function checked<T extends TensorArray | readonly string[]>(values: T, length: number): T {
  if (values.length !== length)
    throw new AppError(
      'corrupt',
      `A tensor of ${length} values comes with ${values.length} of them.`,
    );
  return values;
}

/** Little-endian; several narrow values share a byte, the first in the lowest bits. */
function fromRaw(raw: Uint8Array, type: string, length: number): TensorArray {
  const width = widths[type];
  if (width !== undefined) {
    const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
    const count = Math.min(length, Math.floor((raw.length * 8) / width));
    return fromPatterns(type, count, (at) =>
      width === 16 ? view.getUint16(2 * at, true) : patternOf(raw, at, width),
    );
  }
  const values = arrayFor(heldAs(type), 0);
  // Copied, because it may begin anywhere.
  const bytes = Uint8Array.from(raw);
  const size = values.BYTES_PER_ELEMENT;
  const Typed = values.constructor as new (
    buffer: ArrayBuffer,
    offset: number,
    length: number,
  ) => TensorArray;
  return new Typed(bytes.buffer, 0, Math.floor(bytes.length / size));
}

function patternOf(bytes: Uint8Array, at: number, width: number): number {
  const perByte = 8 / width;
  return ((bytes[Math.floor(at / perByte)] ?? 0) >> ((at % perByte) * width)) & ((1 << width) - 1);
}

function fromPatterns(type: string, count: number, pattern: (at: number) => number): TensorArray {
  const values = arrayFor(heldAs(type), count);
  const width = widths[type] ?? 8;
  const isFloat = heldAs(type) === 'float';
  const isSigned = type.startsWith('int');
  for (let at = 0; at < count; at += 1) {
    const bits = pattern(at);
    values[at] = isFloat
      ? floatFromBits(type, bits)
      : isSigned && bits >= 2 ** (width - 1)
        ? bits - 2 ** width
        : bits;
  }
  return values;
}

function fromTyped({ unknown = [], dims }: OnnxTensor, type: string): TensorArray {
  const lists = decode(Buffer.concat(unknown), typedFields) as Record<string, unknown>;
  const list = <T>(name: string): T[] => lists[name] as T[];
  const width = widths[type];
  if (width !== undefined) {
    const int32s = list<bigint>('int32s').map(Number);
    const perItem = width < 8 ? 8 / width : 1;
    const length = dims.reduce((product, dim) => product * dim, 1);
    const count = Math.min(length, int32s.length * perItem);
    if (perItem === 1) return fromPatterns(type, count, (at) => int32s[at] ?? 0);
    const bytes = Uint8Array.from(int32s);
    return fromPatterns(type, count, (at) => patternOf(bytes, at, width));
  }
  switch (type) {
    case 'float':
      return Float32Array.from(list<number>('floats'));
    case 'double':
      return Float64Array.from(list<number>('doubles'));
    case 'int64':
      return BigInt64Array.from(list<bigint>('int64s'));
    case 'uint64':
      return BigUint64Array.from(list<bigint>('uint64s'));
    case 'uint32':
      return Uint32Array.from(list<bigint>('uint64s'), Number);
    default: {
      const numbers = list<bigint>('int32s');
      const values = arrayFor(type, numbers.length);
      for (const [at, number] of numbers.entries()) values[at] = Number(number);
      return values;
    }
  }
}

function arrayFor(type: string, length: number): TensorArray {
  const values = newArray(type, length);
  if (values === undefined)
    throw new AppError('unsupported', `A tensor of ${type} cannot be held.`);
  return values;
}
