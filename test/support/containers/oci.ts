/** OCI image layouts with a model, as ModelPack and KitOps write them, and with what no honest tool writes. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { pack, type Header } from 'tar-stream';

export interface OciDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

export type LayoutFiles = Map<string, Uint8Array>;

export const modelPack = {
  artifact: 'application/vnd.cncf.model.manifest.v1+json',
  config: 'application/vnd.cncf.model.config.v1+json',
  layer: (kind: string, packing: string) => `application/vnd.cncf.model.${kind}.v1.${packing}`,
};
export const modelKit = {
  config: 'application/vnd.kitops.modelkit.config.v1+json',
  layer: (kind: string, packing: string) => `application/vnd.kitops.modelkit.${kind}.v1.${packing}`,
};

/** A layout without a model; `addModel` puts one in. */
export function emptyLayout(): LayoutFiles {
  return new Map([
    ['oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}')],
    ['index.json', Buffer.from('{"schemaVersion":2,"manifests":[]}')],
  ]);
}

export function addBlob(
  layout: LayoutFiles,
  mediaType: string,
  content: Uint8Array | string,
  annotations?: Readonly<Record<string, string>>,
): OciDescriptor {
  const bytes = Buffer.from(content);
  const hex = createHash('sha256').update(bytes).digest('hex');
  layout.set(`blobs/sha256/${hex}`, bytes);
  return {
    mediaType,
    digest: `sha256:${hex}`,
    size: bytes.length,
    ...(annotations === undefined ? {} : { annotations }),
  };
}

export function setIndex(layout: LayoutFiles, manifests: readonly OciDescriptor[]): void {
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  layout.set('index.json', Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests })));
}

export function addManifest(
  layout: LayoutFiles,
  kind: 'modelpack' | 'modelkit',
  parts: {
    readonly config: unknown;
    readonly layers: readonly OciDescriptor[];
    readonly tag?: string;
  },
): OciDescriptor {
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const type = kind === 'modelpack' ? modelPack.config : modelKit.config;
  const manifest = {
    schemaVersion: 2,
    mediaType,
    ...(kind === 'modelpack' ? { artifactType: modelPack.artifact } : {}),
    config: addBlob(layout, type, JSON.stringify(parts.config)),
    layers: parts.layers,
  };
  return addBlob(layout, mediaType, JSON.stringify(manifest), {
    'org.opencontainers.image.ref.name': parts.tag ?? 'latest',
  });
}

/** A raw layer for each file, as `modctl` makes them. */
export function modelPackLayout(
  files: Readonly<Record<string, string | Uint8Array>>,
  config: unknown = {
    descriptor: { name: 'credit-risk', version: '3.1' },
    config: { architecture: 'gemm', format: 'onnx', precision: 'float32' },
    modelfs: { type: 'layers', diffIds: [] },
  },
): LayoutFiles {
  const layout = emptyLayout();
  const layers = Object.entries(files).map(([path, content]) =>
    addBlob(layout, modelPack.layer(path.endsWith('.onnx') ? 'weight' : 'doc', 'raw'), content, {
      'org.cncf.model.filepath': path,
    }),
  );
  setIndex(layout, [addManifest(layout, 'modelpack', { config, layers })]);
  return layout;
}

/** One tar layer for the model and one for the rest, as `kit pack` makes them. */
export async function modelKitLayout(
  files: Readonly<Record<string, string | Uint8Array>>,
  packing: 'tar' | 'tar+gzip' | 'tar+zstd' = 'tar+gzip',
): Promise<LayoutFiles> {
  const layout = emptyLayout();
  const layers = [];
  for (const kind of ['model', 'docs'] as const) {
    const own = Object.entries(files).filter(
      ([path]) => path.endsWith('.onnx') === (kind === 'model'),
    );
    const tar = await tarOf(own.map(([name, content]) => ({ name, content })));
    layers.push(addBlob(layout, modelKit.layer(kind, packing), compressed(tar, packing)));
  }
  const path = Object.keys(files).find((name) => name.endsWith('.onnx')) ?? '';
  const config = {
    manifestVersion: 'v1.0.0',
    package: { name: 'credit-risk', version: '3.1.0' },
    model: { name: 'credit-risk', framework: 'onnx', path: `./${path}` },
  };
  setIndex(layout, [addManifest(layout, 'modelkit', { config, layers })]);
  return layout;
}

export function compressed(bytes: Uint8Array, packing: string): Uint8Array {
  return packing === 'tar+gzip'
    ? gzipSync(bytes)
    : packing === 'tar+zstd'
      ? zstdCompressSync(bytes)
      : bytes;
}

export function tarOf(
  entries: readonly (Partial<Header> & {
    readonly name: string;
    readonly content?: string | Uint8Array;
  })[],
): Promise<Buffer> {
  const tar = pack();
  for (const { content, ...header } of entries) tar.entry(header, Buffer.from(content ?? ''));
  tar.finalize();
  return buffer(tar);
}

export function writeLayout(dir: string, layout: LayoutFiles): string {
  for (const [path, content] of layout) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), content);
  }
  return dir;
}

/** As a tar, with the small files last: readers must not count on an order. */
export async function writeLayoutTar(
  path: string,
  layout: LayoutFiles,
  packing: 'tar' | 'tar+gzip' | 'tar+zstd' = 'tar',
  prefix = '',
): Promise<string> {
  const entries = [...layout]
    .toSorted(([a], [b]) => Number(!a.startsWith('blobs/')) - Number(!b.startsWith('blobs/')))
    .map(([name, content]) => ({ name: prefix + name, content }));
  writeFileSync(path, compressed(await tarOf(entries), packing));
  return path;
}

/** A layout with one model of the layers that `make` adds. */
export function withLayers(
  make: (layout: LayoutFiles) => readonly OciDescriptor[],
  kind: 'modelpack' | 'modelkit' = 'modelpack',
): LayoutFiles {
  const layout = emptyLayout();
  const layers = make(layout);
  setIndex(layout, [addManifest(layout, kind, { config: { config: { format: 'onnx' } }, layers })]);
  return layout;
}
