/**
 * How a resident child and the core hand each other tensors: frames over a pipe, numbers as they lie in memory.
 *
 *     u32 LE length of the header | u32 LE length of the payload | header, UTF-8 JSON | payload
 *
 * The header is `{ body, tensors: [{ name, type, dims, bytes }] }`; the payload holds the tensors in that order, each from a
 * multiple of 8 bytes on, little-endian and row-major, strings each as u32 LE length and UTF-8. What a child sends is nobody's
 * word: lengths are bounded before anything is reserved, sizes must agree with dimensions, `body` is for a schema of its own.
 */
import { readSync, writeSync } from 'node:fs';
import { AppError } from '#shared/errors.ts';
import type { TensorArray, TensorData } from '#domain/onnx/index.ts';

export type Tensors = Readonly<Record<string, TensorData>>;

export interface Frame {
  /** JSON, unparsed by any schema. */
  readonly body: unknown;
  readonly tensors: Tensors;
}

/** A frame that is none; thrown by readers. */
export class BadFrame extends Error {}

const longestHeader = 64 * 2 ** 20;
/** Of all tensors of a frame. */
const longestPayload = 2 ** 28;
/** Below it a frame is copied into one piece: one call of the system is worth more. */
const smallPayload = 64 * 1024;
const prefixBytes = 8;

const arrays: Readonly<
  Record<
    string,
    {
      readonly BYTES_PER_ELEMENT: number;
      new (buffer: ArrayBuffer, at: number, length: number): TensorArray;
    }
  >
> = {
  float: Float32Array,
  double: Float64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
};

/** Of a frame, as it is sent. */
export interface FrameHeader {
  readonly body: unknown;
  readonly tensors: readonly {
    readonly name: string;
    readonly type: string;
    readonly dims: readonly number[];
    readonly bytes: number;
  }[];
}

/** The parts of a frame, in order; numbers of large tensors are not copied. Throws `limit` for what is too large for one. */
export function encodeFrame({ body, tensors }: Frame): Uint8Array[] {
  const headers: FrameHeader['tensors'][number][] = [];
  const payload: Uint8Array[] = [];
  let payloadBytes = 0;
  for (const [name, { type, dims, data }] of Object.entries(tensors)) {
    const bytes = ArrayBuffer.isView(data)
      ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      : encodeStrings(data);
    headers.push({ name, type, dims, bytes: bytes.length });
    const gap = aligned(bytes.length) - bytes.length;
    payload.push(bytes);
    if (gap > 0) payload.push(new Uint8Array(gap));
    payloadBytes += bytes.length + gap;
  }
  const header = Buffer.from(JSON.stringify({ body, tensors: headers }));
  if (payloadBytes > longestPayload || header.length > longestHeader)
    throw new AppError(
      'limit',
      `Tensors of one request are together at most ${longestPayload / 2 ** 20} MiB, there and back.`,
    );
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32LE(header.length, 0);
  prefix.writeUInt32LE(payloadBytes, 4);
  return payloadBytes > smallPayload
    ? [Buffer.concat([prefix, header]), ...payload]
    : [Buffer.concat([prefix, header, ...payload])];
}

/** Blocks until a whole frame has come; undefined when the other side has closed the pipe. */
export function readFrame(fd: number): Frame | undefined {
  // From the core, whose word counts.
  const parts = createFrameParts((json) => json as FrameHeader);
  for (;;) {
    const target = parts.next();
    const taken = target.length === 0 ? 0 : readSync(fd, target);
    if (taken === 0 && target.length > 0) return undefined;
    const frame = parts.took(taken);
    if (frame !== undefined) return frame;
  }
}

/** Blocks until the other side has taken it, or the pipe has room. */
export function writeFrame(fd: number, frame: Frame): void {
  for (const part of encodeFrame(frame))
    for (let done = 0; done < part.length;) done += writeSync(fd, part, done, part.length - done);
}

/** The three parts of a frame, each read into memory of its length. `parse` throws for what is no header. */
export function createFrameParts(parse: (json: unknown) => FrameHeader): {
  /** Where the next bytes belong. */
  next(): Uint8Array;
  took(bytes: number): Frame | undefined;
} {
  const prefix = Buffer.alloc(prefixBytes);
  let header: Buffer | undefined;
  let payload: Uint8Array<ArrayBuffer> | undefined;
  let rest: Uint8Array = prefix;
  return {
    next: () => rest,
    took(bytes) {
      rest = rest.subarray(bytes);
      if (rest.length > 0) return undefined;
      if (header === undefined) {
        const length = prefix.readUInt32LE(0);
        if (length > longestHeader) throw new BadFrame('Its header is too long.');
        rest = header = Buffer.allocUnsafe(length);
      } else if (payload === undefined) {
        const length = prefix.readUInt32LE(4);
        if (length > longestPayload) throw new BadFrame('It is too long.');
        // By itself, so that views of 8-byte numbers may lie in it.
        rest = payload = new Uint8Array(length);
      }
      if (rest.length > 0 || payload === undefined) return undefined;
      return decode(header, payload, parse);
    },
  };
}

function decode(
  header: Buffer,
  payload: Uint8Array<ArrayBuffer>,
  parse: (json: unknown) => FrameHeader,
): Frame {
  let parsed: FrameHeader;
  try {
    parsed = parse(JSON.parse(header.toString('utf8')));
  } catch {
    throw new BadFrame('Its header cannot be read.');
  }
  const { body, tensors } = parsed;
  const decoded: [string, TensorData][] = [];
  let at = 0;
  for (const { name, type, dims, bytes } of tensors) {
    if (at + bytes > payload.length) throw new BadFrame('A tensor ends after the frame.');
    decoded.push([
      name,
      { type, dims, data: decodeData(payload, { at, bytes, type, count: countOf(dims) }) },
    ]);
    at += aligned(bytes);
  }
  if (at !== payload.length) throw new BadFrame('It holds more than its tensors.');
  return { body, tensors: Object.fromEntries(decoded) };
}

function decodeData(
  payload: Uint8Array<ArrayBuffer>,
  tensor: {
    readonly at: number;
    readonly bytes: number;
    readonly type: string;
    readonly count: number;
  },
): TensorData['data'] {
  const { at, bytes, type, count } = tensor;
  if (type === 'string') return decodeStrings(Buffer.from(payload.buffer, at, bytes), count);
  const array = Object.hasOwn(arrays, type) ? arrays[type] : undefined;
  if (array === undefined) throw new BadFrame('A tensor of no type.');
  if (count * array.BYTES_PER_ELEMENT !== bytes)
    throw new BadFrame('A tensor whose size is not that of its shape.');
  return new array(payload.buffer, at, count);
}

function encodeStrings(values: readonly string[]): Uint8Array {
  return Buffer.concat(
    values.flatMap((value) => {
      const text = Buffer.from(value);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(text.length);
      return [length, text];
    }),
  );
}

function decodeStrings(bytes: Buffer, count: number): string[] {
  const values: string[] = [];
  let at = 0;
  while (at < bytes.length && values.length < count) {
    const from = at + 4;
    if (from > bytes.length) break;
    at = from + bytes.readUInt32LE(from - 4);
    if (at > bytes.length) break;
    values.push(bytes.toString('utf8', from, at));
  }
  if (at !== bytes.length || values.length !== count)
    throw new BadFrame('A tensor of other strings than its shape says.');
  return values;
}

function countOf(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}
