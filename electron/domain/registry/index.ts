export { bindingSchema } from './bindings.ts';
export { diffValues, diffVersions } from './diff.ts';
export { registrySchema, verdictSchema } from './schema.ts';
export { runnableStages } from './stages.ts';
export { createRegistry, type Registry, type ResolvedVersion } from './registry.ts';
export type { LifecycleOutcome } from './lifecycle.ts';
export type { StoredFile } from './store.ts';
export type { NewVerdict } from './verdicts.ts';
