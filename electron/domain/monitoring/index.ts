export { compareProfiles, minimumRows } from './drift.ts';
export {
  columnSpec,
  createProfiler,
  profileSchema,
  type ColumnSpec,
  type Profile,
  type ProfiledValue,
  type Profiler,
} from './profile.ts';
