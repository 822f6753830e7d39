/**
 * The metadata of Arrow messages (Message.fbs, Schema.fbs, File.fbs, version 5), read with no more than what framing needs, and looked at
 * before Arrow's own reader gets it: that one believes every count, and a count of two billion costs it all memory.
 */
import { AppError } from '#shared/errors.ts';

export type MessageKind = 'schema' | 'dictionary' | 'batch';

export interface MessageFacts {
  readonly kind: MessageKind;
  readonly bodyBytes: number;
  /** Of a batch; as it claims. */
  readonly rows: number;
}

const kinds: readonly (MessageKind | undefined)[] = [undefined, 'schema', 'dictionary', 'batch'];
const maxFields = 100_000;
const maxDepth = 32;

/** Throws a `RangeError` for what points out of its bytes or counts more than they can hold. */
export function readMessage(bytes: Uint8Array): MessageFacts {
  const message = rootOf(bytes);
  const kind = kinds[message.byte(1)];
  if (kind === undefined)
    throw new AppError('unsupported', 'The Arrow file holds tensors, and tables are read only.');
  const header = message.table(2);
  const bodyBytes = message.long(3);
  if (header === undefined) throw new RangeError('A message has no header.');
  if (kind === 'schema') checkSchema(header);
  if (kind === 'dictionary') checkBatch(header.table(1));
  return { kind, bodyBytes, rows: kind === 'batch' ? checkBatch(header) : 0 };
}

export function checkFooter(bytes: Uint8Array): void {
  const footer = rootOf(bytes);
  footer.count(2, 24);
  footer.count(3, 24);
  footer.count(4, 4);
  const schema = footer.table(1);
  if (schema === undefined) throw new RangeError('A footer has no schema.');
  checkSchema(schema);
}

/** Its rows. */
function checkBatch(batch: FlatTable | undefined): number {
  if (batch === undefined) throw new RangeError('A dictionary has no data.');
  const rows = batch.long(0);
  const nodes = batch.count(1, 16);
  batch.count(2, 16);
  batch.count(4, 8);
  if (nodes > 0 && batch.longAt(1) !== rows)
    throw new RangeError('A column is not as long as its batch.');
  return rows;
}

function checkSchema(schema: FlatTable): void {
  if (schema.byte(0) !== 0)
    throw new AppError('unsupported', 'The Arrow file has its bytes in big-endian order.');
  schema.count(2, 4);
  let fields = 0;
  const visit = (parent: FlatTable, slot: number, depth: number): void => {
    const count = parent.count(slot, 4);
    // One child may stand in many places, so what is small may be visited for ever.
    fields += count;
    if (fields > maxFields || depth > maxDepth) throw new RangeError('A schema has no end.');
    for (let at = 0; at < count; at += 1) {
      const field = parent.tableAt(slot, at);
      field.count(6, 4);
      visit(field, 5, depth + 1);
    }
  };
  visit(schema, 1, 0);
}

/** A table of FlatBuffers (https://flatbuffers.dev/internals): slots by number; what is left out is 0. */
interface FlatTable {
  byte(slot: number): number;
  long(slot: number): number;
  table(slot: number): FlatTable | undefined;
  /** Elements of a vector, which `elementBytes` each have to lie within the bytes. */
  count(slot: number, elementBytes: number): number;
  /** The first 64 bits of a vector. */
  longAt(slot: number): number;
  tableAt(slot: number, at: number): FlatTable;
}

function rootOf(bytes: Uint8Array): FlatTable {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return tableOf(view, view.getUint32(0, true));
}

function tableOf(view: DataView, at: number): FlatTable {
  const vtable = at - view.getInt32(at, true);
  const vtableBytes = view.getUint16(vtable, true);
  const place = (slot: number): number | undefined => {
    const entry = 4 + 2 * slot;
    const offset = entry + 2 <= vtableBytes ? view.getUint16(vtable + entry, true) : 0;
    return offset === 0 ? undefined : at + offset;
  };
  const pointed = (slot: number): number | undefined => {
    const from = place(slot);
    return from === undefined ? undefined : from + view.getUint32(from, true);
  };
  const safe = (value: bigint): number => {
    const number = Number(value);
    if (!Number.isSafeInteger(number) || number < 0) throw new RangeError('No length.');
    return number;
  };
  const vector = (slot: number): number => {
    const from = pointed(slot);
    if (from === undefined) throw new RangeError('A vector is not there.');
    return from + 4;
  };
  return {
    byte: (slot) => {
      const from = place(slot);
      return from === undefined ? 0 : view.getUint8(from);
    },
    long: (slot) => {
      const from = place(slot);
      return from === undefined ? 0 : safe(view.getBigInt64(from, true));
    },
    table: (slot) => {
      const from = pointed(slot);
      return from === undefined ? undefined : tableOf(view, from);
    },
    count(slot, elementBytes) {
      const from = pointed(slot);
      if (from === undefined) return 0;
      const count = view.getUint32(from, true);
      if (from + 4 + count * elementBytes > view.byteLength)
        throw new RangeError('A vector is longer than its bytes.');
      return count;
    },
    longAt: (slot) => safe(view.getBigInt64(vector(slot), true)),
    tableAt(slot, at) {
      const from = vector(slot) + 4 * at;
      return tableOf(view, from + view.getUint32(from, true));
    },
  };
}
