/** From columns to the tensors of the inputs: one array per input, filled a column at a time. */
import { AppError } from '#shared/errors.ts';
import type { TensorSpec } from '#shared/contract/bundles.ts';
import { heldAs, newArray, type TensorArray, type TensorData } from '#domain/onnx/index.ts';
import { textToUnsigned } from '#domain/tables/index.ts';
import type { ColumnKind, Feature, Marks } from './feature.ts';
import type { Slot } from './draft.ts';

interface Storage {
  /** What a column is made into before it is copied. */
  readonly as: ColumnKind;
  /** Whole numbers only, from and to. */
  readonly range?: readonly [number, number];
  readonly isFloat?: true;
}

const whole = (bits: number, isSigned: boolean): Storage => ({
  as: 'number',
  range: isSigned ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1],
});

/** By the type that tensors are held as. */
const storageByType: ReadonlyMap<string, Storage> = new Map<string, Storage>([
  ['float', { as: 'number', isFloat: true }],
  ['double', { as: 'number' }],
  ['int8', whole(8, true)],
  ['int16', whole(16, true)],
  ['int32', whole(32, true)],
  ['uint8', whole(8, false)],
  ['uint16', whole(16, false)],
  ['uint32', whole(32, false)],
  ['int64', { as: 'integer' }],
  // Half of them are beyond what an integer column holds.
  ['uint64', { as: 'text' }],
  ['bool', { as: 'boolean' }],
  ['string', { as: 'text' }],
]);

/** Throws `unsupported` for types that no column can become. */
export function storageOf({ name, type }: Pick<TensorSpec, 'name' | 'type'>): Storage {
  const storage = storageByType.get(heldAs(type));
  if (storage === undefined)
    throw new AppError(
      'unsupported',
      `The input ${name} takes tensors of ${type}, which cannot be fed from a file.`,
    );
  return storage;
}

/** From here on a number becomes an infinite float: halfway from the greatest one to where the next would be. */
const infiniteFloat = 2 ** 128 - 2 ** 103;

/** As good as never; so this is a loop for itself, which is fast. */
function reaches(values: Float64Array, bound: number): boolean {
  for (let at = 0; at < values.length; at += 1) if (Math.abs(values[at] ?? 0) >= bound) return true;
  return false;
}

/** Rejects rows whose value the type cannot hold; there is no missing value but a float's. */
export function checkFits(
  data: Feature,
  type: string,
  to: { readonly marks: Marks; readonly column: string },
): Feature {
  const { marks, column } = to;
  const storage = storageOf({ name: column, type });
  if (data.kind === 'integer' || data.kind === 'boolean') {
    const { missing } = data;
    if (missing !== undefined)
      for (let at = 0; at < marks.rows; at += 1)
        if (missing[at] === 1) marks.reject(at, column, 'missing');
  } else if (data.kind === 'number') {
    const { values } = data;
    if (storage.range !== undefined) {
      const [min, max] = storage.range;
      for (let at = 0; at < marks.rows; at += 1) {
        const value = values[at] ?? Number.NaN;
        if (Number.isInteger(value) && value >= min && value <= max) continue;
        const code = Number.isInteger(value) ? 'range' : 'integer';
        marks.reject(at, column, Number.isNaN(value) ? 'missing' : code);
      }
    } else {
      if (storage.isFloat === true && data.fitsFloat === true) return data;
      const infinite = storage.isFloat === true ? infiniteFloat : Number.POSITIVE_INFINITY;
      if (reaches(values, infinite))
        for (let at = 0; at < marks.rows; at += 1)
          if (Math.abs(values[at] ?? 0) >= infinite) marks.reject(at, column, 'range');
    }
  } else if (type === 'uint64' && data.kind === 'text') {
    for (let at = 0; at < marks.rows; at += 1) {
      if (marks.isBad(at)) continue;
      const cell = unsignedAt(data.values, at);
      if (cell === 'missing') marks.reject(at, column, 'missing');
      else if ('code' in cell) marks.reject(at, column, cell.code);
    }
  }
  return data;
}

/** Rows `kept` of the features into one tensor. A fixed batch is filled up with its last row, whose extra results are dropped. */
export function tensorOf(
  input: {
    readonly spec: TensorSpec;
    readonly rest: readonly number[];
    readonly slots: readonly Slot[];
  },
  features: readonly (Feature | undefined)[],
  rows: {
    readonly kept: Uint32Array;
    readonly padded: number;
    /** Arrays of the tensors before, by the name of the input: megabytes for each batch would keep the garbage collector busy. */
    readonly spare: Map<string, TensorArray>;
  },
): TensorData {
  const { spec, rest, slots } = input;
  const [first] = slots.map(({ id }) => features[id]);
  const type = heldAs(spec.type);
  if (first?.kind === 'tensor') return { ...takeRows(first, rows), type };
  const width = slots.length;
  const dims = spec.shape.length === 0 ? [] : [rows.padded, ...rest];
  const before = rows.spare.get(spec.name);
  const data =
    before?.length === rows.padded * width ? before : newArray(type, rows.padded * width);
  if (data === undefined) {
    const texts = Array.from({ length: rows.padded * width }, () => '');
    for (const [place, { id }] of slots.entries())
      fillTexts(texts, features[id], { ...rows, width, place });
    return { type, dims, data: texts };
  }
  rows.spare.set(spec.name, data);
  const count = rows.kept.length;
  for (let from = 0; from < count; from += rowsAtOnce) {
    const to = Math.min(count, from + rowsAtOnce);
    for (const [place, { id }] of slots.entries())
      fill(data, features[id], { kept: rows.kept, from, to, width, place });
  }
  for (let row = count; row < rows.padded; row += 1)
    data.copyWithin(row * width, (count - 1) * width, count * width);
  return { type, dims, data };
}

/** So few that their part of the tensor stays in the fastest cache while column after column is put into it. */
const rowsAtOnce = 128;

/** Of the rows that are kept `from` to `to`, into one column of a tensor. */
interface Place {
  readonly kept: Uint32Array;
  readonly from: number;
  readonly to: number;
  readonly width: number;
  readonly place: number;
}

function fill(data: TensorArray, feature: Feature | undefined, part: Place): void {
  if (feature?.kind === 'text') fillUnsigned(data as BigUint64Array, feature.values, part);
  else if (feature?.kind === 'integer') fillIntegers(data as BigInt64Array, feature.values, part);
  else if (feature?.kind === 'number' || feature?.kind === 'boolean') {
    // One loop per kind of array: a loop that sees them all is several times slower.
    if (data instanceof Float32Array) fillFloats(data, feature.values, part);
    else fillNumbers(data as Float64Array, feature.values, part);
  }
}

function fillUnsigned(
  data: BigUint64Array,
  values: readonly (string | null)[],
  { kept, from, to, width, place }: Place,
): void {
  for (let row = from, at = from * width + place; row < to; row += 1, at += width) {
    const cell = unsignedAt(values, kept[row] ?? 0);
    data[at] = typeof cell === 'object' && 'value' in cell ? cell.value : 0n;
  }
}

function fillIntegers(
  data: BigInt64Array,
  values: BigInt64Array,
  { kept, from, to, width, place }: Place,
): void {
  for (let row = from, at = from * width + place; row < to; row += 1, at += width)
    data[at] = values[kept[row] ?? 0] ?? 0n;
}

function fillFloats(
  data: Float32Array,
  values: Float64Array | Uint8Array,
  { kept, from, to, width, place }: Place,
): void {
  let at = from * width + place;
  if (kept[to - 1] === to - 1) {
    for (let row = from; row < to; row += 1, at += width) data[at] = values[row] ?? 0;
    return;
  }
  for (let row = from; row < to; row += 1, at += width) data[at] = values[kept[row] ?? 0] ?? 0;
}

function fillNumbers(
  data: Exclude<TensorArray, BigInt64Array | BigUint64Array>,
  values: Float64Array | Uint8Array,
  { kept, from, to, width, place }: Place,
): void {
  for (let row = from, at = from * width + place; row < to; row += 1, at += width)
    data[at] = values[kept[row] ?? 0] ?? 0;
}

function fillTexts(
  data: string[],
  feature: Feature | undefined,
  to: Pick<Place, 'kept' | 'width' | 'place'> & { readonly padded: number },
): void {
  if (feature?.kind !== 'text') return;
  for (let row = 0; row < to.padded; row += 1)
    data[row * to.width + to.place] =
      feature.values[to.kept[Math.min(row, to.kept.length - 1)] ?? 0] ?? '';
}

function takeRows(
  { rest, values }: Extract<Feature, { kind: 'tensor' }>,
  { kept, padded }: { readonly kept: Uint32Array; readonly padded: number },
): Pick<TensorData, 'dims' | 'data'> {
  const width = rest.reduce((product, size) => product * size, 1);
  const dims = [padded, ...rest];
  if (kept.length === padded && values.length === padded * width) return { dims, data: values };
  const data = new (values.constructor as new (length: number) => TensorArray)(padded * width);
  for (let row = 0; row < padded; row += 1) {
    const from = (kept[Math.min(row, kept.length - 1)] ?? 0) * width;
    // A typed array takes its own kind only, which the compiler cannot see here.
    data.set(values.subarray(from, from + width) as never, row * width);
  }
  return { dims, data };
}

function unsignedAt(
  values: readonly (string | null)[],
  at: number,
): ReturnType<typeof textToUnsigned> {
  return textToUnsigned(values[at] ?? '');
}
