/**
 * What the text of a cell means: the rules, for cells that the reader of bytes does not take at full speed, and for texts of
 * other formats. Values never enter a message.
 */
import type { RejectCode } from '../table.ts';

/** Those of pandas (`na_values` of `read_csv`), in capitals or not. `#NUM!` and its like are errors of a spreadsheet, and no numbers. */
const missingTexts: ReadonlySet<string> = new Set(
  ',na,n/a,nan,-nan,null,none,<na>,#n/a,#n/a n/a,#na,1.#ind,-1.#ind,1.#qnan,-1.#qnan'.split(','),
);
const numberText = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const commaNumberText = /^[+-]?(\d+,?\d*|,\d+)([eE][+-]?\d+)?$/;
const integerText = /^([+-]?)(\d+)(?:[.,](\d*))?(?:[eE]([+-]?\d{1,4}))?$/;
const booleans: ReadonlyMap<string, boolean> = new Map([
  ...['true', 't', 'yes', 'y', '1'].map((text) => [text, true] as const),
  ...['false', 'f', 'no', 'n', '0'].map((text) => [text, false] as const),
]);
const signed64 = { least: -(2n ** 63n), greatest: 2n ** 63n - 1n };
const unsigned64 = { least: 0n, greatest: 2n ** 64n - 1n };

export type Cell<T> = { readonly value: T } | { readonly code: RejectCode } | 'missing';

/** A finite number. Thousands are never guessed at: with a decimal comma a point is an error, and the other way round. */
export function textToNumber(raw: string, decimal: '.' | ',' = '.'): Cell<number> {
  const text = raw.trim();
  if (missingTexts.has(text.toLowerCase())) return 'missing';
  if (!(decimal === '.' ? numberText : commaNumberText).test(text)) return { code: 'number' };
  const value = Number(decimal === '.' ? text : text.replace(',', '.'));
  return Number.isFinite(value) ? { value } : { code: 'range' };
}

/** 64 bits with a sign; `3.0` and `1.5e3` are whole numbers too. */
export function textToInteger(raw: string, decimal: '.' | ',' = '.'): Cell<bigint> {
  return wholeNumber(raw, decimal, signed64);
}

/** 64 bits without a sign, written in the same ways. */
export function textToUnsigned(raw: string): Cell<bigint> {
  return wholeNumber(raw, '.', unsigned64);
}

function wholeNumber(
  raw: string,
  decimal: '.' | ',',
  { least, greatest }: typeof signed64,
): Cell<bigint> {
  const text = raw.trim();
  if (missingTexts.has(text.toLowerCase())) return 'missing';
  const [, sign, whole = '', fraction = '', power = '0'] = integerText.exec(text) ?? [];
  if (sign === undefined || text.length > 50 || text.includes(decimal === '.' ? ',' : '.'))
    return { code: 'integer' };
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  // Behind so many digits the point stands; what is behind it has to be zeros.
  const point = digits.length - fraction.length + Number(power);
  if (/[^0]/.test(digits.slice(Math.max(0, point)))) return { code: 'integer' };
  if (digits !== '' && point > 20) return { code: 'range' };
  const size = BigInt(digits.slice(0, Math.max(0, point)).padEnd(Math.max(0, point), '0'));
  const value = sign === '-' ? -size : size;
  return value < least || value > greatest ? { code: 'range' } : { value };
}

export function textToBoolean(raw: string): Cell<boolean> {
  const text = raw.trim().toLowerCase();
  if (missingTexts.has(text)) return 'missing';
  const value = booleans.get(text);
  return value === undefined ? { code: 'boolean' } : { value };
}
