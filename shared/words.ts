/** How sizes and digests read, in the window and in the terminal. */

/** Of 1000 each, as drives count them: `82 KB`, with a space that does not break. */
export function bytes(count: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)}\u00a0${units[unit] ?? ''}`;
}

/** `sha256:1a2b…9f0e`. */
export function shortDigest(digest: string): string {
  const hex = digest.replace(/^sha256:/, '');
  return `sha256:${hex.slice(0, 4)}…${hex.slice(-4)}`;
}
