/**
 * Rows of results as separated values: comma, LF, quotes where they are needed. Numbers as the shortest text that reads back as
 * the same value of their type, written digit by digit: making a string of each would take longer than the model.
 */
import { csvField } from '#platform/csv.ts';
import type { ColumnData, NamedColumn } from '../table.ts';
import { powersOfTen } from './numbers.ts';

const bufferBytes = 256 * 1024;
/** More than any number takes. */
const roomBytes = 64;
const comma = 44;
const newline = 10;
const minus = 45;
const point = 46;
const zero = 48;

export interface RowWriter {
  /** `numbers[at]` is the number of the row, `raw[at]` what stands between it and the results. */
  rows(
    numbers: Float64Array,
    raw: readonly (readonly string[])[] | undefined,
    columns: readonly NamedColumn[],
  ): void;
  line(fields: readonly string[]): void;
  flush(): void;
}

/** What is given to `sink` is good only until it returns. */
export function createRowWriter(sink: (bytes: Uint8Array) => void): RowWriter {
  const buffer = Buffer.allocUnsafeSlow(bufferBytes);
  let at = 0;

  function flush(): void {
    if (at > 0) sink(buffer.subarray(0, at));
    at = 0;
  }

  function text(value: string): void {
    // A character takes three bytes at most.
    if (at + value.length * 3 > bufferBytes) flush();
    if (value.length * 3 > bufferBytes) sink(Buffer.from(value));
    else at += buffer.write(value, at);
  }

  function cell(data: ColumnData, row: number, float: boolean): void {
    switch (data.kind) {
      case 'number': {
        const value = data.values[row] ?? Number.NaN;
        const end = float ? writeFloat(buffer, at, value) : writeWhole(buffer, at, value);
        if (end > at) at = end;
        else text((float ? floatText : numberText)(value));
        return;
      }
      case 'integer': {
        if (data.missing?.[row] === 1) return;
        const value = data.values[row] ?? 0n;
        const end = writeWhole(buffer, at, Number(value));
        if (end > at) at = end;
        else text(String(value));
        return;
      }
      case 'boolean':
        if (data.missing?.[row] !== 1) text(data.values[row] === 1 ? 'true' : 'false');
        return;
      case 'text':
        text(csvField(data.values[row] ?? ''));
        return;
      case 'bytes':
        return;
    }
  }

  return {
    rows(numbers, raw, columns) {
      for (let row = 0; row < numbers.length; row += 1) {
        if (at + roomBytes > bufferBytes) flush();
        at = writeWhole(buffer, at, numbers[row] ?? 0);
        for (const field of raw?.[row] ?? []) {
          if (at + roomBytes > bufferBytes) flush();
          buffer[at++] = comma;
          text(csvField(field));
        }
        for (const { data, float } of columns) {
          if (at + roomBytes > bufferBytes) flush();
          buffer[at++] = comma;
          cell(data, row, float === true);
        }
        if (at + roomBytes > bufferBytes) flush();
        buffer[at++] = newline;
      }
    },
    line(fields) {
      text(`${fields.map(csvField).join(',')}\n`);
    },
    flush,
  };
}

/** As `createRowWriter` writes it. */
export function cellText(data: ColumnData, row: number, float: boolean): string {
  switch (data.kind) {
    case 'number':
      return (float ? floatText : numberText)(data.values[row] ?? Number.NaN);
    case 'integer':
      return data.missing?.[row] === 1 ? '' : String(data.values[row] ?? '');
    case 'boolean':
      return data.missing?.[row] === 1 ? '' : data.values[row] === 1 ? 'true' : 'false';
    case 'text':
      return data.values[row] ?? '';
    case 'bytes':
      return '';
  }
}

/** Zero keeps its sign, which `String` leaves out. */
function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** Shortest text of 6 to 9 digits that reads back as the same float. */
function floatText(value: number): string {
  if (!Number.isFinite(value) || value === 0) return numberText(value);
  for (let digits = 6; digits <= 9; digits += 1) {
    const text = String(Number(value.toPrecision(digits)));
    if (Math.fround(Number(text)) === value) return text;
  }
  return String(value);
}

/** Digits of a whole number below 2^53; returns `at` for what is none. Zero keeps its sign. */
function writeWhole(buffer: Uint8Array, at: number, value: number): number {
  if (!Number.isSafeInteger(value)) return at;
  let place = at;
  if (value < 0 || Object.is(value, -0)) buffer[place++] = minus;
  return writeDigits(buffer, place, Math.abs(value));
}

function writeDigits(buffer: Uint8Array, at: number, value: number): number {
  let count = 1;
  while (count < 16 && value >= (powersOfTen[count] ?? 0)) count += 1;
  let rest = value;
  let place = at + count - 1;
  while (rest >= 2 ** 31) {
    const next = Math.floor(rest / 10);
    buffer[place--] = zero + (rest - next * 10);
    rest = next;
  }
  putDigits(buffer, { from: at, behind: place + 1 }, rest | 0);
  return at + count;
}

/** The last digits of a number of 32 bits, as many as there is room for. */
function putDigits(
  buffer: Uint8Array,
  { from, behind }: { readonly from: number; readonly behind: number },
  value: number,
): void {
  let rest = value | 0;
  for (let place = behind - 1; place >= from; place -= 1) {
    const next = (rest / 10) | 0;
    buffer[place] = zero + (rest - Math.imul(next, 10));
    rest = next;
  }
}

/**
 * A float that is written without an exponent; returns `at` for others. For 6 to 9 digits, the value is scaled to a whole number
 * of so many digits, rounded, and scaled back: when that is the same float, those are its digits. All of it is below 2^31.
 */
function writeFloat(buffer: Uint8Array, at: number, value: number): number {
  const size = Math.abs(value);
  if (!(size >= 1e-5 && size < 1e9)) return value === 0 ? writeWhole(buffer, at, value) : at;
  let whole = 1;
  while (whole < 9 && size >= (powersOfTen[whole] ?? 0)) whole += 1;
  // Digits after the point of a number whose first digit is the one before it, or a zero there.
  let leading = 0;
  while (size * (powersOfTen[leading] ?? 0) < 1 && leading < 5) leading += 1;
  // Of so many digits, how many are behind the point.
  const behind = leading > 0 ? leading - 1 : -whole;
  // Where so many digits are enough, one more is too; most floats take eight.
  let digits = 9;
  let best = -1;
  while (digits > 6) {
    const fewer = floatDigits(size, digits - 1 + behind);
    if (fewer < 0) break;
    best = fewer;
    digits -= 1;
  }
  if (best < 0) best = floatDigits(size, digits + behind);
  if (best < 0) return at;
  let place = at;
  if (value < 0) buffer[place++] = minus;
  return writeFixed(buffer, place, { digits: best, after: Math.max(0, digits + behind) });
}

/** `size` with `after` digits behind its point, as a whole number; -1 when that reads back as another float. */
function floatDigits(size: number, after: number): number {
  if (after < 0) {
    const unscale = powersOfTen[-after] ?? 1;
    const rounded = Math.round(size / unscale) * unscale;
    return Math.fround(rounded) === size ? rounded | 0 : -1;
  }
  const scale = powersOfTen[after] ?? 1;
  const rounded = (size * scale + 0.5) | 0;
  return Math.fround(rounded / scale) === size ? rounded : -1;
}

function writeFixed(
  buffer: Uint8Array,
  at: number,
  number: { readonly digits: number; readonly after: number },
): number {
  let digits = number.digits | 0;
  let after = number.after | 0;
  for (; after > 0; after -= 1) {
    const fewer = (digits / 10) | 0;
    if (Math.imul(fewer, 10) !== digits) break;
    digits = fewer;
  }
  if (after === 0) return writeDigits(buffer, at, digits);
  const whole = (digits / (powersOfTen[after] ?? 1)) | 0;
  const place = writeDigits(buffer, at, whole);
  buffer[place] = point;
  putDigits(buffer, { from: place + 1, behind: place + 1 + after }, digits);
  return place + 1 + after;
}
