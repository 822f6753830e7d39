/**
 * Mutations of a Protocol Buffers message that keep its structure (fields dropped, doubled, swapped, nested, with lengths that lie
 * and numbers at their edges), and of bytes that do not. Each is data, so that fast-check can make and shrink lists of them.
 */
import fc from 'fast-check';
import { tag, varint } from '../support/hostile/protobuf.ts';

export interface Mutation {
  readonly kind: (typeof kinds)[number];
  /** Which field or byte, counted round. */
  readonly at: number;
  readonly value: number;
}

const structural = ['drop', 'double', 'swap', 'lie', 'edge', 'nest', 'renumber', 'retype'] as const;
const bytewise = ['flip', 'cut', 'insert', 'repeat'] as const;
const kinds = [...structural, ...bytewise] as const;

export const mutations = (isStructured: boolean): fc.Arbitrary<Mutation[]> =>
  fc.array(
    fc.record({
      kind: fc.constantFrom(...(isStructured ? kinds : bytewise)),
      at: fc.nat(),
      value: fc.nat(),
    }),
    { minLength: 1, maxLength: 6 },
  );

export function mutate(bytes: Uint8Array, list: readonly Mutation[]): Uint8Array {
  let result = bytes;
  for (const one of list) {
    const isBytewise = (bytewise as readonly string[]).includes(one.kind);
    result = isBytewise ? changeBytes(result, one) : changeFields(result, one);
    if (result.length > longest) result = result.subarray(0, longest);
  }
  return result;
}

const longest = 64 * 1024;
const edges = [
  0n,
  1n,
  127n,
  128n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];

interface Field {
  number: number;
  wire: number;
  content: Uint8Array;
  /** Fields of the message in it, if it can be read as one. */
  inner: Field[] | undefined;
  /** Instead of the true length. */
  claims?: bigint;
}

function changeFields(bytes: Uint8Array, { kind, at, value }: Mutation): Uint8Array {
  const root = parse(bytes, 0);
  if (root === undefined) return bytes;
  const lists: Field[][] = [];
  const collect = (list: Field[]): void => {
    lists.push(...list.map(() => list));
    for (const { inner } of list) if (inner !== undefined) collect(inner);
  };
  collect(root);
  const list = lists[at % Math.max(lists.length, 1)];
  const field = list?.[value % list.length];
  if (list === undefined || field === undefined) return bytes;
  const index = list.indexOf(field);
  const edge = edges[at % edges.length] ?? 0n;
  if (kind === 'drop') list.splice(index, 1);
  else if (kind === 'double') list.splice(index, 0, field);
  else if (kind === 'swap') list.splice(at % list.length, 0, ...list.splice(index, 1));
  else if (kind === 'lie') field.claims = edge;
  else if (kind === 'edge')
    list[index] = { ...field, wire: 0, content: varint(edge), inner: undefined };
  else if (kind === 'renumber') field.number = 1 + (at % 30);
  else if (kind === 'retype') field.wire = at % 8;
  else {
    // The same message within itself, again and again.
    let content = encode([field]);
    for (let depth = 0; depth < value % 300 && content.length < longest; depth += 1)
      content = Buffer.concat([tag(field.number, 2), varint(content.length), content]);
    list[index] = { ...field, wire: 2, content, inner: undefined };
  }
  return encode(root);
}

function changeBytes(bytes: Uint8Array, { kind, at, value }: Mutation): Uint8Array {
  const place = at % (bytes.length + 1);
  const before = bytes.subarray(0, place);
  const after = bytes.subarray(place);
  if (kind === 'cut')
    return value % 2 === 0 ? before : Buffer.concat([before, after.subarray(1 + (value % 16))]);
  if (kind === 'insert')
    return Buffer.concat([before, Buffer.from([value & 0xff, (value >> 8) & 0xff]), after]);
  if (kind === 'repeat')
    return Buffer.concat([
      before,
      ...Array.from({ length: value % 64 }, () => after.subarray(0, 8)),
      after,
    ]);
  const changed = Uint8Array.from(bytes);
  if (place < changed.length) changed[place] = (changed[place] ?? 0) ^ (1 << (value % 8));
  return changed;
}

function parse(bytes: Uint8Array, depth: number): Field[] | undefined {
  const fields: Field[] = [];
  let at = 0;
  const number = (): number | undefined => {
    let value = 0;
    for (let shift = 0; shift < 63 && at < bytes.length; shift += 7) {
      const byte = bytes[at] ?? 0;
      at += 1;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return undefined;
  };
  while (at < bytes.length) {
    const key = number();
    if (key === undefined || key < 8) return undefined;
    const wire = key % 8;
    const start = at;
    if (wire === 0 && number() === undefined) return undefined;
    const length =
      wire === 2 ? number() : wire === 5 ? 4 : wire === 1 ? 8 : wire === 0 ? at - start : undefined;
    if (length === undefined) return undefined;
    const from = wire === 0 ? start : at;
    if (from + length > bytes.length) return undefined;
    const content = bytes.subarray(from, from + length);
    at = from + length;
    const inner = wire === 2 && length > 1 && depth < 12 ? parse(content, depth + 1) : undefined;
    fields.push({ number: Math.floor(key / 8), wire, content, inner });
  }
  return fields;
}

function encode(fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.flatMap(({ number, wire, content, inner, claims }) => {
      const body = inner === undefined ? content : encode(inner);
      return wire === 2
        ? [tag(number, wire), varint(claims ?? body.length), body]
        : [tag(number, wire), body];
    }),
  );
}
