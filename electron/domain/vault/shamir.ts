/**
 * Shamir's secret sharing over GF(256), byte by byte (A. Shamir, "How to share a secret", 1979), in the field of AES: x^8 + x^4 +
 * x^3 + x + 1. Each byte of the secret is the value at 0 of a random polynomial of degree threshold - 1; a share is its value at the
 * share's index. Any `threshold` shares give the secret, fewer say nothing about it.
 *
 * Used once, offline, on a key that is about to be written on paper: the arithmetic makes no claim of constant time.
 */
import { randomBytes } from 'node:crypto';

export interface Point {
  /** 1 to 255; 0 is the secret. */
  readonly index: number;
  readonly bytes: Uint8Array;
}

export function splitSecret(
  secret: Uint8Array,
  { threshold, shares }: { readonly threshold: number; readonly shares: number },
): Point[] {
  // One row of coefficients for each power of x; the first is the secret itself.
  const coefficients = [
    secret,
    ...Array.from({ length: threshold - 1 }, () => new Uint8Array(randomBytes(secret.length))),
  ];
  const points = Array.from({ length: shares }, (_, at) => ({
    index: at + 1,
    bytes: secret.map((_byte, position) =>
      coefficients.reduceRight((sum, row) => multiply(sum, at + 1) ^ (row[position] ?? 0), 0),
    ),
  }));
  for (const row of coefficients.slice(1)) row.fill(0);
  return points;
}

/** The value at `at` of the polynomials through the points (Lagrange). Their indexes must differ. */
export function interpolate(points: readonly Point[], at = 0): Uint8Array {
  const result = new Uint8Array(points[0]?.bytes.length ?? 0);
  for (const { index, bytes } of points) {
    let weight = 1;
    for (const other of points)
      if (other.index !== index)
        weight = multiply(weight, multiply(at ^ other.index, invert(index ^ other.index)));
    for (const [position, byte] of bytes.entries())
      result[position] = (result[position] ?? 0) ^ multiply(weight, byte);
  }
  return result;
}

function multiply(left: number, right: number): number {
  let product = 0;
  for (let bit = 0, shifted = left; bit < 8; bit += 1) {
    if ((right >> bit) & 1) product ^= shifted;
    shifted = (shifted << 1) ^ (shifted & 0x80 ? 0x11b : 0);
  }
  return product;
}

/** a^254: the group has 255 elements. */
function invert(value: number): number {
  let power = value;
  for (let step = 0; step < 6; step += 1) power = multiply(multiply(power, power), value);
  return multiply(power, power);
}
