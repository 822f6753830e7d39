/**
 * Protocol Buffers wire format, driven by descriptors: how messages are described, and what they are once read. `wire-read.ts`
 * reads them from files that may be hostile, `wire-write.ts` writes them.
 */
/** `int` is a safe integer, `long` a bigint; both are 64-bit varints on the wire. */
export type Scalar = 'int' | 'long' | 'float' | 'double' | 'string' | 'bytes';

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
  /** What was passed over while reading a stream, by field: bytes of byte strings and texts, items of repeated numbers. */
  readonly elided?: Readonly<Record<string, number>>;
  /** SHA-256 (hex) of what was passed over, by field, where the outline asks for it: payloads as they came, lone numbers as text. */
  readonly digests?: Readonly<Record<string, string>>;
}

export type Message = Record<string, unknown> & {
  unknown?: Uint8Array[];
  elided?: Record<string, number>;
  digests?: Record<string, string>;
};

export function isNumber({ type }: Field): boolean {
  return type === 'int' || type === 'long' || type === 'float' || type === 'double';
}

/** Bytes of a number that is no varint. */
export function fixedWidth(type: Field['type']): 4 | 8 | undefined {
  return type === 'float' ? 4 : type === 'double' ? 8 : undefined;
}

export function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
