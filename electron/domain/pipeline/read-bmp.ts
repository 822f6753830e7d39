/**
 * BMP, which the library does not read: uncompressed with a header of Windows (BITMAPINFOHEADER and later), 1, 4 and 8 bits
 * with a palette, 24 and 32 bits. What a fourth byte says is passed over, as most programs do.
 */

export interface Bitmap {
  readonly width: number;
  readonly height: number;
  /** RGB, line by line from the top. */
  readonly pixels: Uint8Array;
}

const headerBytes = 14;
const headerLengths: readonly number[] = [40, 52, 56, 108, 124];
const uncompressed = 0;
const bitFields = 3;
/** Blue, green, red and nothing, as every program writes 32 bits. */
const usualMasks: readonly number[] = [0x00ff0000, 0x0000ff00, 0x000000ff];

export function isBmp(bytes: Uint8Array): boolean {
  return bytes[0] === 0x42 && bytes[1] === 0x4d;
}

/** Undefined for what is none of these forms, is cut off, or has more than `maxPixels`. */
export function readBmp(bytes: Uint8Array, maxPixels: number): Bitmap | undefined {
  if (bytes.length < headerBytes + 40) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pixelsFrom = view.getUint32(10, true);
  const infoLength = view.getUint32(14, true);
  const width = view.getInt32(18, true);
  const lines = view.getInt32(22, true);
  const height = Math.abs(lines);
  const bits = view.getUint16(28, true);
  const compression = view.getUint32(30, true);
  if (!headerLengths.includes(infoLength)) return undefined;
  if (width < 1 || height < 1 || width * height > maxPixels) return undefined;
  if (compression === bitFields) {
    const masksAt = headerBytes + 40;
    if (bits !== 32 || bytes.length < masksAt + 12) return undefined;
    if (usualMasks.some((mask, at) => view.getUint32(masksAt + 4 * at, true) !== mask))
      return undefined;
  } else if (compression !== uncompressed) return undefined;
  if (![1, 4, 8, 24, 32].includes(bits)) return undefined;
  const lineBytes = 4 * Math.ceil((width * bits) / 32);
  if (pixelsFrom + lineBytes * height > bytes.length) return undefined;
  const palette = headerBytes + infoLength;
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y += 1) {
    // They begin at the bottom unless the height is negative.
    const line = pixelsFrom + lineBytes * (lines > 0 ? height - 1 - y : y);
    for (let x = 0; x < width; x += 1) {
      const from =
        bits > 8 ? line + (x * bits) / 8 : palette + 4 * indexAt(bytes, { line, x, bits });
      if (from + 3 > (bits > 8 ? bytes.length : pixelsFrom)) return undefined;
      const to = 3 * (y * width + x);
      pixels[to] = bytes[from + 2] ?? 0;
      pixels[to + 1] = bytes[from + 1] ?? 0;
      pixels[to + 2] = bytes[from] ?? 0;
    }
  }
  return { width, height, pixels };
}

/** Colours that share a byte stand in it from the left. */
function indexAt(
  bytes: Uint8Array,
  { line, x, bits }: { readonly line: number; readonly x: number; readonly bits: number },
): number {
  const first = x * bits;
  const byte = bytes[line + (first >> 3)] ?? 0;
  return (byte >> (8 - bits - (first & 7))) & ((1 << bits) - 1);
}
