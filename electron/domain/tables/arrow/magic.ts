/** What files and streams of Arrow begin with. Apart from the rest, because it is asked where no Arrow is loaded. */
const magic = 'ARROW1';
export const continuation = 0xffffffff;
export const maxMetadataBytes = 64 * 2 ** 20;

export function isArrowFile(first: Uint8Array): boolean {
  return Buffer.from(first.subarray(0, magic.length)).toString('latin1') === magic;
}

/** A stream begins with a schema message: a continuation mark and a length. */
export function isArrowStream(first: Uint8Array): boolean {
  if (first.length < 8) return false;
  const view = new DataView(first.buffer, first.byteOffset, first.byteLength);
  return view.getUint32(0, true) === continuation && view.getUint32(4, true) < maxMetadataBytes;
}
