/** A `.zip`, read by its central directory. */
import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import yauzl from 'yauzl';
import { gateLimits } from '../limits.ts';
import { GateBreach } from './breach.ts';
import type { ByteSource } from './byte-source.ts';
import { damageOf, damaged, guarded, signaturesFirst, type Files } from './container.ts';
import { plainPath, printable } from './names.ts';

export async function* zipFiles(source: ByteSource): Files {
  const zip = await yauzl
    .fromRandomAccessReaderPromise(new SourceReader(source), source.sizeBytes, {
      validateEntrySizes: true,
      strictFileNames: true,
      autoClose: false,
    })
    .catch((cause: unknown) => {
      throw damaged(source.name, cause);
    });
  try {
    let packed = 0;
    let unpacked = 0;
    const entries: yauzl.Entry[] = [];
    const start = placeOf(zip);
    if (zip.entryCount > 2 * gateLimits.entries)
      throw new GateBreach(
        'SR-LIMIT-001',
        source.name,
        `The archive has ${zip.entryCount} entries.`,
      );
    for await (const entry of zip.eachEntry()) {
      const name = entry.fileName;
      const mode = (entry.externalFileAttributes >>> 16) & 0o170000;
      packed += entry.compressedSize;
      // Entries that share their bytes are how small archives unpack to terabytes.
      if (packed > source.sizeBytes)
        throw new GateBreach('SR-LIMIT-001', printable(name), 'Entries of the archive overlap.');
      if (entry.isEncrypted())
        throw new GateBreach('SR-BUNDLE-005', printable(name), 'The entry is encrypted.');
      if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8)
        throw new GateBreach(
          'SR-BUNDLE-007',
          printable(name),
          `The entry is compressed by the method ${entry.compressionMethod}.`,
        );
      if (mode !== 0 && mode !== 0o100000 && mode !== 0o040000)
        throw new GateBreach(
          'SR-PATH-002',
          printable(name),
          'The entry is a link or a special file.',
        );
      entries.push(entry);
      if (name.endsWith('/')) continue;
      unpacked += entry.uncompressedSize;
      if (unpacked > gateLimits.ratioFreeBytes && unpacked > packed * gateLimits.ratio) {
        throw new GateBreach(
          'SR-LIMIT-001',
          printable(name),
          `The archive unpacks to more than ${gateLimits.ratio} times its size.`,
        );
      }
    }
    // After the directory come its end record of 22 bytes with the comment, and before that those of Zip64.
    const tail = source.sizeBytes - placeOf(zip) - 22 - zip.comment.length;
    if (tail !== 0 && tail !== 76) throw contradiction(source.name, stray);
    await checkLayout(zip, entries, { end: start, name: source.name });
    const files = entries
      .filter(({ fileName }) => !fileName.endsWith('/'))
      .map((entry) => ({ entry, path: plainPath(entry.fileName) }));
    for (const { entry, path } of files.toSorted((a, b) => signaturesFirst(a.path, b.path)))
      yield { path, content: guarded(contentOf(zip, entry), source.name) };
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    if (/^(absolute path|invalid relative path|invalid characters in fileName)/.test(message)) {
      throw new GateBreach(
        'SR-PATH-001',
        source.name,
        'The name of an entry leads out of the bundle.',
      );
    }
    throw damageOf(error, source.name);
  } finally {
    zip.close();
  }
}

/**
 * Every entry has a header of its own before its bytes, and some readers go by those. So they must say what the directory says, and
 * there must be nothing between the entries that the directory does not know.
 */
async function checkLayout(
  zip: yauzl.ZipFile,
  entries: readonly yauzl.Entry[],
  { end, name }: { readonly end: number; readonly name: string },
): Promise<void> {
  const inOrder = entries.toSorted(
    (a, b) => a.relativeOffsetOfLocalHeader - b.relativeOffsetOfLocalHeader,
  );
  let at: readonly number[] = [0];
  for (const entry of inOrder) {
    const own = await zip.readLocalFileHeaderPromise(entry);
    const isStreamed = (own.generalPurposeBitFlag & 8) !== 0;
    const isEncrypted = (own.generalPurposeBitFlag & 1) !== 0;
    // Sizes that follow the bytes are zero before them; those of Zip64 are all ones.
    const isSame = (said: number, known: number): boolean =>
      said === known || said === 0xffffffff || (isStreamed && said === 0);
    if (
      !own.fileName.equals(entry.fileNameRaw) ||
      own.compressionMethod !== entry.compressionMethod ||
      isEncrypted !== entry.isEncrypted() ||
      !(own.crc32 === entry.crc32 || (isStreamed && own.crc32 === 0)) ||
      !isSame(own.compressedSize, entry.compressedSize) ||
      !isSame(own.uncompressedSize, entry.uncompressedSize)
    )
      throw contradiction(name, 'The header of an entry and the directory contradict each other.');
    if (!at.includes(entry.relativeOffsetOfLocalHeader)) throw contradiction(name, stray);
    const after = own.fileDataStart + entry.compressedSize;
    // A descriptor: checksum and two sizes of 4 or 8 bytes, with or without a mark.
    at = isStreamed ? [12, 16, 20, 24].map((length) => after + length) : [after];
  }
  if (!at.includes(end)) throw contradiction(name, stray);
}

/** Where in the directory the library stands. */
function placeOf(zip: yauzl.ZipFile): number {
  return (zip as unknown as { readonly readEntryCursor: number }).readEntryCursor;
}

const stray = 'There are bytes in it that belong to no entry.';

function contradiction(name: string, message: string): GateBreach {
  return new GateBreach('SR-BUNDLE-006', printable(name), message);
}

class SourceReader extends yauzl.RandomAccessReader {
  readonly #source: ByteSource;
  constructor(source: ByteSource) {
    super();
    this.#source = source;
  }
  override _readStreamForRange(start: number, end: number): Readable {
    return this.#source.stream({ start, end });
  }
}

/** Checks the sum of an entry, which the library leaves to its caller. */
async function* contentOf(zip: yauzl.ZipFile, entry: yauzl.Entry): AsyncGenerator<Uint8Array> {
  const content = await zip.openReadStreamPromise(entry);
  let sum = 0;
  for await (const chunk of content as AsyncIterable<Uint8Array>) {
    sum = crc32(chunk, sum);
    yield chunk;
  }
  if (sum !== entry.crc32) throw new Error('The checksum of an entry does not fit.');
}
