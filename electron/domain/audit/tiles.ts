/** Where things stand in a static log (C2SP tlog-tiles): `tile/<level>/<n>[.p/<width>]`, entries in `tile/entries/`. */

export const tileWidth = 256;

export interface Tile {
  readonly level: number | 'entries';
  readonly index: number;
  /** Hashes or entries in the tile: 256, or fewer in a partial one. */
  readonly width: number;
}

/** Index in groups of three digits, all but the last marked: 1234067 is `x001/x234/067`. */
export function tilePath({ level, index, width }: Tile): string {
  const digits = String(index).padStart(Math.ceil(String(index).length / 3) * 3, '0');
  const groups = digits.match(/.{3}/g) ?? [];
  const path = groups
    .map((group, at) => (at === groups.length - 1 ? group : `x${group}`))
    .join('/');
  return `tile/${level}/${path}${width === tileWidth ? '' : `.p/${width}`}`;
}

/** Every tile of a log of `size` entries, entry tiles first. */
export function tilesOf(size: number): Tile[] {
  const tiles: Tile[] = [];
  const row = (level: Tile['level'], count: number): void => {
    for (let index = 0; index * tileWidth < count; index += 1) {
      tiles.push({ level, index, width: Math.min(tileWidth, count - index * tileWidth) });
    }
  };
  row('entries', size);
  for (let level = 0, count = size; count > 0; level += 1, count = Math.floor(count / tileWidth))
    row(level, count);
  return tiles;
}

/** An entry bundle: each entry as big-endian uint16 length and bytes. */
export function entriesToBundle(entries: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(
    entries.flatMap((entry) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(entry.length);
      return [length, entry];
    }),
  );
}

/** Undefined when the lengths do not add up. */
export function parseBundle(bytes: Uint8Array): Uint8Array[] | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: Uint8Array[] = [];
  for (let offset = 0; offset < buffer.length;) {
    if (offset + 2 > buffer.length) return undefined;
    const end = offset + 2 + buffer.readUInt16BE(offset);
    if (end > buffer.length) return undefined;
    entries.push(buffer.subarray(offset + 2, end));
    offset = end;
  }
  return entries;
}
