/**
 * Where an OCI image layout keeps its files: a folder, a tar, or a compressed tar. A tar may hold them in any order, so a
 * plain one is indexed by its headers first and then read by offset; a compressed one is read twice, once for the small
 * files and once for the layers.
 */
import { lstat, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { gateLimits } from '../limits.ts';
import { GateBreach } from './breach.ts';
import type { ByteSource } from './byte-source.ts';
import { openWithoutLinks } from './directory.ts';
import type { TarEntry } from './tar-index.ts';
import { tarFiles, type FolderCount } from './tar.ts';

export interface Blob {
  readonly path: string;
  readonly content: AsyncIterable<Uint8Array>;
}

export interface Blobs {
  /** A small file whole; undefined if it is not there. A breach if it is larger than a manifest may be. */
  small(path: string): Promise<Uint8Array | undefined>;
  /** Every path as often as it is listed, in whatever order suits the medium; what is not there is left out. */
  each(paths: readonly string[]): AsyncGenerator<Blob, void, undefined>;
}

/** Undefined for a folder that is no layout. */
export async function directoryBlobs(root: string): Promise<Blobs | undefined> {
  const isFile = (path: string): Promise<boolean> =>
    stat(join(root, path)).then(
      (facts) => facts.isFile(),
      () => false,
    );
  if (!(await isFile('oci-layout')) || !(await isFile('index.json'))) return undefined;
  async function* read(path: string): AsyncGenerator<Uint8Array, void, undefined> {
    for (const folder of foldersAbove(path))
      if ((await lstat(join(root, folder))).isSymbolicLink())
        throw new GateBreach('SR-PATH-002', folder, 'The entry is a link or a special file.');
    const file = await openWithoutLinks(root, path);
    try {
      if (!(await file.stat()).isFile())
        throw new GateBreach('SR-PATH-002', path, 'The entry is a link or a special file.');
      yield* file.createReadStream({ highWaterMark: 1024 * 1024, autoClose: false });
    } finally {
      await file.close();
    }
  }
  const isThere = (path: string): Promise<boolean> =>
    lstat(join(root, path)).then(
      () => true,
      () => false,
    );
  return {
    small: async (path) => ((await isThere(path)) ? whole(read(path), path) : undefined),
    async *each(paths) {
      for (const path of paths) if (await isThere(path)) yield { path, content: read(path) };
    },
  };
}

/** Undefined for a tar that is no layout. */
export function plainTarBlobs(source: ByteSource, entries: readonly TarEntry[]): Blobs | undefined {
  const look = createLook();
  const rangeByPath = new Map<string, { readonly start: number; readonly end: number }>();
  for (const entry of entries) {
    const path = look.at(entry.path, entry.isFolder);
    if (path === undefined) return undefined;
    if (entry.isFolder) continue;
    if (rangeByPath.has(path)) throw twice(path);
    rangeByPath.set(path, { start: entry.start, end: entry.start + entry.sizeBytes });
  }
  if (!look.isLayout()) return undefined;
  const read = (path: string): AsyncIterable<Uint8Array> | undefined => {
    const range = rangeByPath.get(path);
    return range === undefined ? undefined : source.stream(range);
  };
  return {
    small: async (path) => {
      const content = read(path);
      return content === undefined ? undefined : whole(content, path);
    },
    async *each(paths) {
      for (const path of paths) {
        const content = read(path);
        if (content !== undefined) yield { path, content };
      }
    },
  };
}

/** The same for a compressed tar; `open` starts it again from its beginning. */
export async function packedTarBlobs(
  open: () => AsyncIterable<Uint8Array>,
  name: string,
): Promise<Blobs | undefined> {
  const look = createLook();
  const count: FolderCount = { folders: 0 };
  const smallByPath = new Map<string, Uint8Array | 'large'>();
  let kept = 0;
  for await (const file of tarFiles(open(), name, count)) {
    const path = look.at(file.path, false);
    if (path === undefined) return undefined;
    if (smallByPath.has(path)) throw twice(path);
    if (smallByPath.size > 4 * gateLimits.entries)
      throw new GateBreach('SR-LIMIT-001', name, 'The archive has too many files.');
    const content = await upTo(file.content, gateLimits.manifestBytes);
    // A manifest is a JSON object; what is not can wait for the second reading.
    const isJson =
      content !== undefined &&
      /^\s*\{/.test(Buffer.from(content.subarray(0, 64)).toString('latin1'));
    smallByPath.set(path, isJson ? content : 'large');
    if (isJson) kept += content.length;
    if (kept > 16 * gateLimits.manifestBytes)
      throw new GateBreach('SR-LIMIT-001', name, 'The manifests of the archive are too large.');
  }
  if (!look.isLayout()) return undefined;
  return {
    async small(path) {
      const content = smallByPath.get(path);
      if (content === 'large') throw tooLarge(path);
      return content;
    },
    async *each(paths) {
      const waiting = new Map<string, number>();
      for (const path of paths)
        if (smallByPath.has(path)) waiting.set(path, (waiting.get(path) ?? 0) + 1);
      // One reading serves every path once; files that are the same are one blob, and need more readings.
      for (let reading = 0; waiting.size > 0; reading += 1) {
        if (reading >= gateLimits.readings)
          throw new GateBreach('SR-LIMIT-001', name, 'A layer is used too often.');
        const again = createLook();
        for await (const file of tarFiles(open(), name)) {
          const path = again.at(file.path, false) ?? '';
          const left = waiting.get(path);
          if (left === undefined) continue;
          if (left === 1) waiting.delete(path);
          else waiting.set(path, left - 1);
          yield { path, content: file.content };
          if (waiting.size === 0) break;
        }
      }
    },
  };
}

/**
 * Tells a layout from a bundle as early as can be: at the root of a layout there is nothing but these names. All of it may be
 * in one folder.
 */
function createLook(): {
  /** Path in the layout, or undefined as soon as it cannot be one. */
  at(path: string, isFolder: boolean): string | undefined;
  isLayout(): boolean;
} {
  const known = new Set(['oci-layout', 'index.json', 'blobs', 'manifest.json', 'repositories']);
  const seen = new Set<string>();
  let prefix: string | undefined;
  return {
    at(path, isFolder) {
      const plain = path.replace(/^(\.\/)+/, '').replace(/\/+$/, '');
      const first = plain.split('/')[0] ?? '';
      if (plain === '' || plain === '.') return '';
      if (prefix === undefined)
        prefix = known.has(first) || (!isFolder && first === plain) ? '' : `${first}/`;
      if (`${plain}/` === prefix) return '';
      if (!plain.startsWith(prefix)) return undefined;
      const inside = plain.slice(prefix.length);
      if (!seen.has('oci-layout') && !known.has(inside.split('/')[0] ?? '')) return undefined;
      seen.add(inside);
      return inside;
    },
    isLayout: () => seen.has('oci-layout') && seen.has('index.json'),
  };
}

async function whole(content: AsyncIterable<Uint8Array>, path: string): Promise<Uint8Array> {
  const bytes = await upTo(content, gateLimits.manifestBytes);
  if (bytes === undefined) throw tooLarge(path);
  return bytes;
}

/** Undefined for what is larger, which is read to its end and not kept. */
async function upTo(
  content: AsyncIterable<Uint8Array>,
  limit: number,
): Promise<Uint8Array | undefined> {
  let parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of content) {
    size += chunk.length;
    if (size <= limit) parts.push(Uint8Array.from(chunk));
    else parts = [];
  }
  return size <= limit ? Buffer.concat(parts) : undefined;
}

function foldersAbove(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, at) => parts.slice(0, at + 1).join('/'));
}

function tooLarge(path: string): GateBreach {
  return new GateBreach(
    'SR-LIMIT-001',
    path,
    `A manifest may have at most ${gateLimits.manifestBytes} bytes.`,
  );
}

function twice(path: string): GateBreach {
  return new GateBreach('SR-PATH-003', path, 'The bundle has this name twice.');
}
