/**
 * LZ4 frames (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md, version 1.6.4): what pandas and others write Arrow files with.
 * Checksums are passed over: a file is named by its SHA-256, and what does not decode throws.
 */
const frameMagic = 0x184d2204;
const uncompressedMark = 0x80000000;
const leastMatch = 4;

/** Throws a `RangeError` for what is damaged, or larger than `maxBytes`. */
export function decodeLz4Frame(frame: Uint8Array, maxBytes: number): Uint8Array {
  const input = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  const flags = input.readUInt8(4);
  if (input.readUInt32LE(0) !== frameMagic || flags >> 6 !== 1)
    throw new RangeError('No LZ4 frame.');
  const has = (bit: number): boolean => (flags & bit) !== 0;
  const declared = has(0x08) ? Number(input.readBigUInt64LE(6)) : undefined;
  let at = 6 + (has(0x08) ? 8 : 0) + (has(0x01) ? 4 : 0) + 1;
  const output = createOutput(declared ?? 4 * input.length, maxBytes);
  for (;;) {
    const header = input.readUInt32LE(at);
    at += 4;
    if (header === 0) break;
    const length = header % uncompressedMark;
    if (at + length > input.length) throw new RangeError('An LZ4 block is cut off.');
    const block = input.subarray(at, at + length);
    if (header >= uncompressedMark) output.append(block, 0, length);
    else decodeBlock(block, output);
    at += length + (has(0x10) ? 4 : 0);
  }
  const bytes = output.bytes();
  if (declared !== undefined && declared !== bytes.length)
    throw new RangeError('An LZ4 frame is not as long as it says.');
  return bytes;
}

interface Output {
  append(from: Uint8Array, start: number, length: number): void;
  /** Again what stands `distance` before the end; it may overlap with what it makes. */
  repeat(distance: number, length: number): void;
  bytes(): Uint8Array;
}

function createOutput(expected: number, maxBytes: number): Output {
  let buffer = new Uint8Array(Math.min(expected, maxBytes));
  let size = 0;
  const reserve = (more: number): void => {
    const needed = size + more;
    if (needed > maxBytes) throw new RangeError('LZ4 data is larger than it may be.');
    if (needed <= buffer.length) return;
    const grown = new Uint8Array(Math.min(maxBytes, Math.max(needed, 2 * buffer.length)));
    grown.set(buffer.subarray(0, size));
    buffer = grown;
  };
  return {
    append(from, start, length) {
      reserve(length);
      buffer.set(from.subarray(start, start + length), size);
      size += length;
    },
    repeat(distance, length) {
      if (distance === 0 || distance > size)
        throw new RangeError('LZ4 data points before its start.');
      reserve(length);
      const end = size + length;
      if (distance >= length) buffer.copyWithin(size, size - distance, end - distance);
      else for (let to = size; to < end; to += 1) buffer[to] = buffer[to - distance] ?? 0;
      size = end;
    },
    bytes: () => buffer.subarray(0, size),
  };
}

function decodeBlock(block: Uint8Array, output: Output): void {
  let at = 0;
  const next = (): number => {
    const byte = block[at];
    if (byte === undefined) throw new RangeError('An LZ4 block is cut off.');
    at += 1;
    return byte;
  };
  const lengthOf = (nibble: number): number => {
    let length = nibble;
    if (nibble < 15) return length;
    for (let byte = 255; byte === 255; length += byte) byte = next();
    return length;
  };
  while (at < block.length) {
    const token = next();
    const literals = lengthOf(token >> 4);
    if (at + literals > block.length) throw new RangeError('An LZ4 block is cut off.');
    output.append(block, at, literals);
    at += literals;
    if (at === block.length) return; // the last sequence has no match
    const distance = next() | (next() << 8);
    output.repeat(distance, lengthOf(token & 15) + leastMatch);
  }
}
