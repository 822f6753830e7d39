/**
 * Writes Protocol Buffers: the fields in the order of the descriptor, then those that we do not know, as they came. Twice over the
 * message: first for its lengths, which stand before what they are the lengths of, then into one buffer of the right size.
 */
import { fixedWidth, type Descriptor, type Field, type Message } from './wire.ts';

export function encode(message: object, descriptor: Descriptor): Uint8Array {
  const lengths: number[] = [];
  const buffer = Buffer.allocUnsafeSlow(measure(message as Message, descriptor, lengths));
  let next = 0;
  let at = 0;

  function write(inner: Message, fields: Descriptor): void {
    for (const field of fields)
      for (const item of itemsOf(inner, field)) {
        at = writeVarint(buffer, at, tagOf(field));
        writeItem(field, item);
      }
    for (const bytes of inner.unknown ?? []) writeBytes(bytes);
  }

  function writeItem({ type }: Field, item: unknown): void {
    if (typeof type === 'function') {
      at = writeVarint(buffer, at, lengths[next++] ?? 0);
      write(item as Message, type());
    } else if (type === 'string') {
      at = writeVarint(buffer, at, lengths[next++] ?? 0);
      at += buffer.write(item as string, at);
    } else if (type === 'bytes') {
      at = writeVarint(buffer, at, (item as Uint8Array).length);
      writeBytes(item as Uint8Array);
    } else if (type === 'float') at = buffer.writeFloatLE(item as number, at);
    else if (type === 'double') at = buffer.writeDoubleLE(item as number, at);
    else at = writeVarint(buffer, at, item as number | bigint);
  }

  function writeBytes(bytes: Uint8Array): void {
    buffer.set(bytes, at);
    at += bytes.length;
  }

  write(message as Message, descriptor);
  return buffer;
}

/** Bytes of a message; `lengths` gets those of the messages and texts in it, in the order in which they are written. */
function measure(message: Message, descriptor: Descriptor, lengths: number[]): number {
  let total = 0;
  for (const field of descriptor)
    for (const item of itemsOf(message, field))
      total += varintLength(tagOf(field)) + measureItem(field, item, lengths);
  for (const { length } of message.unknown ?? []) total += length;
  return total;
}

function measureItem({ type }: Field, item: unknown, lengths: number[]): number {
  const fixed = fixedWidth(type);
  if (fixed !== undefined) return fixed;
  if (type === 'int' || type === 'long') return varintLength(item as number | bigint);
  let length: number;
  if (type === 'bytes') ({ length } = item as Uint8Array);
  else {
    const place = lengths.push(0) - 1;
    length =
      typeof type === 'function'
        ? measure(item as Message, type(), lengths)
        : Buffer.byteLength(item as string);
    lengths[place] = length;
  }
  return varintLength(length) + length;
}

function itemsOf(message: Message, { name, many }: Field): readonly unknown[] {
  const value = message[name];
  if (value === undefined) return [];
  return many === true ? (value as readonly unknown[]) : [value];
}

function tagOf({ number, type }: Field): number {
  const fixed = fixedWidth(type);
  const wire = type === 'int' || type === 'long' ? 0 : fixed === 4 ? 5 : fixed === 8 ? 1 : 2;
  return number * 8 + wire;
}

/** In 64 bits, as which negative ones take ten bytes. */
function varintLength(value: number | bigint): number {
  if (value < 0) return 10;
  let length = 1;
  for (let bound = 128; length < 10 && value >= bound; bound *= 128) length += 1;
  return length;
}

function writeVarint(buffer: Uint8Array, from: number, value: number | bigint): number {
  let at = from;
  let rest: number;
  if (value >= 0 && value <= Number.MAX_SAFE_INTEGER) rest = Number(value);
  else {
    // The low 49 bits make seven whole bytes.
    const all = BigInt.asUintN(64, BigInt(value));
    let low = Number(all & 0x1ffff_ffff_ffffn);
    for (let byte = 0; byte < 7; byte += 1) {
      buffer[at++] = (low % 128) | 128;
      low = Math.floor(low / 128);
    }
    rest = Number(all >> 49n);
  }
  while (rest > 127) {
    buffer[at++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  buffer[at++] = rest;
  return at;
}
