export { compareProfiles, minimumRows } from './drift.ts';
export {
  createProfiler,
  profileSchema,
  type ColumnSpec,
  type Profile,
  type ProfiledValue,
  type Profiler,
} from './profile.ts';
