/**
 * Opens what a medium holds, as one stream of files: a folder, an archive, an OCI image layout with a model, an archive in
 * parts, or a bare `.onnx`. The kind is told by content, because names lie. Names and bounds are checked here, for all of
 * them, before a byte of content is given out.
 */
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { gateLimits } from '../limits.ts';
import { observed } from '#platform/content.ts';
import { GateBreach } from './breach.ts';
import { openBytes, type ByteSource } from './byte-source.ts';
import { compressionOf, decompressed } from './compression.ts';
import { damageOf, guarded, type Declared, type Files } from './container.ts';
import { directoryFiles } from './directory.ts';
import { checkPath, createNames, printable } from './names.ts';
import { ociFiles } from './oci.ts';
import { directoryBlobs, packedTarBlobs, plainTarBlobs } from './oci-blobs.ts';
import { checkParts, findParts, type Parts } from './parts.ts';
import { indexTar } from './tar-index.ts';
import { indexedTarFiles, tarFiles } from './tar.ts';
import { refuseUnread } from './unread.ts';
import { zipFiles } from './zip.ts';

export type ContainerFormat = 'directory' | 'zip' | 'tar' | 'tar.gz' | 'tar.zst' | 'onnx';

export interface OpenBundle {
  readonly format: ContainerFormat;
  /** Name of the folder or file, without its extension. */
  readonly name: string;
  /** The files on the medium that it is packed in; none for a folder. */
  readonly mediumPaths: readonly string[];
  /** Signatures come first, but for the order of a compressed tar. */
  files(): Files;
  /** Known when `files` has ended. */
  declared(): Declared;
}

/** Endings of archives and bare models, with or without the number of a part. */
export const archiveEnding = /\.(zip|tar|tar\.gz|tgz|tar\.zst|tzst)$/i;

export async function openBundle(path: string): Promise<OpenBundle> {
  let declared: Declared = { facts: [] };
  const declare = (said: Declared): void => {
    declared = { ...said, facts: [...declared.facts, ...said.facts] };
  };
  if ((await stat(path)).isDirectory())
    return {
      format: 'directory',
      name: basename(path),
      mediumPaths: [],
      files: () => bounded(folder(path, declare)),
      declared: () => declared,
    };
  const parts = await findParts(path);
  const file = parts?.base ?? basename(path);
  const paths = parts?.paths ?? [path];
  let format: Exclude<ContainerFormat, 'directory'>;
  {
    await using source = await openBytes(paths);
    format = await detectFormat(source, file);
  }
  if (parts !== undefined)
    declare({ facts: [{ name: 'Parts', value: String(parts.paths.length) }] });
  return {
    format,
    name: file.replace(archiveEnding, '').replace(/\.onnx$/i, ''),
    mediumPaths: paths,
    files: () => bounded(archive({ paths, parts, format, file, declare })),
    declared: () => declared,
  };
}

type Declare = (said: Declared) => void;

async function* folder(path: string, declare: Declare): Files {
  const blobs = await directoryBlobs(path);
  yield* blobs === undefined ? directoryFiles(path) : ociFiles(blobs, declare);
}

async function* archive(from: {
  readonly paths: readonly string[];
  readonly parts: Parts | undefined;
  readonly format: Exclude<ContainerFormat, 'directory'>;
  readonly file: string;
  readonly declare: Declare;
}): Files {
  if (from.parts !== undefined) await checkParts(from.parts);
  await using source = await openBytes(from.paths);
  switch (from.format) {
    case 'onnx':
      yield { path: from.file, content: guarded(source.stream(), source.name) };
      return;
    case 'zip':
      yield* zipFiles(source);
      return;
    case 'tar': {
      const entries = await indexTar(source).catch((error: unknown) => {
        throw damageOf(error, source.name);
      });
      const blobs = entries === undefined ? undefined : plainTarBlobs(source, entries);
      if (blobs !== undefined) yield* ociFiles(blobs, from.declare);
      else if (entries !== undefined) yield* indexedTarFiles(source, entries);
      else yield* tarFiles(source.stream(), source.name);
      return;
    }
    case 'tar.gz':
    case 'tar.zst': {
      const compression = from.format === 'tar.gz' ? 'gzip' : 'zstd';
      const read = (): AsyncIterable<Uint8Array> =>
        decompressed(source.stream(), compression, source.name);
      const blobs = await packedTarBlobs(read, source.name);
      if (blobs === undefined) yield* tarFiles(read(), source.name);
      else yield* ociFiles(blobs, from.declare);
    }
  }
}

async function detectFormat(
  source: ByteSource,
  file: string,
): Promise<Exclude<ContainerFormat, 'directory'>> {
  const head = Buffer.alloc(512);
  const bytesRead = (await source.read(0, head.length)).copy(head);
  if (head.readUInt32BE(0) === 0x504b0304 || head.readUInt32BE(0) === 0x504b0506) return 'zip';
  const compression = compressionOf(head);
  if (compression !== undefined) return compression === 'gzip' ? 'tar.gz' : 'tar.zst';
  if (bytesRead === 512 && head.toString('latin1', 257, 262) === 'ustar') return 'tar';
  await refuseUnread(source, head.subarray(0, bytesRead), file);
  // A damaged archive must not be taken for a model with a strange name.
  if (archiveEnding.test(file))
    throw new GateBreach(
      'SR-BUNDLE-006',
      printable(file),
      'It does not begin as the archive that its name says.',
    );
  return 'onnx';
}

/** Bounds and names that all containers share. */
async function* bounded(files: Files): Files {
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
      content: observed(content, (chunk) => {
        total += chunk.length;
        if (total > gateLimits.totalBytes)
          throw new GateBreach(
            'SR-LIMIT-001',
            path,
            `The bundle is larger than ${gateLimits.totalBytes} bytes.`,
          );
      }),
    };
  }
}
