/**
 * Reads Protocol Buffers that may be hostile: bounded depth and field count, byte strings as views of the input (weights are never
 * copied), fields we do not know kept as they came. Stricter than the runtime's parser where two readers could understand one
 * file in two ways: a singular field that comes twice, a group, a known field of another wire type and text that is no UTF-8
 * are `corrupt`.
 */
import { createHash, type Hash } from 'node:crypto';
import { AppError } from '#shared/errors.ts';
import { fixedWidth, isNumber, varint, type Descriptor, type Field, type Message } from './wire.ts';

const maxDepth = 200;
const maxFields = 20_000_000;
/** What parts weigh in memory beside their bytes, about. */
const weights = { number: 16, text: 64, message: 256 } as const;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Throws `corrupt` for anything that is not such a message, `limit` for one nested too deeply. Byte strings are views. */
export function decode(bytes: Uint8Array, descriptor: Descriptor): Message {
  const decoder = createDecoder(descriptor);
  decoder.write(bytes);
  return decoder.end();
}

interface Frame {
  readonly fields: Map<number, Field>;
  readonly message: Message;
  /** Offset in the stream where the message ends. */
  readonly end: number;
  readonly field: Field | undefined;
  /** Of what is passed over in it, by field. */
  hashes?: Map<string, Hash>;
}

interface Payload {
  readonly field: Field | undefined;
  readonly tag: number;
  readonly length: number;
  readonly elide: boolean;
  readonly parts: Uint8Array[];
  /** Numbers among what was passed over. */
  items: number;
  left: number;
}

export interface Decoder {
  write(chunk: Uint8Array): void;
  end(): Message;
}

export interface Outline {
  /** Longer byte strings, texts and packed numbers, known or not, are passed over. */
  readonly keepBytes: number;
  /** Repeated numbers beyond this many are passed over. */
  readonly keepItems: number;
  /** What a message may weigh in all; more is a `limit`. */
  readonly totalBytes: number;
  /** Takes the digest of what is passed over. */
  readonly digests?: true;
}

/**
 * Reads a message as its bytes come. With an `outline` its chunks may be reused by their source, and what is long is passed
 * over: only its length is kept, in `elided`. So the structure of a model can be read from a stream in memory that its weights
 * do not determine. Without one everything is kept, byte strings as views.
 */
export function createDecoder(descriptor: Descriptor, outline?: Outline): Decoder {
  const keepBytes = outline?.keepBytes ?? Number.POSITIVE_INFINITY;
  const keepItems = outline?.keepItems ?? Number.POSITIVE_INFINITY;
  let kept = 0;
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
    const { message } = frame;
    if (field.many === true) {
      const items = message[field.name] as unknown[];
      if (items.length >= keepItems && isNumber(field)) {
        hash(field.name)?.update(`${String(value)},`);
        elide(field.name, 1);
      } else {
        weigh(weightOf(field));
        items.push(value);
      }
      return;
    }
    // Parsers merge or replace such fields, each in its own way: the file would not be what it looks like.
    if (message[field.name] !== undefined)
      throw new AppError('corrupt', 'A field that may be there once is there twice.', {
        details: { fault: 'duplicate-field' },
      });
    weigh(weightOf(field));
    message[field.name] = value;
  }

  function weigh(bytes: number): void {
    kept += bytes;
    fieldCount += 1;
    if (outline === undefined ? fieldCount > maxFields : kept > outline.totalBytes)
      throw new AppError('limit', 'The model has more parts than the gate can look at.');
  }

  function hash(name: string): Hash | undefined {
    if (outline?.digests !== true) return undefined;
    frame.hashes ??= new Map();
    const taken = frame.hashes.get(name) ?? createHash('sha256');
    frame.hashes.set(name, taken);
    return taken;
  }

  /** When all of a message has been read. */
  function finish({ message, hashes }: Frame): void {
    if (hashes !== undefined)
      message.digests = Object.fromEntries(
        [...hashes].map(([name, taken]) => [name, taken.digest('hex')]),
      );
  }

  function elide(name: string, amount: number): void {
    const elided = (frame.message.elided ??= {});
    elided[name] = (elided[name] ?? 0) + amount;
  }

  function closeFrames(): void {
    while (offset === frame.end) {
      const { message, field } = frame;
      finish(frame);
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

  /** The varint as a number, exact up to 2^53, for tags and lengths. */
  function takeNumber(): number {
    const value = high === 0n ? low : Number(BigInt.asUintN(64, BigInt(low) | high));
    low = 0;
    high = 0n;
    shift = 0;
    return value;
  }

  function takeVarint(): bigint {
    const value = BigInt.asUintN(64, BigInt(low) | high);
    low = 0;
    high = 0n;
    shift = 0;
    return value;
  }

  function startField(): void {
    tag = takeNumber();
    if (tag < 8 || tag > 0xffff_ffff) throw malformed();
    const field = frame.fields.get(Math.floor(tag / 8));
    const wire = tag & 7;
    if (wire === 0) {
      if (field !== undefined && field.type !== 'int' && field.type !== 'long') throw malformed();
      state = 'value';
    } else if (wire === 2) {
      state = 'length';
    } else if (wire === 5 || wire === 1) {
      if (field !== undefined && field.type !== (wire === 5 ? 'float' : 'double'))
        throw malformed();
      startPayload(field, wire === 5 ? 4 : 8);
    } else {
      throw malformed();
    }
  }

  function endValue(): void {
    const value = takeVarint();
    const field = frame.fields.get(Math.floor(tag / 8));
    if (field === undefined) {
      weigh(weights.text);
      keepUnknown(varint(value));
    } else put(field, toScalar(value, field.type));
    state = 'tag';
  }

  function startLength(): void {
    const length = takeNumber();
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
    payload = { field, tag, length, elide: length > keepBytes, items: 0, parts: [], left: length };
    state = 'payload';
    if (length === 0) endPayload(payload);
  }

  /** Numbers that are passed over are counted: four bytes each, or up to a byte without the top bit. */
  function passOver(part: Uint8Array, { field }: Payload): number {
    if (field === undefined || !isNumber(field)) return 0;
    const width = fixedWidth(field.type);
    if (width !== undefined) return part.length / width;
    let items = 0;
    for (const byte of part) if (byte < 0x80) items += 1;
    return items;
  }

  function endPayload({ field, length, elide: passed, items, parts }: Payload): void {
    const [only] = parts;
    const bytes = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
    if (passed) {
      const isPacked = field !== undefined && isNumber(field);
      if (isPacked && (field.many !== true || length % (fixedWidth(field.type) ?? 1) !== 0))
        throw malformed();
      elide(field?.name ?? String(Math.floor(tag / 8)), isPacked ? items : length);
    } else if (field === undefined || !isNumber(field)) weigh(length);
    if (field === undefined) {
      weigh(weights.text);
      if (!passed)
        keepUnknown((tag & 7) === 2 ? Buffer.concat([varint(BigInt(length)), bytes]) : bytes);
    } else if (passed && isNumber(field)) {
      // Counted above.
    } else if (field.type === 'bytes') {
      put(field, bytes);
    } else if (field.type === 'string') {
      put(field, readText(bytes));
    } else if ((tag & 7) !== 2) {
      for (const value of unpack(bytes, field.type)) put(field, value);
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
          if (payload.elide) {
            payload.items += passOver(part, payload);
            hash(payload.field?.name ?? String(Math.floor(payload.tag / 8)))?.update(part);
          } else payload.parts.push(outline === undefined ? part : Uint8Array.from(part));
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
      finish(root);
      return root.message;
    },
  };
}

function weightOf(field: Field): number {
  return isNumber(field)
    ? weights.number
    : typeof field.type === 'function'
      ? weights.message
      : weights.text;
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
  const width = fixedWidth(type);
  if (width !== undefined) {
    if (bytes.length % width !== 0) throw malformed();
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < bytes.length; at += width)
      yield width === 4 ? view.getFloat32(at, true) : view.getFloat64(at, true);
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

function malformed(cause?: unknown): AppError {
  return new AppError('corrupt', 'The file is not an ONNX model: its bytes do not parse.', {
    cause,
  });
}
