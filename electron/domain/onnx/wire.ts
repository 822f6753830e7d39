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
  /** Lengths of byte strings that were passed over while reading a stream, by field. */
  readonly elided?: Readonly<Record<string, number>>;
}

const maxDepth = 200;
const maxFields = 20_000_000;
const utf8 = new TextDecoder('utf-8', { fatal: true });

export type Message = Record<string, unknown> & {
  unknown?: Uint8Array[];
  elided?: Record<string, number>;
};

/** Throws `corrupt` for anything that is not such a message, `limit` for one nested too deeply. Byte strings are views. */
export function decode(bytes: Uint8Array, descriptor: Descriptor): Message {
  const decoder = createDecoder(descriptor, { keepBytes: Number.POSITIVE_INFINITY });
  decoder.write(bytes);
  return decoder.end();
}

export function encode(message: object, descriptor: Descriptor): Uint8Array {
  const { chunks } = encodeMessage(message as Message, descriptor);
  return Buffer.concat(chunks);
}

interface Frame {
  readonly fields: Map<number, Field>;
  readonly message: Message;
  /** Offset in the stream where the message ends. */
  readonly end: number;
  readonly field: Field | undefined;
}

interface Payload {
  readonly field: Field | undefined;
  readonly tag: number;
  readonly length: number;
  readonly elide: boolean;
  readonly parts: Uint8Array[];
  left: number;
}

export interface Decoder {
  write(chunk: Uint8Array): void;
  end(): Message;
}

/**
 * Reads a message as its bytes come. Byte strings longer than `keepBytes`, known or not, are passed over: only their length
 * is kept, in `elided`. So the structure of a model can be read from a stream in memory that its weights do not determine.
 */
export function createDecoder(
  descriptor: Descriptor,
  options: { readonly keepBytes: number },
): Decoder {
  const root: Frame = {
    fields: fieldMap(descriptor),
    message: emptyMessage(descriptor),
    end: Number.POSITIVE_INFINITY,
    field: undefined,
  };
  const stack: Frame[] = [root];
  let frame = root;
  let offset = 0;
  let fieldCount = 0;
  let state: 'tag' | 'value' | 'length' | 'payload' = 'tag';
  let tag = 0;
  let low = 0;
  let high = 0n;
  let shift = 0;
  let payload: Payload | undefined;

  function put(field: Field, value: unknown): void {
    if (field.many === true) (frame.message[field.name] as unknown[]).push(value);
    else frame.message[field.name] = value;
  }

  function closeFrames(): void {
    while (offset === frame.end) {
      const { message, field } = frame;
      stack.pop();
      const parent = stack.at(-1);
      if (parent === undefined || field === undefined) throw malformed();
      frame = parent;
      put(field, message);
    }
    if (offset > frame.end) throw malformed();
  }

  /** True when the varint is complete; its value is then in `low` and `high`. */
  function varintByte(byte: number): boolean {
    const bits = byte & 0x7f;
    if (shift < 49) low += bits * 2 ** shift;
    else high |= BigInt(bits) << BigInt(shift);
    shift += 7;
    if (byte < 0x80) return true;
    if (shift > 63) throw malformed();
    return false;
  }

  function takeVarint(): bigint {
    const value = BigInt.asUintN(64, BigInt(low) | high);
    low = 0;
    high = 0n;
    shift = 0;
    return value;
  }

  function startField(): void {
    tag = Number(takeVarint());
    fieldCount += 1;
    if (tag < 8 || tag > 0xffff_ffff) throw malformed();
    if (fieldCount > maxFields)
      throw new AppError('limit', `The model has more than ${maxFields} fields.`);
    const field = frame.fields.get(Math.floor(tag / 8));
    const wire = tag & 7;
    if (wire === 0) {
      if (field !== undefined && field.type !== 'int' && field.type !== 'long') throw malformed();
      state = 'value';
    } else if (wire === 2) {
      state = 'length';
    } else if (wire === 5 || wire === 1) {
      if (field !== undefined && (field.type !== 'float' || wire !== 5)) throw malformed();
      startPayload(field, wire === 5 ? 4 : 8);
    } else {
      throw malformed();
    }
  }

  function endValue(): void {
    const value = takeVarint();
    const field = frame.fields.get(Math.floor(tag / 8));
    if (field === undefined) keepUnknown(varint(value));
    else put(field, toScalar(value, field.type));
    state = 'tag';
  }

  function startLength(): void {
    const length = Number(takeVarint());
    const field = frame.fields.get(Math.floor(tag / 8));
    if (length > frame.end - offset) throw malformed();
    if (typeof field?.type !== 'function') {
      startPayload(field, length);
      return;
    }
    if (stack.length > maxDepth)
      throw new AppError('limit', `The model nests messages more than ${maxDepth} levels deep.`);
    const inner = field.type();
    frame = { fields: fieldMap(inner), message: emptyMessage(inner), end: offset + length, field };
    stack.push(frame);
    state = 'tag';
  }

  function startPayload(field: Field | undefined, length: number): void {
    if (length > frame.end - offset) throw malformed();
    const elide = length > options.keepBytes && (field === undefined || field.type === 'bytes');
    payload = { field, tag, length, elide, parts: [], left: length };
    state = 'payload';
    if (length === 0) endPayload(payload);
  }

  function endPayload({ field, length, elide, parts }: Payload): void {
    const [only] = parts;
    const bytes = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
    if (elide) (frame.message.elided ??= {})[field?.name ?? String(Math.floor(tag / 8))] = length;
    if (field === undefined) {
      if (!elide)
        keepUnknown((tag & 7) === 2 ? Buffer.concat([varint(BigInt(length)), bytes]) : bytes);
    } else if (field.type === 'bytes') {
      put(field, bytes);
    } else if (field.type === 'string') {
      put(field, readText(bytes));
    } else if ((tag & 7) === 5) {
      put(field, new DataView(bytes.buffer, bytes.byteOffset).getFloat32(0, true));
    } else {
      if (field.many !== true) throw malformed();
      for (const value of unpack(bytes, field.type)) put(field, value);
    }
    payload = undefined;
    state = 'tag';
  }

  function keepUnknown(content: Uint8Array): void {
    (frame.message.unknown ??= []).push(Buffer.concat([varint(BigInt(tag)), content]));
  }

  return {
    write(chunk) {
      for (let at = 0; at < chunk.length;) {
        if (payload !== undefined) {
          const part = chunk.subarray(at, at + payload.left);
          if (!payload.elide) payload.parts.push(part);
          payload.left -= part.length;
          at += part.length;
          offset += part.length;
          if (payload.left === 0) endPayload(payload);
        } else {
          if (state === 'tag' && shift === 0) closeFrames();
          const done = varintByte(chunk[at] ?? 0);
          at += 1;
          offset += 1;
          if (!done) continue;
          if (state === 'tag') startField();
          else if (state === 'value') endValue();
          else startLength();
        }
      }
    },
    end() {
      if (state !== 'tag' || shift !== 0) throw malformed();
      closeFrames();
      if (stack.length !== 1) throw malformed();
      return root.message;
    },
  };
}

const fieldsByDescriptor = new WeakMap<Descriptor, Map<number, Field>>();

function fieldMap(descriptor: Descriptor): Map<number, Field> {
  const known =
    fieldsByDescriptor.get(descriptor) ?? new Map(descriptor.map((field) => [field.number, field]));
  fieldsByDescriptor.set(descriptor, known);
  return known;
}

function emptyMessage(descriptor: Descriptor): Message {
  const message: Message = {};
  for (const field of descriptor) if (field.many === true) message[field.name] = [];
  return message;
}

function toScalar(value: bigint, type: Field['type']): number | bigint {
  const signed = BigInt.asIntN(64, value);
  if (type === 'long') return signed;
  const number = Number(signed);
  if (!Number.isSafeInteger(number)) throw malformed();
  return number;
}

/** Packed repeated scalars. */
function* unpack(bytes: Uint8Array, type: Field['type']): Generator<number | bigint> {
  if (type === 'float') {
    if (bytes.length % 4 !== 0) throw malformed();
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < bytes.length; at += 4) yield view.getFloat32(at, true);
    return;
  }
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (shift > 70n) throw malformed();
    if (byte >= 0x80) continue;
    yield toScalar(BigInt.asUintN(64, value), type);
    value = 0n;
    shift = 0n;
  }
  if (shift !== 0n) throw malformed();
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
