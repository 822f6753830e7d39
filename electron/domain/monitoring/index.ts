export { compareProfiles, minimumRows } from './drift.ts';
export {
  createProfiler,
  profileSchema,
  profileState,
  type ColumnSpec,
  type Profile,
  type Profiler,
} from './profile.ts';
