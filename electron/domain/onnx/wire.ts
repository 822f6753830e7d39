/**
 * Protocol Buffers wire format, driven by descriptors, for files that may be hostile: bounded depth and field count, byte
 * strings as views of the input (weights are never copied), fields we do not know kept as they came. What is written back
 * has its fields in the order of the descriptor, then the unknown ones.
 */
import { AppError } from '#shared/errors.ts';

/** `int` is a safe integer, `long` a bigint; both are 64-bit varints on the wire. */
export type Scalar = 'int' | 'long' | 'float' | 'string' | 'bytes';

export interface Field {
  readonly number: number;
  readonly name: string;
  /** A thunk for messages, because ONNX graphs contain themselves. */
  readonly type: Scalar | (() => Descriptor);
  readonly many?: true;
}
export type Descriptor = readonly Field[];

/** Every decoded message has the fields that we do not know, with their tags. */
export interface Unknown {
  readonly unknown?: readonly Uint8Array[];
}

const maxDepth = 100;
const maxFields = 20_000_000;
const utf8 = new TextDecoder('utf-8', { fatal: true });

type Message = Record<string, unknown> & { unknown?: Uint8Array[] };

/** Throws `corrupt` for anything that is not such a message, `limit` for one nested too deeply. */
export function decode(bytes: Uint8Array, descriptor: Descriptor): Message {
  return decodeMessage(createReader(bytes), { descriptor, end: bytes.length, depth: 0 });
}

export function encode(message: object, descriptor: Descriptor): Uint8Array {
  const { chunks } = encodeMessage(message as Message, descriptor);
  return Buffer.concat(chunks);
}

interface Reader {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at: number;
  fields: number;
}

function createReader(bytes: Uint8Array): Reader {
  return {
    bytes,
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    at: 0,
    fields: 0,
  };
}

const fieldsByDescriptor = new WeakMap<Descriptor, Map<number, Field>>();

function fieldMap(descriptor: Descriptor): Map<number, Field> {
  const known =
    fieldsByDescriptor.get(descriptor) ?? new Map(descriptor.map((field) => [field.number, field]));
  fieldsByDescriptor.set(descriptor, known);
  return known;
}

function decodeMessage(
  reader: Reader,
  scope: { readonly descriptor: Descriptor; readonly end: number; readonly depth: number },
): Message {
  const { end, depth } = scope;
  if (depth > maxDepth)
    throw new AppError('limit', `The model nests messages more than ${maxDepth} levels deep.`);
  const fields = fieldMap(scope.descriptor);
  const message: Message = {};
  for (const field of scope.descriptor) if (field.many === true) message[field.name] = [];
  while (reader.at < end) {
    const start = reader.at;
    const tag = Number(readVarint(reader, end));
    const wire = tag & 7;
    const field = fields.get(Math.floor(tag / 8));
    if (tag < 8 || tag > 0xffff_ffff) throw malformed();
    reader.fields += 1;
    if (reader.fields > maxFields)
      throw new AppError('limit', `The model has more than ${maxFields} fields.`);
    if (field === undefined) {
      skip(reader, wire, end);
      (message.unknown ??= []).push(reader.bytes.subarray(start, reader.at));
      continue;
    }
    const put = (value: unknown): void => {
      if (field.many === true) (message[field.name] as unknown[]).push(value);
      else message[field.name] = value;
    };
    if (wire === 2) {
      const stop = readLength(reader, end);
      if (typeof field.type === 'function') {
        put(decodeMessage(reader, { descriptor: field.type(), end: stop, depth: depth + 1 }));
      } else if (field.type === 'bytes') {
        put(reader.bytes.subarray(reader.at, stop));
        reader.at = stop;
      } else if (field.type === 'string') {
        put(readText(reader.bytes.subarray(reader.at, stop)));
        reader.at = stop;
      } else {
        if (field.many !== true) throw malformed();
        while (reader.at < stop) put(readScalar(reader, field.type, stop));
      }
    } else {
      const expected = field.type === 'float' ? 5 : 0;
      if (
        wire !== expected ||
        typeof field.type === 'function' ||
        field.type === 'bytes' ||
        field.type === 'string'
      )
        throw malformed();
      put(readScalar(reader, field.type, end));
    }
  }
  if (reader.at !== end) throw malformed();
  return message;
}

function readScalar(reader: Reader, type: 'int' | 'long' | 'float', end: number): number | bigint {
  if (type === 'float') {
    if (reader.at + 4 > end) throw malformed();
    reader.at += 4;
    return reader.view.getFloat32(reader.at - 4, true);
  }
  const signed = BigInt.asIntN(64, readVarint(reader, end));
  if (type === 'long') return signed;
  const value = Number(signed);
  if (!Number.isSafeInteger(value)) throw malformed();
  return value;
}

function readVarint(reader: Reader, end: number): bigint {
  let low = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    if (reader.at >= end) throw malformed();
    const byte = reader.view.getUint8(reader.at);
    reader.at += 1;
    low += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return BigInt(low);
  }
  let value = BigInt(low);
  for (let shift = 28n; shift < 70n; shift += 7n) {
    if (reader.at >= end) throw malformed();
    const byte = reader.view.getUint8(reader.at);
    reader.at += 1;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return BigInt.asUintN(64, value);
  }
  throw malformed();
}

function readLength(reader: Reader, end: number): number {
  const length = Number(readVarint(reader, end));
  if (length > end - reader.at) throw malformed();
  return reader.at + length;
}

function skip(reader: Reader, wire: number, end: number): void {
  if (wire === 0) readVarint(reader, end);
  else if (wire === 2) reader.at = readLength(reader, end);
  else if (wire === 5) reader.at += 4;
  else if (wire === 1) reader.at += 8;
  else throw malformed();
  if (reader.at > end) throw malformed();
}

function readText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw malformed(cause);
  }
}

interface Encoded {
  readonly chunks: Uint8Array[];
  readonly length: number;
}

function encodeMessage(message: Message, descriptor: Descriptor): Encoded {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const push = (chunk: Uint8Array): void => {
    chunks.push(chunk);
    length += chunk.length;
  };
  for (const field of descriptor) {
    const value = message[field.name];
    if (value === undefined) continue;
    for (const item of field.many === true ? (value as unknown[]) : [value]) {
      const wire =
        field.type === 'int' || field.type === 'long' ? 0 : field.type === 'float' ? 5 : 2;
      push(varint(BigInt(field.number * 8 + wire)));
      if (typeof field.type === 'function') {
        const inner = encodeMessage(item as Message, field.type());
        push(varint(BigInt(inner.length)));
        inner.chunks.forEach(push);
      } else if (wire === 2) {
        const bytes = field.type === 'string' ? Buffer.from(item as string) : (item as Uint8Array);
        push(varint(BigInt(bytes.length)));
        push(bytes);
      } else if (wire === 5) {
        const bytes = Buffer.alloc(4);
        bytes.writeFloatLE(item as number);
        push(bytes);
      } else {
        push(varint(BigInt.asUintN(64, BigInt(item as number | bigint))));
      }
    }
  }
  message.unknown?.forEach(push);
  return { chunks, length };
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

function malformed(cause?: unknown): AppError {
  return new AppError('corrupt', 'The file is not an ONNX model: its bytes do not parse.', {
    cause,
  });
}
