/** A `.zip`, read by its central directory. */
import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import yauzl from 'yauzl';
import { gateLimits } from '../limits.ts';
import { GateBreach } from './breach.ts';
import type { ByteSource } from './byte-source.ts';
import { damageOf, damaged, guarded, signaturesFirst, type Files } from './container.ts';
import { printable } from './names.ts';

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
    const files: yauzl.Entry[] = [];
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
      if (name.endsWith('/')) continue;
      unpacked += entry.uncompressedSize;
      if (unpacked > gateLimits.ratioFreeBytes && unpacked > packed * gateLimits.ratio) {
        throw new GateBreach(
          'SR-LIMIT-001',
          printable(name),
          `The archive unpacks to more than ${gateLimits.ratio} times its size.`,
        );
      }
      files.push(entry);
    }
    for (const entry of files.toSorted((a, b) => signaturesFirst(a.fileName, b.fileName)))
      yield { path: entry.fileName, content: guarded(contentOf(zip, entry), source.name) };
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
