export { registrySchema } from './schema.ts';
export { runnableStages } from './stages.ts';
export {
  createRegistry,
  type AliasInterval,
  type Registry,
  type ResolvedVersion,
} from './registry.ts';
export type { LifecycleOutcome } from './lifecycle.ts';
export type { NewVersion, StoredFile } from './store.ts';
