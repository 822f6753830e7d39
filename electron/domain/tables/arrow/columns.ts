/** The types of Arrow: what a column holds, and how a value of it is read without losing digits. */
import { isUtf8 } from 'node:buffer';
import { DataType, Precision, Type, Vector, type Data } from 'apache-arrow';
import type { TableColumn } from '../table.ts';
import { dayToIso, momentToIso, timeToIso } from '../moment.ts';
import type { Value } from '../values.ts';
import { damaged } from './messages.ts';

/** Bytes that are no text in UTF-8. */
export const notText = Symbol('not text');

export type ArrowValue = Value | typeof notText;

const nanosPerUnit = [1_000_000_000n, 1_000_000n, 1000n, 1n] as const;

export function columnTypeOf(type: DataType): TableColumn['type'] {
  switch (type.typeId) {
    case Type.Bool:
      return 'boolean';
    case Type.Int:
    case Type.Duration:
      return 'integer';
    case Type.Float:
    case Type.Decimal:
      return 'number';
    case Type.Null:
    case Type.Utf8:
    case Type.LargeUtf8:
    case Type.Utf8View:
    case Type.Date:
    case Type.Time:
    case Type.Timestamp:
      return 'text';
    case Type.Binary:
    case Type.LargeBinary:
    case Type.BinaryView:
    case Type.FixedSizeBinary:
      return 'bytes';
    case Type.Dictionary:
      return columnTypeOf((type as unknown as { readonly dictionary: DataType }).dictionary);
    default:
      return 'list';
  }
}

/** Where the width of its numbers is known. */
export function bitsOf(type: DataType): { readonly bits?: 32 | 64 } {
  if (DataType.isInt(type)) return { bits: type.bitWidth > 32 ? 64 : 32 };
  if (DataType.isFloat(type)) return { bits: type.precision === Precision.DOUBLE ? 64 : 32 };
  return {};
}

/**
 * Reads the values of a column of one batch, or of a dictionary. Throws `corrupt` when its buffers are shorter than its rows
 * need: Arrow's own reader would give undefined values.
 */
export function valuesOf({ data }: Vector): (row: number) => ArrowValue {
  const parts = (data as readonly Data[]).map((part) => ({
    length: part.length,
    read: partReader(part),
  }));
  const [first, ...others] = parts;
  if (first !== undefined && others.length === 0) return first.read;
  return (row) => {
    let at = row;
    for (const { length, read } of parts) {
      if (at < length) return read(at);
      at -= length;
    }
    throw damaged();
  };
}

function partReader(data: Data): (row: number) => ArrowValue {
  checkBuffers(data);
  const read = valueReader(data);
  if (data.nullCount === 0) return read;
  return (row) => (data.getValid(row) ? read(row) : null);
}

function valueReader(data: Data): (row: number) => ArrowValue {
  const { type } = data as { readonly type: DataType };
  const vector = new Vector([data]);
  const numbers = data.values as ArrayLike<number | bigint> | undefined;
  const whole = (row: number): bigint => BigInt(numbers?.[row] ?? 0);
  const { unit = 0 } = type as unknown as { readonly unit?: number };
  const nanos = nanosPerUnit[unit] ?? 1n;
  switch (type.typeId) {
    case Type.Null:
      return () => null;
    case Type.Int:
    case Type.Duration:
      return (row) => numbers?.[row] ?? null;
    case Type.Timestamp: {
      const { timezone } = type as unknown as { readonly timezone: string | null };
      const instant = typeof timezone === 'string' && timezone !== '';
      return (row) => momentToIso(whole(row) * nanos, instant);
    }
    case Type.Date:
      return unit === 0
        ? (row) => dayToIso(Number(whole(row)))
        : (row) => dayToIso(Number(whole(row) / 86_400_000n));
    case Type.Time:
      return (row) => timeToIso(whole(row) * nanos);
    case Type.Decimal: {
      const { scale } = type as unknown as { readonly scale: number };
      return (row) => Number(decimalText(vector.get(row) as Uint32Array, scale));
    }
    case Type.Utf8:
    case Type.LargeUtf8:
      return (row) => {
        const text = vector.get(row) as string;
        return text.includes('\uFFFD') && !isUtf8(bytesAt(data, row)) ? notText : text;
      };
    case Type.Dictionary: {
      if (data.dictionary === undefined) throw damaged();
      const { length } = data.dictionary;
      const read = valuesOf(data.dictionary);
      return (row) => {
        const index = Number(whole(row));
        if (index < 0 || index >= length) throw damaged();
        return read(index);
      };
    }
    default:
      return (row) => vector.get(row) as Value;
  }
}

function bytesAt(data: Data, row: number): Uint8Array {
  const offsets = data.valueOffsets as ArrayLike<number | bigint>;
  return (data.values as Uint8Array).subarray(Number(offsets[row]), Number(offsets[row + 1]));
}

/** Words of 32 bits, the low ones first, in two's complement. */
function decimalText(words: Uint32Array, scale: number): string {
  const bits = words.length * 32;
  let value = 0n;
  for (let at = words.length - 1; at >= 0; at -= 1) value = (value << 32n) | BigInt(words[at] ?? 0);
  value = BigInt.asIntN(bits, value);
  return `${value}e${-scale}`;
}

/** What is not looked at here is looked at by `vector.get`, which reads beyond no buffer. */
function checkBuffers(data: Data): void {
  const { length, type } = data;
  const { values, valueOffsets } = data as {
    readonly values?: ArrayLike<unknown>;
    readonly valueOffsets?: ArrayLike<number | bigint>;
  };
  const has = (count: number): void => {
    if ((values?.length ?? 0) < count) throw damaged();
  };
  // A column of nulls alone has no bitmap.
  if (
    type.typeId !== Type.Null &&
    data.nullCount > 0 &&
    (data.nullBitmap?.length ?? 0) * 8 < length
  )
    throw damaged();
  switch (type.typeId) {
    case Type.Null:
      return;
    case Type.Bool:
      return has(Math.ceil(length / 8));
    case Type.Decimal:
    case Type.FixedSizeBinary:
      return has(length * (data.stride || 1));
    case Type.Utf8:
    case Type.LargeUtf8:
    case Type.Binary:
    case Type.LargeBinary: {
      if (length === 0) return;
      if ((valueOffsets?.length ?? 0) <= length) throw damaged();
      let before = 0;
      for (let at = 0; at <= length; at += 1) {
        const offset = Number(valueOffsets?.[at]);
        if (offset < before) throw damaged();
        before = offset;
      }
      return has(before);
    }
    case Type.Int:
    case Type.Float:
    case Type.Date:
    case Type.Time:
    case Type.Timestamp:
    case Type.Duration:
    case Type.Dictionary:
      return has(length);
    default:
  }
}
