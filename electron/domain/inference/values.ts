/** From the text of a field to a value of a tensor, or to the reason why not. Values never enter a message. */
import type { TensorSpec } from '#shared/contract/bundles.ts';
import type { RejectCode } from '#domain/tables/index.ts';

export type Scalar = number | bigint | string | boolean;
export type Parsed =
  { readonly value: Scalar; readonly missing: boolean } | { readonly code: RejectCode };
const numberText = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const integerText = /^([+-]?\d+)(\.0*)?$/;
const missingTexts: ReadonlySet<string> = new Set(['', 'na', 'n/a', 'nan', 'null', 'none']);
const booleans: Readonly<Record<string, boolean>> = {
  true: true,
  t: true,
  yes: true,
  y: true,
  '1': true,
  false: false,
  f: false,
  no: false,
  n: false,
  '0': false,
};

const integerRanges: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int8: [-128n, 127n],
  int16: [-32_768n, 32_767n],
  int32: [-2_147_483_648n, 2_147_483_647n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint8: [0n, 255n],
  uint16: [0n, 65_535n],
  uint32: [0n, 4_294_967_295n],
  uint64: [0n, 2n ** 64n - 1n],
};

/** Missing numbers become NaN, which a model can impute; integers and booleans have no such value. */
export function parseValue(raw: string, type: TensorSpec['type']): Parsed {
  if (type === 'string') return { value: raw, missing: raw === '' };
  const text = raw.trim();
  if (missingTexts.has(text.toLowerCase())) {
    return type === 'float' || type === 'double'
      ? { value: Number.NaN, missing: true }
      : { code: 'missing' };
  }
  if (type === 'bool') {
    const value = booleans[text.toLowerCase()];
    return value === undefined ? { code: 'boolean' } : { value, missing: false };
  }
  const range = integerRanges[type];
  if (range !== undefined) {
    const digits = integerText.exec(text)?.[1];
    if (digits === undefined || digits.length > 25) return { code: 'integer' };
    const value = BigInt(digits.replace('+', ''));
    return value < range[0] || value > range[1] ? { code: 'range' } : { value, missing: false };
  }
  const value = numberText.test(text) ? Number(text) : Number.NaN;
  const stored = type === 'float' ? Math.fround(value) : value;
  if (Number.isFinite(stored)) return { value: stored, missing: false };
  return { code: Number.isNaN(value) ? 'number' : 'range' };
}

/** Shortest text that reads back as the same value of the tensor's type. */
export function valueToText(value: Scalar, type: TensorSpec['type']): string {
  if (typeof value !== 'number') return String(value);
  if (type !== 'float' || !Number.isFinite(value)) return String(value);
  for (let digits = 6; digits <= 9; digits += 1) {
    const text = String(Number(value.toPrecision(digits)));
    if (Math.fround(Number(text)) === value) return text;
  }
  return String(value);
}
