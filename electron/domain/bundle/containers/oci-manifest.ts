/** The JSON of an OCI image layout: descriptors, indexes, manifests, and what the config of a model says of it. */
import { z } from 'zod';
import { utf8Text } from '#platform/utf8.ts';
import { GateBreach } from './breach.ts';
import type { Declared } from './container.ts';

const digest = z.string().regex(/^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/);
const descriptor = z.looseObject({
  mediaType: z.string().max(255),
  digest,
  size: z.int().nonnegative(),
  annotations: z.record(z.string(), z.string()).optional(),
});
export type Descriptor = z.infer<typeof descriptor>;

const index = z.looseObject({ schemaVersion: z.literal(2), manifests: z.array(descriptor) });
const manifest = z.looseObject({
  schemaVersion: z.literal(2),
  artifactType: z.string().optional(),
  config: descriptor,
  layers: z.array(descriptor),
});
export type Manifest = z.infer<typeof manifest>;

export type ModelKind = 'modelpack' | 'modelkit';

const indexType = 'application/vnd.oci.image.index.v1+json';
const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const modelPackConfig = 'application/vnd.cncf.model.config.v1+json';
const modelPackArtifact = 'application/vnd.cncf.model.manifest.v1+json';
const modelKitConfig = 'application/vnd.kitops.modelkit.config.v1+json';

export function parseIndex(json: Uint8Array, at: string): readonly Descriptor[] {
  return parse(index, json, at).manifests;
}

export function parseManifest(json: Uint8Array, at: string): Manifest {
  return parse(manifest, json, at);
}

/** Undefined for what is neither: signatures and other things beside the model are passed over. */
export function formOf({ mediaType }: Descriptor): 'index' | 'manifest' | undefined {
  return mediaType === indexType ? 'index' : mediaType === manifestType ? 'manifest' : undefined;
}

export function kindOf({ artifactType, config }: Manifest): ModelKind | undefined {
  if (config.mediaType === modelKitConfig) return 'modelkit';
  return config.mediaType === modelPackConfig || artifactType === modelPackArtifact
    ? 'modelpack'
    : undefined;
}

export function refName({ annotations }: Descriptor): string | undefined {
  return annotations?.['org.opencontainers.image.ref.name'];
}

const text = z.coerce.string().max(200).optional().catch(undefined);
const modelPackSays = z.object({
  descriptor: z
    .object({ name: text, version: text, family: text, licenses: z.array(z.string()).optional() })
    .partial()
    .catch({}),
  config: z
    .object({
      architecture: text,
      format: text,
      paramSize: text,
      precision: text,
      quantization: text,
    })
    .partial()
    .catch({}),
});
const modelKitSays = z.object({
  package: z.object({ name: text, version: text, license: text }).partial().catch({}),
  model: z.object({ name: text, path: text, framework: text, version: text }).partial().catch({}),
});

/** Never throws: a config that says nothing is a config. */
export function declaredByConfig(kind: ModelKind, json: Uint8Array): Declared {
  const said = jsonOf(json);
  if (kind === 'modelpack') {
    const { descriptor: own, config } = modelPackSays.safeParse(said).data ?? {};
    return {
      layout: kind,
      facts: facts({
        Name: own?.name,
        Version: own?.version,
        Family: own?.family,
        Architecture: config?.architecture,
        Format: config?.format,
        Parameters: config?.paramSize,
        Precision: config?.precision,
        Quantization: config?.quantization,
      }),
    };
  }
  const { package: own, model } = modelKitSays.safeParse(said).data ?? {};
  const path = model?.path?.replace(/^\.\//, '').replace(/\/+$/, '');
  return {
    layout: kind,
    ...(path === undefined || path === '' || path === '.' ? {} : { model: path }),
    facts: facts({
      Name: own?.name ?? model?.name,
      Version: own?.version ?? model?.version,
      Licence: own?.license,
      Framework: model?.framework,
      Model: model?.path,
    }),
  };
}

function facts(said: Readonly<Record<string, string | undefined>>): Declared['facts'] {
  return Object.entries(said).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [{ name, value }],
  );
}

function parse<T>(schema: z.ZodType<T>, json: Uint8Array, at: string): T {
  const parsed = schema.safeParse(jsonOf(json));
  if (parsed.success) return parsed.data;
  throw new GateBreach('SR-OCI-003', at, 'It is not an OCI manifest or index of schema version 2.');
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8Text(bytes));
  } catch {
    return undefined;
  }
}
