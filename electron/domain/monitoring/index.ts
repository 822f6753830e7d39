export { compareProfiles, minimumRows } from './drift.ts';
export {
  createProfiler,
  profileSchema,
  profileState,
  type ColumnSpec,
  type Profile,
  type Profiler,
  type ProfileState,
} from './profile.ts';
