/**
 * An OCI image layout (image-spec 1.1) with one model in it: a CNCF ModelPack artifact (model-spec v1) or a KitOps ModelKit.
 * `index.json` names a manifest, the manifest a config and layers. Every one of them must have the size and the digest that
 * its descriptor says: `SR-OCI-001` if not. The files of the model are those of the layers: a raw layer is the file that its
 * annotation `org.cncf.model.filepath` names, a tar layer is what it holds, under the names in it. The config is no file.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { gateLimits } from '../limits.ts';
import { GateBreach } from './breach.ts';
import { decompressed, type Compression } from './compression.ts';
import { signaturesFirst, type Declared, type Files } from './container.ts';
import { printable } from './names.ts';
import type { Blobs } from './oci-blobs.ts';
import {
  declaredByConfig,
  formOf,
  kindOf,
  parseIndex,
  parseManifest,
  refName,
  type Descriptor,
  type Manifest,
  type ModelKind,
} from './oci-manifest.ts';
import { tarFiles, type FolderCount } from './tar.ts';

export async function* ociFiles(blobs: Blobs, declare: (said: Declared) => void): Files {
  const { manifest, kind } = await findModel(blobs);
  const { config } = manifest;
  const layers = manifest.layers.toSorted((a, b) =>
    signaturesFirst(namedPath(a) ?? '', namedPath(b) ?? ''),
  );
  const said = declaredByConfig(kind, await readChecked(blobs, config));
  declare(said);
  if (layers.length > gateLimits.entries)
    throw new GateBreach('SR-LIMIT-001', '', `The model has ${layers.length} layers.`);
  const total = layers.reduce((sum, { size }) => sum + size, 0);
  if (total > gateLimits.totalBytes)
    throw new GateBreach('SR-LIMIT-001', '', `The layers have ${total} bytes.`);

  const waiting = new Map<string, Descriptor[]>();
  for (const layer of layers) {
    const path = blobPath(layer);
    waiting.set(path, [...(waiting.get(path) ?? []), layer]);
  }
  const count: FolderCount = { folders: 0 };
  for await (const { path, content } of blobs.each(layers.map(blobPath))) {
    const layer = waiting.get(path)?.shift();
    if (layer !== undefined) yield* layerFiles(layer, content, count);
  }
  const missing = [...waiting.values()].flat()[0];
  if (missing !== undefined) throw notThere(missing);
}

/** The one model that the index leads to, directly or over other indexes. */
async function findModel(
  blobs: Blobs,
): Promise<{ readonly manifest: Manifest; readonly kind: ModelKind }> {
  const index = await blobs.small('index.json');
  if (index === undefined)
    throw new GateBreach('SR-OCI-002', 'index.json', 'The image layout does not have it.');
  const found: { manifest: Manifest; kind: ModelKind; name: string }[] = [];
  const seen = new Set<string>();
  let left = gateLimits.manifests;

  async function follow(json: Uint8Array, at: string, depth: number): Promise<void> {
    if (depth > gateLimits.manifestDepth)
      throw new GateBreach('SR-OCI-003', at, 'Indexes are nested too deep.');
    for (const descriptor of parseIndex(json, at)) {
      if (seen.has(descriptor.digest)) continue;
      seen.add(descriptor.digest);
      left -= 1;
      if (left < 0) throw new GateBreach('SR-LIMIT-001', at, 'There are too many manifests.');
      const form = formOf(descriptor);
      if (form === undefined) continue;
      const content = await readChecked(blobs, descriptor);
      if (form === 'index') await follow(content, blobPath(descriptor), depth + 1);
      else {
        const manifest = parseManifest(content, blobPath(descriptor));
        const kind = kindOf(manifest);
        if (kind !== undefined)
          found.push({ manifest, kind, name: refName(descriptor) ?? descriptor.digest });
      }
    }
  }

  await follow(index, 'index.json', 1);
  const [model, second] = found;
  if (model === undefined)
    throw new GateBreach(
      'SR-OCI-003',
      'index.json',
      'The image layout has neither a ModelPack model nor a ModelKit in it.',
    );
  if (second !== undefined)
    throw new GateBreach(
      'SR-OCI-004',
      'index.json',
      `There are ${found.length} models: ${found
        .slice(0, 5)
        .map(({ name }) => printable(name).slice(0, 80))
        .join(', ')}.`,
    );
  return model;
}

async function* layerFiles(
  layer: Descriptor,
  content: AsyncIterable<Uint8Array>,
  count: FolderCount,
): Files {
  const path = blobPath(layer);
  const packing = /\.(raw|tar|tar\+gzip|tar\+zstd)$/.exec(layer.mediaType)?.[1];
  if (packing === undefined)
    throw new GateBreach(
      'SR-OCI-003',
      path,
      `A layer is of the type ${printable(layer.mediaType).slice(0, 120)}, which is not known here.`,
    );
  if (packing === 'raw') {
    yield { path: rawPath(layer), content: checked(content, layer) };
    return;
  }
  const blob: { whole: boolean; breach?: GateBreach } = { whole: false };
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      yield* checked(content, layer);
      blob.whole = true;
    } catch (error) {
      if (error instanceof GateBreach) blob.breach = error;
      throw error;
    }
  }
  // The tar reader has its own words for a stream that breaks off; what broke it off says more.
  const cause = (error: unknown): unknown => blob.breach ?? error;
  async function* named(inner: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* inner;
    } catch (error) {
      throw cause(error);
    }
  }
  const compression: Compression | undefined = (
    { 'tar+gzip': 'gzip', 'tar+zstd': 'zstd' } as const
  )[packing];
  const packed = Readable.from(watched(), { objectMode: false });
  const tar = compression === undefined ? packed : decompressed(packed, compression, path);
  try {
    for await (const file of tarFiles(tar, path, count))
      yield { path: file.path, content: named(file.content) };
  } catch (error) {
    throw cause(error);
  }
  if (!blob.whole)
    throw new GateBreach('SR-OCI-001', path, 'There is more in it than the archive that it is.');
}

function rawPath(layer: Descriptor): string {
  const named = namedPath(layer);
  if (named === undefined)
    throw new GateBreach(
      'SR-OCI-003',
      layer.digest,
      'A raw layer does not say which file it is (org.cncf.model.filepath).',
    );
  return named;
}

function namedPath({ annotations }: Descriptor): string | undefined {
  const named =
    annotations?.['org.cncf.model.filepath'] ?? annotations?.['org.opencontainers.image.title'];
  return named?.replace(/^\.\//, '');
}

async function readChecked(blobs: Blobs, descriptor: Descriptor): Promise<Uint8Array> {
  const content = await blobs.small(blobPath(descriptor));
  if (content === undefined) throw notThere(descriptor);
  for await (const _chunk of checked([content], descriptor)); // to its end, where it is compared
  return content;
}

/** Passes the content on, and breaks off where it is longer than said, or at its end if it is something else. */
async function* checked(
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  descriptor: Descriptor,
): AsyncGenerator<Uint8Array> {
  const [algorithm = '', expected] = descriptor.digest.split(':');
  const hash = createHash(algorithm);
  let size = 0;
  for await (const chunk of content) {
    size += chunk.length;
    if (size > descriptor.size) throw otherBlob(descriptor, 'longer');
    hash.update(chunk);
    yield chunk;
  }
  if (size !== descriptor.size) throw otherBlob(descriptor, 'shorter');
  if (hash.digest('hex') !== expected) throw otherBlob(descriptor, 'another');
}

function otherBlob(descriptor: Descriptor, how: 'longer' | 'shorter' | 'another'): GateBreach {
  return new GateBreach(
    'SR-OCI-001',
    blobPath(descriptor),
    how === 'another'
      ? 'Its content does not have the digest that it is named by.'
      : `It is ${how} than the ${descriptor.size} bytes that its manifest says.`,
  );
}

function notThere(descriptor: Descriptor): GateBreach {
  return new GateBreach(
    'SR-OCI-002',
    blobPath(descriptor),
    'The manifest names it, and it is not in the image layout.',
  );
}

/** The algorithm and the digest were checked when the descriptor was parsed. */
function blobPath({ digest }: Descriptor): string {
  return `blobs/${digest.replace(':', '/')}`;
}
