/** The last bytes of a stream, where a ZIP archive has its directory: such a file is an archive to some and a model to others. */

/** End of central directory (APPNOTE.TXT §4.3.16): 22 bytes and a comment of up to 64 KiB. */
const mark = Buffer.from('PK\u0005\u0006', 'latin1');
const directoryEnd = 22;
const size = directoryEnd + 0xffff;

export function createTail(): { write(chunk: Uint8Array): void; isArchive(): boolean } {
  const room = Buffer.alloc(4 * size);
  let used = 0;
  return {
    write(chunk) {
      const part = chunk.subarray(Math.max(0, chunk.length - size));
      if (used + part.length > room.length) {
        room.copyWithin(0, used - size, used);
        used = size;
      }
      room.set(part, used);
      used += part.length;
    },
    isArchive() {
      const bytes = room.subarray(Math.max(0, used - size), used);
      for (
        let at = bytes.lastIndexOf(mark);
        at >= 0;
        at = at === 0 ? -1 : bytes.lastIndexOf(mark, at - 1)
      )
        if (
          at + directoryEnd <= bytes.length &&
          at + directoryEnd + bytes.readUInt16LE(at + 20) === bytes.length
        )
          return true;
      return false;
    },
  };
}
