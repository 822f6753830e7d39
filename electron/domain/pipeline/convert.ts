/** One kind of column from another, a column at a time. What cannot be had rejects its row. */
import { AppError } from '#shared/errors.ts';
import type { ColumnData } from '#domain/tables/index.ts';
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

const numberText = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const integerText = /^([+-]?\d{1,25})(\.0*)?$/;
const missingTexts: ReadonlySet<string> = new Set(['', 'na', 'n/a', 'nan', 'null', 'none']);
const booleanTexts: ReadonlyMap<string, number> = new Map([
  ...['true', 't', 'yes', 'y', '1'].map((text) => [text, 1] as const),
  ...['false', 'f', 'no', 'n', '0'].map((text) => [text, 0] as const),
]);

type Maker = (data: Plain, marks: Marks, column: string) => ColumnData;

const makers = new Map<ColumnKind, Maker>([
  ['number', toNumbers],
  ['integer', toIntegers],
  ['boolean', toBooleans],
  ['text', toTexts],
]);

const isMissing = (text: string | null): text is null =>
  text === null || missingTexts.has(text.trim().toLowerCase());

function toNumbers(data: Plain, marks: Marks, column: string): Data<'number'> {
  const values = new Float64Array(marks.rows);
  for (let at = 0; at < marks.rows; at += 1) {
    if (data.kind === 'text') {
      const raw = data.values[at] ?? null;
      const text = isMissing(raw) ? undefined : raw.trim();
      const value = text === undefined || !numberText.test(text) ? Number.NaN : Number(text);
      values[at] = value;
      if (text === undefined || Number.isFinite(value)) continue;
      marks.reject(at, column, Number.isNaN(value) ? 'number' : 'range');
    } else if (data.kind === 'number') values[at] = data.values[at] ?? Number.NaN;
    else values[at] = data.missing?.[at] === 1 ? Number.NaN : Number(data.values[at]);
  }
  return { kind: 'number', values };
}

function toIntegers(data: Plain, marks: Marks, column: string): Data<'integer'> {
  const values = new BigInt64Array(marks.rows);
  const missing = new Uint8Array(marks.rows);
  for (let at = 0; at < marks.rows; at += 1) {
    if (marks.isBad(at)) continue;
    if (data.kind === 'text') {
      const raw = data.values[at] ?? null;
      if (isMissing(raw)) {
        missing[at] = 1;
        continue;
      }
      const digits = integerText.exec(raw.trim())?.[1];
      if (digits === undefined) marks.reject(at, column, 'integer');
      else setInteger(values, at, BigInt(digits.replace('+', '')), { marks, column });
    } else if (data.kind === 'number') {
      const value = data.values[at] ?? Number.NaN;
      if (Number.isNaN(value)) missing[at] = 1;
      else if (!Number.isInteger(value)) marks.reject(at, column, 'integer');
      else setInteger(values, at, BigInt(value), { marks, column });
    } else {
      values[at] = BigInt(data.values[at] ?? 0);
      missing[at] = data.missing?.[at] ?? 0;
    }
  }
  return { kind: 'integer', values, missing };
}

function setInteger(
  values: BigInt64Array,
  at: number,
  value: bigint,
  to: { readonly marks: Marks; readonly column: string },
): void {
  if (BigInt.asIntN(64, value) === value) values[at] = value;
  else to.marks.reject(at, to.column, 'range');
}

function toBooleans(data: Plain, marks: Marks, column: string): Data<'boolean'> {
  const values = new Uint8Array(marks.rows);
  const missing = new Uint8Array(marks.rows);
  for (let at = 0; at < marks.rows; at += 1) {
    if (marks.isBad(at)) continue;
    let value: number | undefined;
    if (data.kind === 'text') {
      const raw = data.values[at] ?? null;
      if (isMissing(raw)) missing[at] = 1;
      else value = booleanTexts.get(raw.trim().toLowerCase());
    } else {
      const number = Number(data.values[at]);
      if (Number.isNaN(number) || (data.kind !== 'number' && data.missing?.[at] === 1))
        missing[at] = 1;
      else value = number === 0 || number === 1 ? number : undefined;
    }
    if (missing[at] === 1) continue;
    if (value === undefined) marks.reject(at, column, 'boolean');
    else values[at] = value;
  }
  return { kind: 'boolean', values, missing };
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
