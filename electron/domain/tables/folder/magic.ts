/** The first bytes, in hex, of the formats of images: of those that can be decoded here, and of some whose rows are rejected with a reason. */
const magics: readonly RegExp[] = [
  /^ffd8ff/, // JPEG
  /^89504e470d0a1a0a/, // PNG
  /^47494638(37|39)61/, // GIF
  /^52494646.{8}57454250/, // WebP
  /^(49492a00|4d4d002a)/, // TIFF
  /^424d.{24}(0c|28|40|6c|7c)000000/, // BMP: the size of its second header
  /^.{8}66747970(61766966|68656963|68656978|6d696631)/, // AVIF, HEIC
];

export function isImage(first: Uint8Array): boolean {
  const hex = Buffer.from(first.subarray(0, 32)).toString('hex');
  return magics.some((magic) => magic.test(hex));
}
