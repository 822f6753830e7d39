export { runsSchema } from './schema.ts';
export {
  createRunStore,
  type ReferenceProfile,
  type RunRow,
  type RunStore,
  type VersionName,
} from './store.ts';
