/** From a version in the registry to what inference needs: its model, the weights beside it, its pipeline. */
import { AppError } from '#shared/errors.ts';
import type { ModelFacts } from '#shared/contract/bundles.ts';
import {
  goldenCases,
  mlflowDescription,
  mlflowSignature,
  wellKnown,
  type GoldenCases,
} from '#domain/bundle/index.ts';
import type { ModelFiles, ModelPool, PooledModel } from '#domain/inference/index.ts';
import { assetsOf, pipelineSchema, withSignature, type Pipeline } from '#domain/pipeline/index.ts';
import { runnableStages, type ResolvedVersion, type StoredFile } from '#domain/registry/index.ts';
import type { ObjectHandOver, OpenVault } from '#domain/vault/index.ts';
import type { OpenVaultState } from './open-state.ts';

/** `find` hands over the file at a path of the bundle. */
export function modelFilesOf(
  facts: Pick<ModelFacts, 'path' | 'externalData'>,
  pipeline: Pipeline | undefined,
  find: (path: string) => ObjectHandOver,
): ModelFiles {
  const folder = facts.path.slice(0, facts.path.lastIndexOf('/') + 1);
  return {
    model: find(facts.path),
    external: facts.externalData.map((location) => ({ location, file: find(folder + location) })),
    assets: assetsOf(pipeline).map((path) => ({ path, file: find(path) })),
  };
}

export function storedModelFiles(
  vault: OpenVault,
  version: ResolvedVersion,
  pipeline: Pipeline | undefined,
): ModelFiles {
  return modelFilesOf(version.facts, pipeline, (path) =>
    vault.objects.handOver(storedFile(version, path).objectId),
  );
}

/**
 * That of the bundle, else the binding that was saved with the version, with the columns that MLflow's signature declares;
 * undefined where nobody said anything. A picked model is not the one that the files of the bundle are about.
 */
export async function readPipeline(
  vault: OpenVault,
  version: ResolvedVersion,
): Promise<Pipeline | undefined> {
  const isPicked = version.facts.isPicked === true;
  const saved = version.binding?.pipeline;
  const found: unknown =
    (isPicked ? undefined : await readJson(vault, version, wellKnown.pipeline)) ??
    (saved === undefined ? undefined : JSON.parse(saved));
  const signature = isPicked ? undefined : await readStored(vault, version, mlflowDescription);
  return withSignature(
    found === undefined ? undefined : pipelineSchema.parse(found),
    signature === undefined ? { columns: [], tensors: [] } : mlflowSignature(signature),
  );
}

export function hasOwnPipeline({ stored, facts }: ResolvedVersion): boolean {
  return facts.isPicked !== true && stored.some(({ path }) => path === wellKnown.pipeline);
}

export async function readGolden(
  vault: OpenVault,
  version: ResolvedVersion,
): Promise<GoldenCases | undefined> {
  if (version.facts.isPicked === true) return undefined;
  const found = await readJson(vault, version, wellKnown.golden);
  return found === undefined ? undefined : goldenCases.parse(found);
}

/** Of a file that the gate has read already; undefined when the bundle has none. */
async function readJson(
  vault: OpenVault,
  version: ResolvedVersion,
  path: string,
): Promise<unknown> {
  const bytes = await readStored(vault, version, path);
  return bytes === undefined ? undefined : JSON.parse(Buffer.from(bytes).toString('utf8'));
}

async function readStored(
  vault: OpenVault,
  version: ResolvedVersion,
  path: string,
): Promise<Uint8Array | undefined> {
  const file = version.stored.find((each) => each.path === path);
  if (file === undefined) return undefined;
  const object = await vault.objects.open(file.objectId);
  try {
    return await object.readAll();
  } finally {
    await object.close();
  }
}

/**
 * The model of a version as the pool keeps it: one child for everybody who asks it. The vault is asked for again whenever a child is
 * started, because new keys make another of it.
 */
export async function pooledModel(
  open: () => Pick<OpenVaultState, 'vault'>,
  version: ResolvedVersion,
): Promise<PooledModel> {
  const reference =
    version.facts.isPicked === true
      ? undefined
      : version.stored.find(({ path }) => path === wellKnown.reference);
  // A child keeps the binding that it was started with.
  const key = [version.digest, version.facts.path, version.binding?.savedAt ?? ''].join(':');
  const pipeline = await rememberedPipeline(open().vault, version, key);
  return {
    key,
    files() {
      const { vault } = open();
      return {
        ...storedModelFiles(vault, version, pipeline),
        reference: reference === undefined ? undefined : vault.objects.handOver(reference.objectId),
      };
    },
    pipeline,
  };
}

/** Read once while a vault is open: single requests come often, and a version never changes. */
const pipelines = new WeakMap<OpenVault, Map<string, Promise<Pipeline | undefined>>>();

function rememberedPipeline(
  vault: OpenVault,
  version: ResolvedVersion,
  key: string,
): Promise<Pipeline | undefined> {
  const known = pipelines.get(vault) ?? new Map<string, Promise<Pipeline | undefined>>();
  pipelines.set(vault, known);
  const found = known.get(key) ?? readPipeline(vault, version);
  known.set(key, found);
  found.catch(() => known.delete(key));
  return found;
}

/** Ends the children that hold keys of files that were erased, and forgets what was read of them. */
export async function endErased(
  { vault, registry }: Pick<OpenVaultState, 'vault' | 'registry'>,
  pool: ModelPool,
): Promise<void> {
  pipelines.delete(vault);
  const erased = registry
    .list()
    .flatMap(({ name }) => registry.show(name).versions)
    .filter(({ stage }) => stage === 'erased');
  await pool.empty((key) => erased.some(({ digest }) => key.startsWith(`${digest}:`)));
}

/** Throws `refused` for a version whose stage does not let it run. */
export function requireRunnable(version: ResolvedVersion): void {
  if (runnableStages.includes(version.stage)) return;
  throw new AppError(
    'refused',
    `${version.model}@${version.version} is ${version.stage} and may not run. ${version.stage === 'quarantined' ? 'Promote it to candidate first, or choose' : 'Choose'} another version.`,
  );
}

/** Throws `conflict` for a version whose keys are destroyed. */
export function requireFiles({ stage, model, version }: ResolvedVersion): void {
  if (stage !== 'erased') return;
  throw new AppError(
    'conflict',
    `${model}@${version} was erased: the keys of its files are destroyed, and nobody can read them any more.`,
  );
}

/** Throws `corrupt` for a version without that file. */
export function storedFile(version: ResolvedVersion, path: string): StoredFile {
  const found = version.stored.find((file) => file.path === path);
  if (found === undefined) throw new AppError('corrupt', `The version lacks its file ${path}.`);
  return found;
}
