/** What an import need not read again: files of the versions in the vault, and files that an interrupted import had read whole. */
import { AppError } from '#shared/errors.ts';
import { digestOf, type Digested, type FindKnown, type KnownFile } from '#domain/bundle/index.ts';
import type { OpenObject, StagedObject } from '#domain/vault/index.ts';
import type { OpenVaultState } from './open-state.ts';

/** Lives as long as the session: what is left in the staging folder is swept when the vault is opened again. */
const interrupted = new WeakMap<OpenVaultState['vault'], Map<string, StagedObject>>();

/** Whether an import ended because its medium could not be read any more. */
export function isMediumGone(error: unknown): boolean {
  return error instanceof AppError && error.details?.['medium'] === 'unreadable';
}

export function keepInterrupted({ vault }: OpenVaultState, staged: readonly StagedObject[]): void {
  const kept = interrupted.get(vault) ?? new Map<string, StagedObject>();
  for (const object of staged) kept.set(object.sha256, object);
  interrupted.set(vault, kept);
}

/**
 * An object of an interrupted import is taken as it is; one of another version is copied, because every version has keys of its
 * own and can be erased alone.
 */
export function knownForImport(
  opened: OpenVaultState,
  into: { readonly staged: StagedObject[]; readonly signal: AbortSignal },
): FindKnown<StagedObject> {
  const { vault } = opened;
  const kept = interrupted.get(vault);
  interrupted.delete(vault);
  // From here on they are this import's: stored with it, kept again with it, or discarded with it.
  into.staged.push(...(kept?.values() ?? []));
  return (sha256) => {
    const object = kept?.get(sha256);
    if (object !== undefined && isOpenable(vault, object))
      return {
        from: 'interrupted',
        sizeBytes: object.sizeBytes,
        content: () => contentOf(() => vault.objects.openStaged(object)),
        store: async (content) => ({ ...object, ...(await digestOf(content)) }),
      };
    return fromVault(opened, sha256, async (source) => {
      const copy = await vault.objects.stage({ source, signal: into.signal });
      into.staged.push(copy);
      return copy;
    });
  };
}

/** Nothing for those whose keys open no model. */
export function knownForInspection(opened: OpenVaultState): FindKnown<Digested> {
  return (sha256) => fromVault(opened, sha256, digestOf);
}

function mayOpen({ vault }: OpenVaultState, objectId: string): boolean {
  try {
    vault.objects.handOver(objectId).key.fill(0);
    return true;
  } catch (error) {
    if (error instanceof AppError && error.code === 'forbidden') return false;
    throw error;
  }
}

/** Keys may have been rotated since; such an object only waits to be discarded. */
function isOpenable(vault: OpenVaultState['vault'], object: StagedObject): boolean {
  try {
    vault.objects.handOverStaged(object).key.fill(0);
    return true;
  } catch {
    return false;
  }
}

function fromVault<Stored>(
  opened: OpenVaultState,
  sha256: string,
  store: KnownFile<Stored>['store'],
): KnownFile<Stored> | undefined {
  const { vault, registry } = opened;
  const file = registry.findFile(sha256);
  if (file === undefined || !mayOpen(opened, file.objectId)) return undefined;
  return {
    from: 'vault',
    sizeBytes: file.bytes,
    content: () => contentOf(() => vault.objects.open(file.objectId)),
    store,
  };
}

async function* contentOf(open: () => Promise<OpenObject>): AsyncGenerator<Uint8Array> {
  const object = await open();
  try {
    yield* object.stream();
  } finally {
    await object.close();
  }
}
