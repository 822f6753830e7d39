/** What lies in fields that no descriptor names: the numbers of small tensors that are not stored as raw bytes. */
import type { OnnxTensor } from './model.ts';
import { tensorTypes } from './signature.ts';

/** Tag of an unread field, and where its value begins. */
export function tagOf(field: Uint8Array): { readonly tag: number; readonly at: number } {
  let tag = 0;
  for (let at = 0; at < field.length; at += 1) {
    const byte = field[at] ?? 0;
    tag += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return { tag, at: at + 1 };
  }
  return { tag, at: field.length };
}

/** Values of a tensor of integers; undefined if it has another type or was passed over. */
export function smallIntegers(tensor: OnnxTensor): number[] | undefined {
  const { rawData, elided, dataType, unknown } = tensor;
  const type = tensorTypes[dataType ?? 0];
  if (elided !== undefined || (type !== 'int64' && type !== 'int32')) return undefined;
  if (rawData !== undefined) {
    const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength);
    const width = type === 'int64' ? 8 : 4;
    return Array.from({ length: Math.floor(rawData.length / width) }, (_, at) =>
      type === 'int64' ? Number(view.getBigInt64(at * 8, true)) : view.getInt32(at * 4, true),
    );
  }
  return (unknown ?? []).flatMap((field) => {
    const { tag, at } = tagOf(field);
    if (Math.floor(tag / 8) !== 5 && Math.floor(tag / 8) !== 7) return [];
    return varintsIn(
      (tag & 7) === 2 ? field.subarray(at + tagOf(field.subarray(at)).at) : field.subarray(at),
    );
  });
}

function varintsIn(bytes: Uint8Array): number[] {
  const numbers: number[] = [];
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte >= 0x80) continue;
    numbers.push(Number(BigInt.asIntN(64, value)));
    value = 0n;
    shift = 0n;
  }
  return numbers;
}
