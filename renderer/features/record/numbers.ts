/** Numbers of predictions, as precise as they are good for. */

/** Four significant digits, whole numbers whole. */
export function exact(value: number): string {
  if (Number.isInteger(value))
    return value.toLocaleString('en', { useGrouping: Math.abs(value) >= 10_000 });
  return String(Number(value.toPrecision(4)));
}

/** With its sign, and as many places as three digits of `largest` have, so that amounts under each other end alike. */
export function signed(value: number, largest: number): string {
  const size = Math.abs(largest);
  const places = size === 0 ? 0 : Math.min(10, Math.max(0, 2 - Math.floor(Math.log10(size))));
  const text = Math.abs(value).toFixed(places);
  return Number(text) === 0 ? '0' : `${value < 0 ? '−' : '+'}${text}`;
}
