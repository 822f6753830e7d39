/** One kind of column from another, a column at a time. What cannot be had rejects its row. */
import { AppError } from '#shared/errors.ts';
import {
  textToBoolean,
  textToInteger,
  textToNumber,
  type ColumnData,
} from '#domain/tables/index.ts';
import type { ColumnKind, Feature, Marks } from './feature.ts';

type Data<K extends ColumnKind> = Extract<ColumnData, { kind: K }>;

/** `data` itself when it is of that kind. Throws `unsupported` for what has no such form, as a picture has no number. */
export function convert<K extends ColumnKind>(
  data: Feature,
  kind: K,
  to: { readonly marks: Marks; readonly column: string },
): Data<K> {
  if (data.kind === kind) return data as Data<K>;
  const make = makers.get(kind);
  if (data.kind === 'tensor' || data.kind === 'bytes' || make === undefined)
    throw new AppError(
      'unsupported',
      `The column ${to.column} cannot be used as ${kind}: it is ${data.kind}.`,
    );
  return make(data, to.marks, to.column) as Data<K>;
}

type Plain = Exclude<ColumnData, { kind: 'bytes' }>;

type Maker = (data: Plain, marks: Marks, column: string) => ColumnData;

const makers = new Map<ColumnKind, Maker>([
  ['number', toNumbers],
  ['integer', toIntegers],
  ['boolean', toBooleans],
  ['text', toTexts],
]);

function toNumbers(data: Plain, marks: Marks, column: string): Data<'number'> {
  const values = new Float64Array(marks.rows).fill(Number.NaN);
  for (let at = 0; at < marks.rows; at += 1) {
    if (data.kind === 'text') {
      const cell = cellOf(data, at, textToNumber);
      if (cell === 'missing') continue;
      if ('code' in cell) marks.reject(at, column, cell.code);
      else values[at] = cell.value;
    } else if (data.kind === 'number') values[at] = data.values[at] ?? Number.NaN;
    else if (data.missing?.[at] !== 1) values[at] = Number(data.values[at]);
  }
  return { kind: 'number', values };
}

function toIntegers(data: Plain, marks: Marks, column: string): Data<'integer'> {
  const values = new BigInt64Array(marks.rows);
  const missing = new Uint8Array(marks.rows);
  for (let at = 0; at < marks.rows; at += 1) {
    if (data.kind === 'text') {
      const cell = cellOf(data, at, textToInteger);
      if (cell === 'missing') missing[at] = 1;
      else if ('code' in cell) marks.reject(at, column, cell.code);
      else values[at] = cell.value;
    } else if (data.kind === 'number') {
      const value = data.values[at] ?? Number.NaN;
      if (Number.isNaN(value)) missing[at] = 1;
      else if (!Number.isInteger(value)) marks.reject(at, column, 'integer');
      else if (Math.abs(value) >= 2 ** 63) marks.reject(at, column, 'range');
      else values[at] = BigInt(value);
    } else {
      values[at] = BigInt(data.values[at] ?? 0);
      missing[at] = data.missing?.[at] ?? 0;
    }
  }
  return { kind: 'integer', values, missing };
}

function toBooleans(data: Plain, marks: Marks, column: string): Data<'boolean'> {
  const values = new Uint8Array(marks.rows);
  const missing = new Uint8Array(marks.rows);
  for (let at = 0; at < marks.rows; at += 1) {
    const cell = data.kind === 'text' ? cellOf(data, at, textToBoolean) : flagOf(data, at);
    if (cell === 'missing') missing[at] = 1;
    else if ('code' in cell) marks.reject(at, column, cell.code);
    else values[at] = Number(cell.value);
  }
  return { kind: 'boolean', values, missing };
}

function cellOf<T>(
  { values }: Data<'text'>,
  at: number,
  read: (text: string) => 'missing' | T,
): 'missing' | T {
  const text = values[at] ?? null;
  return text === null ? 'missing' : read(text);
}

/** 0 and 1 are no and yes, other numbers are neither. */
function flagOf(data: Exclude<Plain, Data<'text'>>, at: number): ReturnType<typeof textToBoolean> {
  const value = Number(data.values[at]);
  if (Number.isNaN(value) || (data.kind !== 'number' && data.missing?.[at] === 1)) return 'missing';
  return value === 0 || value === 1 ? { value: value === 1 } : { code: 'boolean' };
}

function toTexts(data: Plain, marks: Marks): Data<'text'> {
  const values = Array.from({ length: marks.rows }, (_, at): string | null => {
    const value = data.values[at] ?? null;
    if (data.kind === 'text') return value as string | null;
    if (data.kind === 'number') return Number.isNaN(value) ? null : String(value);
    if (data.missing?.[at] === 1) return null;
    return data.kind === 'boolean' ? String(value === 1) : String(value);
  });
  return { kind: 'text', values };
}
