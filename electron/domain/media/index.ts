export { createFileTokens, type FileTokens } from './tokens.ts';
export { readPlaces } from './places.ts';
export { readFolder } from './browse.ts';
export { readDrives } from './drives/read-drives.ts';
export type { DriveSystem } from './drives/drive.ts';
export { watchMedia } from './watch.ts';
