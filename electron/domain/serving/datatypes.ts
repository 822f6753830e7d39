/**
 * Datatypes of the Open Inference Protocol and how this program carries them. Binary data is little-endian, row-major, without
 * padding; an element of BYTES is a 4-byte unsigned length and that many bytes (Triton, `extension_binary_data.md`).
 *
 * What ONNX has and the protocol has not is served as it is held here: the 8- and 4-bit floats as FP32, int4 as INT8, uint4 as
 * UINT8. Complex numbers are not served.
 */
import { AppError } from '#shared/errors.ts';
import { heldAs, newArray, type TensorArray, type TensorData } from '#domain/onnx/index.ts';

export const datatypes = [
  'BOOL',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FP16',
  'FP32',
  'FP64',
  'BYTES',
  'BF16',
] as const;
export type Datatype = (typeof datatypes)[number];

/** A tensor as it travels: what `TensorData` is, and the protocol's name of its type. */
export interface ServedTensor {
  readonly datatype: Datatype;
  readonly dims: readonly number[];
  readonly data: TensorData['data'];
}

interface Carried {
  /** Bytes of an element on the wire. */
  readonly width: number;
  /** `TensorData.type` of what is fed to the model. */
  readonly type: string;
  /** Whole numbers from `least` to `most`; undefined for floats and booleans. */
  readonly range?: readonly [least: bigint, most: bigint];
}

const signed = (bytes: number): Carried => ({
  width: bytes,
  type: `int${8 * bytes}`,
  range: [-(2n ** BigInt(8 * bytes - 1)), 2n ** BigInt(8 * bytes - 1) - 1n],
});
const unsigned = (bytes: number): Carried => ({
  width: bytes,
  type: `uint${8 * bytes}`,
  range: [0n, 2n ** BigInt(8 * bytes) - 1n],
});

export const carriedBy: Readonly<Record<Exclude<Datatype, 'BYTES'>, Carried>> = {
  BOOL: { width: 1, type: 'bool' },
  UINT8: unsigned(1),
  UINT16: unsigned(2),
  UINT32: unsigned(4),
  UINT64: unsigned(8),
  INT8: signed(1),
  INT16: signed(2),
  INT32: signed(4),
  INT64: signed(8),
  FP16: { width: 2, type: 'float' },
  BF16: { width: 2, type: 'float' },
  FP32: { width: 4, type: 'float' },
  FP64: { width: 8, type: 'double' },
};

/** Zeros. */
export function allocate(datatype: Exclude<Datatype, 'BYTES'>, length: number): TensorArray {
  const array = newArray(carriedBy[datatype].type, length);
  if (array === undefined) throw new AppError('internal', `Nothing holds ${datatype}.`);
  return array;
}

const datatypeByType: Readonly<Record<string, Datatype>> = {
  bool: 'BOOL',
  uint8: 'UINT8',
  uint16: 'UINT16',
  uint32: 'UINT32',
  uint64: 'UINT64',
  int8: 'INT8',
  int16: 'INT16',
  int32: 'INT32',
  int64: 'INT64',
  float16: 'FP16',
  bfloat16: 'BF16',
  float: 'FP32',
  double: 'FP64',
  string: 'BYTES',
};

/** By ONNX's name of an element type. Throws `unsupported` for one that cannot be served. */
export function datatypeOf(type: string): Datatype {
  const datatype = datatypeByType[type] ?? datatypeByType[heldAs(type)];
  if (datatype === undefined)
    throw new AppError('unsupported', `Tensors of ${type} cannot be served.`);
  return datatype;
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Elements of a tensor from its bytes. Throws `invalid-input`, naming the tensor, when the bytes are not `count` elements. */
export function bytesToData(
  name: string,
  datatype: Datatype,
  raw: Uint8Array,
  count: number,
): TensorData['data'] {
  if (datatype === 'BYTES') return bytesToTexts(name, raw, count);
  const { width } = carriedBy[datatype];
  if (raw.length !== count * width)
    throw new AppError(
      'invalid-input',
      `Input ${name}: ${raw.length} bytes of binary data are given; its shape and ${datatype} take ${count * width}.`,
    );
  if (datatype === 'FP16') return Float32Array.from(new Float16Array(aligned(raw)));
  if (datatype === 'BF16') return bfloatsToFloats(new Uint16Array(aligned(raw)));
  const data = allocate(datatype, count);
  new Uint8Array(data.buffer).set(raw);
  // Other values than 0 and 1 are no booleans of C++, and nobody says what a model makes of them.
  if (datatype === 'BOOL' && (data as Uint8Array).some((value) => value > 1))
    throw new AppError('invalid-input', `Input ${name}: a BOOL is one byte, 0 or 1.`);
  return data;
}

export function dataToBytes({ datatype, data }: ServedTensor): Uint8Array {
  if (datatype === 'BYTES') return textsToBytes(data as readonly string[]);
  if (datatype === 'FP16') return new Uint8Array(Float16Array.from(data as Float32Array).buffer);
  if (datatype === 'BF16') return floatsToBfloats(data as Float32Array);
  const { buffer, byteOffset, byteLength } = data as TensorArray;
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function bytesToTexts(name: string, raw: Uint8Array, count: number): string[] {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const texts: string[] = [];
  let at = 0;
  const bad = (why: string): AppError => new AppError('invalid-input', `Input ${name}: ${why}`);
  while (at < raw.length) {
    if (texts.length === count) throw bad('there is more binary data than its shape takes.');
    if (raw.length - at < 4) throw bad('its binary data ends inside a length.');
    const length = view.getUint32(at, true);
    at += 4;
    if (raw.length - at < length) throw bad('its binary data ends inside an element.');
    try {
      texts.push(decoder.decode(raw.subarray(at, at + length)));
    } catch {
      throw bad('an element is not UTF-8, and ONNX models take text.');
    }
    at += length;
  }
  if (texts.length < count) throw bad('there is less binary data than its shape takes.');
  return texts;
}

function textsToBytes(texts: readonly string[]): Uint8Array {
  const encoded = texts.map((text) => Buffer.from(text));
  const raw = Buffer.alloc(encoded.reduce((sum, each) => sum + 4 + each.length, 0));
  let at = 0;
  for (const each of encoded) {
    at = raw.writeUInt32LE(each.length, at);
    at += each.copy(raw, at);
  }
  return raw;
}

function bfloatsToFloats(halves: Uint16Array): Float32Array {
  const floats = new Float32Array(halves.length);
  const bits = new Uint32Array(floats.buffer);
  for (const [at, half] of halves.entries()) bits[at] = half << 16;
  return floats;
}

/** To the nearest, ties to even; what a model gives as bfloat16 is exact already. */
function floatsToBfloats(floats: Float32Array): Uint8Array {
  const bits = new Uint32Array(floats.slice().buffer);
  const halves = new Uint16Array(floats.length);
  for (const [at, word] of bits.entries())
    halves[at] = Number.isNaN(floats[at]) ? 0x7fc0 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  return new Uint8Array(halves.buffer);
}

/** A copy of its own: `slice` of a `Buffer` would share the memory, from wherever it starts. */
const aligned = (raw: Uint8Array): ArrayBuffer => new Uint8Array(raw).buffer;
