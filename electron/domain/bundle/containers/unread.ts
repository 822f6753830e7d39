/** Archives and images that the gate does not read, told by their bytes: nobody shall look for the fault in the model. */
import { GateBreach } from './breach.ts';
import type { ByteSource } from './byte-source.ts';
import { printable } from './names.ts';

/** No model begins so: as protobuf these are tags that ModelProto does not have. */
const beginnings: readonly (readonly [kind: string, hex: string])[] = [
  ['a 7-Zip archive', '377abcaf271c'],
  ['a RAR archive', '526172211a07'],
  ['compressed with xz', 'fd377a585a00'],
  ['compressed with LZ4', '04224d18'],
  ['a zip in several volumes', '504b0708'],
];
/** `BZh`, a digit, then the digits of pi. */
const bzip2 = /^425a683[1-9]314159265359/;
/** ECMA-119: the first volume descriptor, after 16 sectors of 2048 bytes. */
const isoMark = { offset: 16 * 2048 + 1, text: 'CD001' };

/** A breach for what it knows. */
export async function refuseUnread(source: ByteSource, head: Buffer, file: string): Promise<void> {
  const hex = head.toString('hex', 0, 16);
  const kind =
    beginnings.find(([, start]) => hex.startsWith(start))?.[0] ??
    (bzip2.test(hex)
      ? 'compressed with bzip2'
      : (await isImage(source, file))
        ? 'an ISO image'
        : undefined);
  if (kind !== undefined) throw new GateBreach('SR-BUNDLE-007', printable(file), `It is ${kind}.`);
}

async function isImage(source: ByteSource, file: string): Promise<boolean> {
  if (/\.onnx$/i.test(file)) return false;
  const { offset, text } = isoMark;
  return (await source.read(offset, text.length)).toString('latin1') === text;
}
