export { runsSchema } from './schema.ts';
export { createRunStore, type RunStore } from './store.ts';
