/**
 * Decimal digits to the nearest double, as `Number(text)` gives it, without making a text. Up to 15 digits one division of
 * exact doubles is correctly rounded (Clinger, "How to read floating point numbers accurately", 1990). For 16 to 19 the same is done
 * in pairs of doubles (Dekker, "A floating-point technique for extending the available precision", 1971), with a proof on the
 * way: where the rest that is left out could change the rounding, the caller takes the slow way.
 */

/** Exact as doubles. */
export const powersOfTen: Float64Array = Float64Array.from({ length: 23 }, (_, at) =>
  Number(`1e${at}`),
);

const splitter = 2 ** 27 + 1;
/** Well above what the arithmetic in pairs leaves out, well below half a unit of the last place. */
const doubt = 2 ** -98;

/** The error of `product`, which is `a * b` rounded. */
function productError(a: number, b: number, product: number): number {
  const bigA = splitter * a;
  const highA = bigA - (bigA - a);
  const lowA = a - highA;
  const bigB = splitter * b;
  const highB = bigB - (bigB - b);
  const lowB = b - highB;
  return lowA * lowB - (product - highA * highB - lowA * highB - highA * lowB);
}

/**
 * `(high * 10^lowDigits + low) / 10^fraction`, nearest double. `high` below 10^15, `low` below 10^4, `fraction` up to 22. NaN
 * when it cannot be told this way.
 */
export function divideDigits(
  high: number,
  low: number,
  lowDigits: number,
  fraction: number,
): number {
  const scale = powersOfTen[lowDigits] ?? Number.NaN;
  const divisor = powersOfTen[fraction] ?? Number.NaN;
  const product = high * scale;
  const productRest = productError(high, scale, product);
  const whole = product + low;
  // Both are whole numbers below 2^64, so what rounding left out of the sum is a double again.
  const wholeRest = low - (whole - product) + productRest;
  const quotient = whole / divisor;
  const back = quotient * divisor;
  const rest = whole - back - productError(quotient, divisor, back) + wholeRest;
  const correction = rest / divisor;
  const margin = Math.abs(quotient) * doubt;
  const result = quotient + (correction - margin);
  return result === quotient + (correction + margin) ? result : Number.NaN;
}
