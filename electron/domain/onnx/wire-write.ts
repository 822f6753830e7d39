/** Writes Protocol Buffers: the fields in the order of the descriptor, then those that we do not know, as they came. */
import { fixedWidth, varint, type Descriptor, type Message } from './wire.ts';

export function encode(message: object, descriptor: Descriptor): Uint8Array {
  const { chunks } = encodeMessage(message as Message, descriptor);
  return Buffer.concat(chunks);
}

const wireOfFixed: Readonly<Record<number, 1 | 5>> = { 4: 5, 8: 1 };

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
        field.type === 'int' || field.type === 'long'
          ? 0
          : (wireOfFixed[fixedWidth(field.type) ?? 0] ?? 2);
      push(varint(BigInt(field.number * 8 + wire)));
      if (typeof field.type === 'function') {
        const inner = encodeMessage(item as Message, field.type());
        push(varint(BigInt(inner.length)));
        inner.chunks.forEach(push);
      } else if (wire === 2) {
        const bytes = field.type === 'string' ? Buffer.from(item as string) : (item as Uint8Array);
        push(varint(BigInt(bytes.length)));
        push(bytes);
      } else if (wire === 5 || wire === 1) {
        const bytes = Buffer.alloc(wire === 5 ? 4 : 8);
        if (wire === 5) bytes.writeFloatLE(item as number);
        else bytes.writeDoubleLE(item as number);
        push(bytes);
      } else {
        push(varint(BigInt.asUintN(64, BigInt(item as number | bigint))));
      }
    }
  }
  message.unknown?.forEach(push);
  return { chunks, length };
}
