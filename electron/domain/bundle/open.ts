/**
 * Opens what a medium holds: a folder, a .zip, a .tar, a .tar.gz or a bare .onnx, as one stream of files. Every file is read
 * once, in order, and nothing is ever unpacked to disk. Names are checked before a byte of content is given out:
 * no way out of the bundle, no links, no special files, no two names that fold to one. Throws `corrupt` for a damaged
 * container; a breach of a rule is a `GateBreach`, so that the caller can show it as a finding.
 */
import { createReadStream } from 'node:fs';
import { constants, lstat, open, opendir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { crc32, createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import yauzl from 'yauzl';
import { AppError } from '#shared/errors.ts';
import { gateLimits } from './limits.ts';
import type { RuleId } from './rules.ts';

export type ContainerFormat = 'directory' | 'zip' | 'tar' | 'tar.gz' | 'onnx';

export interface BundleFile {
  /** Relative, `/` between the parts. */
  readonly path: string;
  readonly content: AsyncIterable<Uint8Array>;
}

export interface OpenBundle {
  readonly format: ContainerFormat;
  /** Name of the folder or file, without its extension. */
  readonly name: string;
  /** Bytes on the medium, for progress; undefined for folders. */
  readonly mediumBytes: number | undefined;
  files(): AsyncGenerator<BundleFile, void, undefined>;
}

export class GateBreach extends Error {
  readonly ruleId: RuleId;
  readonly path: string;
  constructor(ruleId: RuleId, path: string, message: string) {
    super(message);
    this.ruleId = ruleId;
    this.path = path;
  }
}

export async function openBundle(path: string): Promise<OpenBundle> {
  const facts = await stat(path);
  const name = basename(path).replace(/\.(zip|tar|tar\.gz|tgz|onnx)$/i, '');
  if (facts.isDirectory())
    return {
      format: 'directory',
      name,
      mediumBytes: undefined,
      files: () => counted(directoryFiles(path)),
    };
  if (!facts.isFile()) throw new AppError('invalid-input', 'This is neither a file nor a folder.');
  const mediumBytes = facts.size;
  const format = await detectFormat(path);
  const files = { zip: zipFiles, tar: tarFiles, 'tar.gz': tarGzFiles, onnx: bareFile }[format];
  return { format, name, mediumBytes, files: () => counted(files(path, mediumBytes)) };
}

/** By content, because names lie. */
async function detectFormat(path: string): Promise<Exclude<ContainerFormat, 'directory'>> {
  await using file = await open(path, 'r');
  const head = Buffer.alloc(512);
  const { bytesRead } = await file.read(head, 0, head.length, 0);
  if (head.readUInt32BE(0) === 0x504b0304 || head.readUInt32BE(0) === 0x504b0506) return 'zip';
  if (head.readUInt16BE(0) === 0x1f8b) return 'tar.gz';
  if (bytesRead === 512 && head.toString('latin1', 257, 262) === 'ustar') return 'tar';
  // A damaged archive must not be taken for a model with a strange name.
  if (/\.(zip|tar|tar\.gz|tgz)$/i.test(path)) throw damaged(basename(path));
  return 'onnx';
}

/** Bounds and names that all containers share. */
async function* counted(
  files: AsyncGenerator<BundleFile, void, undefined>,
): AsyncGenerator<BundleFile, void, undefined> {
  const names = createNames();
  let entries = 0;
  let total = 0;
  for await (const { path, content } of files) {
    checkPath(path);
    if (!names.claim(path))
      throw new GateBreach('SR-PATH-003', path, 'The bundle has this name twice.');
    entries += 1;
    if (entries > gateLimits.entries)
      throw new GateBreach(
        'SR-LIMIT-001',
        path,
        `The bundle has more than ${gateLimits.entries} files.`,
      );
    yield {
      path,
      content: (async function* () {
        for await (const chunk of content) {
          total += chunk.length;
          if (total > gateLimits.totalBytes)
            throw new GateBreach(
              'SR-LIMIT-001',
              path,
              `The bundle is larger than ${gateLimits.totalBytes} bytes.`,
            );
          yield chunk;
        }
      })(),
    };
  }
}

/** Names as the strictest file system would see them: case, Unicode form, and files against folders. */
function createNames(): { claim(path: string): boolean } {
  const files = new Set<string>();
  const folders = new Set<string>();
  return {
    claim(path) {
      // Upper case first, so that ß and SS, σ and ς meet.
      const folded = path.normalize('NFC').toUpperCase().toLowerCase();
      const parts = folded.split('/');
      const above = parts.slice(1).map((_, at) => parts.slice(0, at + 1).join('/'));
      if (files.has(folded) || folders.has(folded) || above.some((folder) => files.has(folder)))
        return false;
      files.add(folded);
      for (const folder of above) folders.add(folder);
      return true;
    },
  };
}

function checkPath(path: string): void {
  const parts = path.split('/');
  const escapes =
    path.startsWith('/') ||
    /^[A-Za-z]:/.test(path) ||
    path.includes('\\') ||
    path.includes('\uFFFD') ||
    parts.some((part) => part === '..' || part === '.' || part === '');
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (escapes || /[\u0000-\u001f\u007f]/.test(path))
    throw new GateBreach(
      'SR-PATH-001',
      printable(path),
      'The name of an entry leads out of the bundle, or hides what it is.',
    );
  if (
    path.length > gateLimits.pathLength ||
    parts.length > gateLimits.pathDepth ||
    parts.some((part) => Buffer.byteLength(part) > 255)
  ) {
    throw new GateBreach(
      'SR-LIMIT-001',
      printable(path).slice(0, 200),
      'The name of an entry is too long or too deep.',
    );
  }
}

async function* directoryFiles(root: string): AsyncGenerator<BundleFile, void, undefined> {
  const pending = [''];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    const names: string[] = [];
    for await (const { name } of await opendir(join(root, folder), {
      encoding: 'buffer' as 'utf8',
    }))
      names.push(utf8Name(name as unknown as Buffer));
    for (const name of names.sort()) {
      const path = folder === '' ? name : `${folder}/${name}`;
      checkPath(path);
      // Where the system cannot refuse to follow a link, it is looked for.
      const followed = (constants.O_NOFOLLOW as number | undefined) === undefined;
      if (followed && (await lstat(join(root, path))).isSymbolicLink())
        throw new GateBreach('SR-PATH-002', path, 'The entry is a link or a special file.');
      // O_NOFOLLOW and fstat on the open file: what was checked is what is read.
      const file = await open(
        join(root, path),
        constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
      ).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ELOOP' || error.code === 'ENXIO')
          throw new GateBreach('SR-PATH-002', path, 'The entry is a link or a special file.');
        throw error;
      });
      try {
        const facts = await file.stat();
        if (facts.isDirectory()) pending.push(path);
        else if (facts.isFile())
          yield {
            path,
            content: file.createReadStream({ highWaterMark: 1024 * 1024, autoClose: false }),
          };
        else throw new GateBreach('SR-PATH-002', path, 'The entry is a special file.');
      } finally {
        await file.close();
      }
    }
  }
}

async function* bareFile(path: string): AsyncGenerator<BundleFile, void, undefined> {
  yield { path: basename(path), content: createReadStream(path, { highWaterMark: 1024 * 1024 }) };
}

async function* zipFiles(
  path: string,
  mediumBytes: number,
): AsyncGenerator<BundleFile, void, undefined> {
  const zip = await yauzl
    .openPromise(path, { validateEntrySizes: true, strictFileNames: true, autoClose: false })
    .catch((cause: unknown) => {
      throw damaged(basename(path), cause);
    });
  try {
    let packed = 0;
    let unpacked = 0;
    if (zip.entryCount > 2 * gateLimits.entries)
      throw new GateBreach(
        'SR-LIMIT-001',
        basename(path),
        `The archive has ${zip.entryCount} entries.`,
      );
    for await (const entry of zip.eachEntry()) {
      const name = entry.fileName;
      const mode = (entry.externalFileAttributes >>> 16) & 0o170000;
      packed += entry.compressedSize;
      // Entries that share their bytes are how small archives unpack to terabytes.
      if (packed > mediumBytes)
        throw new GateBreach('SR-LIMIT-001', printable(name), 'Entries of the archive overlap.');
      if (entry.isEncrypted())
        throw new GateBreach('SR-BUNDLE-005', printable(name), 'The entry is encrypted.');
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
      const content = await zip.openReadStreamPromise(entry);
      yield { path: name, content: guarded(checked(content, entry.crc32), path) };
    }
  } catch (error) {
    if (error instanceof GateBreach || error instanceof AppError) throw error;
    const message = error instanceof Error ? error.message : '';
    if (/^(absolute path|invalid relative path|invalid characters in fileName)/.test(message)) {
      throw new GateBreach(
        'SR-PATH-001',
        basename(path),
        'The name of an entry leads out of the bundle.',
      );
    }
    throw damaged(basename(path), error);
  } finally {
    zip.close();
  }
}

async function* tarFiles(path: string): AsyncGenerator<BundleFile, void, undefined> {
  yield* untar(createReadStream(path, { highWaterMark: 1024 * 1024 }), path);
}

async function* tarGzFiles(path: string): AsyncGenerator<BundleFile, void, undefined> {
  let packed = 0;
  let unpacked = 0;
  const gunzip = createGunzip();
  const source = createReadStream(path, { highWaterMark: 256 * 1024 });
  source.on('data', (chunk) => (packed += chunk.length));
  source.on('error', (error) => gunzip.destroy(error));
  source.pipe(gunzip);
  async function* bounded(): AsyncGenerator<Uint8Array> {
    for await (const chunk of guarded(gunzip, path)) {
      unpacked += chunk.length;
      if (unpacked > gateLimits.ratioFreeBytes && unpacked > packed * gateLimits.ratio) {
        throw new GateBreach(
          'SR-LIMIT-001',
          basename(path),
          `The archive unpacks to more than ${gateLimits.ratio} times its size.`,
        );
      }
      yield chunk;
    }
  }
  try {
    yield* untar(Readable.from(bounded(), { objectMode: false }), path);
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

async function* untar(source: Readable, path: string): AsyncGenerator<BundleFile, void, undefined> {
  const tar = extract();
  let folders = 0;
  source.on('error', (error) => tar.destroy(error));
  source.pipe(tar);
  try {
    for await (const entry of tar) {
      const { name, type } = entry.header;
      if (type === 'directory') {
        folders += 1;
        if (folders > gateLimits.entries)
          throw new GateBreach('SR-LIMIT-001', basename(path), 'The archive has too many folders.');
        checkPath(name.replace(/\/+$/, '').replace(/^\.\//, '') || 'x');
        entry.resume();
      } else if (type === 'file' || type === 'contiguous-file') {
        yield {
          path: name.replace(/^\.\//, ''),
          content: guarded(entry as AsyncIterable<Uint8Array>, path),
        };
      } else {
        throw new GateBreach(
          'SR-PATH-002',
          printable(name),
          'The entry is a link or a special file.',
        );
      }
    }
  } catch (error) {
    if (error instanceof GateBreach || error instanceof AppError) throw error;
    throw damaged(basename(path), error);
  } finally {
    source.destroy();
    tar.destroy();
  }
}

/** The checksum of a zip entry, which the library leaves to its caller. */
async function* checked(
  content: AsyncIterable<Uint8Array>,
  expected: number,
): AsyncGenerator<Uint8Array> {
  let sum = 0;
  for await (const chunk of content) {
    sum = crc32(chunk, sum);
    yield chunk;
  }
  if (sum !== expected) throw new Error('The checksum of an entry does not fit.');
}

/** Content errors of an archive mean that the archive is damaged. */
async function* guarded(
  content: AsyncIterable<Uint8Array>,
  path: string,
): AsyncGenerator<Uint8Array> {
  try {
    yield* content;
  } catch (error) {
    if (error instanceof GateBreach || error instanceof AppError) throw error;
    throw damaged(basename(path), error);
  }
}

function utf8Name(name: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(name);
  } catch {
    throw new GateBreach(
      'SR-PATH-001',
      printable(name.toString('latin1')),
      'The name of a file is not valid UTF-8.',
    );
  }
}

/** For messages: control characters must not reach a terminal. */
function printable(text: string): string {
  return text.replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '?');
}

function damaged(name: string, cause?: unknown): AppError {
  return new AppError(
    'corrupt',
    `The archive ${printable(name)} is damaged or was cut off. Nothing was stored; copy it again from its source.`,
    { cause },
  );
}
