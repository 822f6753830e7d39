/** Points in time of formats that have a type for them, as ISO 8601 writes them. */

const nanosPerSecond = 1_000_000_000n;

/**
 * `2031-05-01T08:00:00`, with a fraction of 3, 6 or 9 digits only where it is not zero. `instant`: it is a moment in UTC and ends in Z,
 * else a time by a clock of which nobody says where it hangs. Years beyond four digits are written as ISO wants them, with a sign.
 */
export function momentToIso(nanos: bigint, instant: boolean): string | null {
  const rest = ((nanos % nanosPerSecond) + nanosPerSecond) % nanosPerSecond;
  const date = new Date(Number((nanos - rest) / 1_000_000n));
  if (Number.isNaN(date.getTime())) return null; // beyond the year 275760, where no calendar of ours goes
  return `${date.toISOString().slice(0, -5)}${fractionOf(rest)}${instant ? 'Z' : ''}`;
}

/** Days since 1970-01-01. */
export function dayToIso(days: number): string | null {
  const date = new Date(days * 86_400_000);
  return Number.isNaN(date.getTime()) ? null : date.toISOString().slice(0, -14);
}

/** Nanoseconds since midnight: `08:00:00`. */
export function timeToIso(nanos: bigint): string {
  return momentToIso(nanos, false)?.slice(11) ?? '';
}

function fractionOf(nanos: bigint): string {
  if (nanos === 0n) return '';
  const digits = String(nanos)
    .padStart(9, '0')
    .replace(/(000){1,2}$/, '');
  return `.${digits}`;
}
