/** Two versions side by side: from what the registry keeps, and from their files, which contained children read. */
import { createHash } from 'node:crypto';
import { AppError } from '#shared/errors.ts';
import {
  mostChanges,
  type Compared,
  type DiffArea,
  type VersionDiff,
} from '#shared/contract/diff.ts';
import { diffAreas } from '#shared/contract/diff.ts';
import { diffOutlines, outline, type Outline, type Weight } from '#domain/graph/index.ts';
import { diffValues, diffVersions, type ResolvedVersion } from '#domain/registry/index.ts';
import type { OpenVault } from '#domain/vault/index.ts';
import { readPipeline, requireFiles, storedFile } from './model-access.ts';
import { modelFile, readObject } from './model-outlines.ts';

interface Sides {
  readonly from: ResolvedVersion;
  readonly to: ResolvedVersion;
}

/** What cannot be read (an erased version, a role without the key of the models) is left out, and a note says why. */
export async function compareVersions(
  vault: OpenVault,
  sides: Sides,
  signal: AbortSignal,
): Promise<Pick<VersionDiff, 'areas' | 'notes'>> {
  const notes: string[] = [];
  const compared: Compared[] = diffVersions(sides.from, sides.to);
  const attempt = async (what: string, read: () => Promise<readonly Compared[]>): Promise<void> => {
    try {
      compared.push(...(await read()));
    } catch (error) {
      const isOwn = error instanceof AppError && !passedOn.has(error.code);
      if (!isOwn) throw error;
      notes.push(`Not compared: ${what}. ${error.message}`);
    }
  };
  await attempt('graph and weights', () => compareModels(vault, sides, { signal, notes }));
  await attempt('pipeline', () => comparePipelines(vault, sides));
  const place = ({ area }: { readonly area: DiffArea }): number => diffAreas.indexOf(area);
  return { areas: compared.map(toArea).sort((a, b) => place(a) - place(b)), notes };
}

const passedOn: ReadonlySet<string> = new Set(['cancelled', 'locked', 'io', 'internal']);

function toArea({ area, same, changes }: Compared): VersionDiff['areas'][number] {
  const count = (kind: string): number => changes.filter((change) => change.kind === kind).length;
  return {
    area,
    same,
    added: count('added'),
    removed: count('removed'),
    changed: count('changed'),
    changes: changes.slice(0, mostChanges),
  };
}

async function compareModels(
  vault: OpenVault,
  { from, to }: Sides,
  { signal, notes }: { readonly signal: AbortSignal; readonly notes: string[] },
): Promise<readonly Compared[]> {
  requireFiles(from);
  requireFiles(to);
  const [old, fresh] = [modelFile(from), modelFile(to)];
  const read = async (objectId: string): Promise<Outline> =>
    outline.parse(await readObject(vault, objectId, { use: 'compare', signal }));
  const before = await read(old.objectId);
  const after = old.sha256 === fresh.sha256 ? before : await read(fresh.objectId);
  return diffOutlines(
    await withDigests(vault, from, { outline: before, signal, notes }),
    await withDigests(vault, to, { outline: after, signal, notes }),
  );
}

const sliceBytes = 4 * 2 ** 20;

/** The digests of weights in files beside the model, which the child does not get to see. They are hashed, never parsed. */
async function withDigests(
  vault: OpenVault,
  version: ResolvedVersion,
  {
    outline: read,
    signal,
    notes,
  }: {
    readonly outline: Outline;
    readonly signal: AbortSignal;
    readonly notes: string[];
  },
): Promise<Outline> {
  const folder = version.facts.path.slice(0, version.facts.path.lastIndexOf('/') + 1);
  const digests = new Map<Weight, string>();
  const locations = new Set(read.weights.flatMap(({ external }) => external?.location ?? []));
  for (const location of locations) {
    const { objectId, bytes } = storedFile(version, folder + location);
    const object = await vault.objects.open(objectId);
    const known = new Map<string, string>();
    let hashed = 0;
    try {
      for (const weight of read.weights) {
        const { external } = weight;
        if (external?.location !== location) continue;
        const start = external.offset;
        const end = external.length === null ? bytes : start + external.length;
        if (
          !(Number.isSafeInteger(start) && Number.isSafeInteger(end)) ||
          start < 0 ||
          end < start ||
          end > bytes
        )
          continue;
        const range = `${start} ${end}`;
        let digest = known.get(range);
        // Weights may share a place; a file that is read over and over is a trap.
        if (digest === undefined && hashed + end - start <= 2 * bytes) {
          const hash = createHash('sha256');
          for (let at = start; at < end; at += sliceBytes) {
            signal.throwIfAborted();
            hash.update(await object.readRange(at, Math.min(sliceBytes, end - at)));
          }
          hashed += end - start;
          digest = hash.digest('hex');
          known.set(range, digest);
        }
        if (digest !== undefined) digests.set(weight, digest);
      }
    } finally {
      await object.close();
    }
  }
  const missing = read.weights.filter(
    (weight) => weight.external !== null && !digests.has(weight),
  ).length;
  if (missing > 0)
    notes.push(
      `${missing} weights of @${version.version} lie where their file cannot be read; only their places were compared.`,
    );
  return {
    ...read,
    weights: read.weights.map((weight) => ({
      ...weight,
      digest: digests.get(weight) ?? weight.digest,
    })),
  };
}

async function comparePipelines(
  vault: OpenVault,
  { from, to }: Sides,
): Promise<readonly Compared[]> {
  requireFiles(from);
  requireFiles(to);
  const values = async (version: ResolvedVersion): Promise<Map<string, string>> => {
    const found = new Map<string, string>();
    flatten(await readPipeline(vault, version), '', found);
    return found;
  };
  return [{ area: 'pipeline', ...diffValues(await values(from), await values(to)) }];
}

/** `columns.income.min` → `0`: list items by their name where they have one. */
function flatten(value: unknown, path: string, into: Map<string, string>): void {
  if (typeof value !== 'object' || value === null) {
    if (value !== undefined) into.set(path, JSON.stringify(value));
    return;
  }
  const isPlain = Array.isArray(value) && value.every((item) => typeof item !== 'object');
  if (isPlain) {
    into.set(path, value.map(String).join(', '));
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    const name: unknown =
      Array.isArray(value) && typeof item === 'object' && item !== null && 'name' in item
        ? item.name
        : key;
    flatten(item, `${path === '' ? '' : `${path}.`}${String(name)}`, into);
  }
}
