/**
 * For who asks for the same versions again and again: what the registry says of one is kept until a row of the catalog changes.
 * Nobody else writes to the catalog while it is open.
 */
import type { Registry, ResolvedVersion } from '#domain/registry/index.ts';
import type { OpenVaultState } from './open-state.ts';

type Opened = Pick<OpenVaultState, 'registry' | 'vault'>;

/** Throws what `Registry.resolve` throws. */
export function createResolver(): (opened: Opened, reference: string) => ResolvedVersion {
  const known = new Map<string, ResolvedVersion>();
  let of: Registry | undefined;
  let readChanges = (): number => -1;
  let changes = -1;
  return ({ registry, vault }, reference) => {
    if (of !== registry) {
      // New keys make another connection.
      const statement = vault.catalog.prepare<[], number>('SELECT total_changes()').pluck();
      readChanges = () => statement.get() ?? -1;
      of = registry;
      changes = -1;
    }
    const now = readChanges();
    if (now !== changes) known.clear();
    changes = now;
    const found = known.get(reference) ?? registry.resolve(reference);
    known.set(reference, found);
    return found;
  };
}
