/**
 * Tensor data in JSON: flat in row-major order, or nested as the shape says. Whole numbers of 64 bits keep all their digits in both
 * directions. JSON has no NaN and no infinity (RFC 8259): they are refused in a request and in a reply, where binary data
 * carries them. FP16 and BF16 are taken and given as numbers, which Triton refuses.
 */
import { AppError } from '#shared/errors.ts';
import type { TensorData } from '#domain/onnx/index.ts';
import { allocate, carriedBy, type Datatype, type ServedTensor } from './datatypes.ts';

/** Throws `invalid-input` for what is not JSON. Whole numbers beyond 2^53 come as `bigint`. */
export function parseJson(text: string): unknown {
  try {
    // Looking at the digits of every number takes twenty times as long, and few requests need it.
    return longWholeNumber.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
  } catch (cause) {
    throw new AppError(
      'invalid-input',
      /\b(NaN|Infinity)\b/.test(text)
        ? 'The request is not JSON: NaN and Infinity are no JSON numbers. Send such a tensor as binary data.'
        : 'The request is not JSON.',
      { cause },
    );
  }
}

/** Sixteen digits or more that are no part of a fraction. */
const longWholeNumber = /(?<![\d.])\d{16,}(?![\d.eE])/;

function keepDigits(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== 'number' || source === undefined || Number.isSafeInteger(value))
    return value;
  return /^-?\d+$/.test(source) ? BigInt(source) : value;
}

interface JsonTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data?: unknown;
}

/**
 * Elements of a tensor from `data` of a request. Throws `invalid-input`, naming the tensor. `null` is a missing value where
 * `takesMissing`: NaN among floats, the empty text among texts.
 */
export function jsonToData(
  { name, datatype, data: given, shape: dims }: JsonTensor,
  takesMissing: boolean,
): TensorData['data'] {
  const bad = (why: string): AppError => new AppError('invalid-input', `Input ${name}: ${why}`);
  if (!Array.isArray(given)) throw bad('data must be an array.');
  const count = dims.reduce((product, dim) => product * dim, 1);
  const values = Array.isArray(given[0]) ? flattened(given, dims) : (given as unknown[]);
  if (values?.length !== count)
    throw bad(`data does not have the shape [${dims.join(', ')}], flat or nested.`);
  const wrong = (): AppError => bad(`data holds something that is no ${datatype}.`);
  if (datatype === 'BYTES') {
    const texts = takesMissing ? values.map((value) => value ?? '') : values;
    if (!texts.every((value) => typeof value === 'string' && value.isWellFormed())) throw wrong();
    return texts as string[];
  }
  const { range } = carriedBy[datatype];
  const data = allocate(datatype, count);
  if (datatype === 'BOOL') {
    for (const [at, value] of values.entries()) {
      if (typeof value !== 'boolean') throw wrong();
      data[at] = value ? 1 : 0;
    }
  } else if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    for (const [at, value] of values.entries()) {
      const whole =
        typeof value === 'bigint'
          ? value
          : Number.isSafeInteger(value)
            ? BigInt(value as number)
            : undefined;
      if (whole === undefined || range === undefined || whole < range[0] || whole > range[1])
        throw wrong();
      data[at] = whole;
    }
  } else {
    const [least, most] = range === undefined ? [-Infinity, Infinity] : range.map(Number);
    for (const [at, value] of values.entries()) {
      if (value === null && takesMissing && range === undefined) {
        data[at] = Number.NaN;
        continue;
      }
      const number = typeof value === 'bigint' && range === undefined ? Number(value) : value;
      if (typeof number !== 'number' || number < (least ?? 0) || number > (most ?? 0))
        throw wrong();
      if (range !== undefined && !Number.isInteger(number)) throw wrong();
      data[at] = number;
      // A number that the type cannot hold became an infinity.
      if (range === undefined && !Number.isFinite(data[at])) throw wrong();
    }
  }
  return data;
}

/** Undefined when the nesting is not that of the shape. */
function flattened(given: readonly unknown[], dims: readonly number[]): unknown[] | undefined {
  let level: readonly unknown[] = given;
  for (const [depth, dim] of dims.entries()) {
    if (depth === 0) {
      if (level.length !== dim) return undefined;
      continue;
    }
    if (!level.every((row) => Array.isArray(row) && row.length === dim)) return undefined;
    level = (level as readonly unknown[][]).flat(1);
  }
  return [...level];
}

/** `data` of a reply, as JSON text. Throws `invalid-input` for a number that JSON cannot carry. */
export function dataToJson(name: string, { datatype, data }: ServedTensor): string {
  if (datatype === 'BYTES') return JSON.stringify(data);
  if (datatype === 'BOOL')
    return `[${Array.from(data as Uint8Array, (value) => value !== 0).join()}]`;
  if (data instanceof Float32Array || data instanceof Float64Array) {
    if (!data.every(Number.isFinite))
      throw new AppError(
        'invalid-input',
        `Output ${name} holds NaN or an infinity, which JSON cannot carry. Ask for it with "binary_data": true.`,
      );
  }
  return `[${(data as Float32Array).join()}]`;
}
