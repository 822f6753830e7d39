export { makeBackup, type BackupOptions, type BackupOutcome } from './backup.ts';
export { createBackupHistory, type BackupHistory, type RememberedBackup } from './history.ts';
export { looksLikeManifest, readManifest, verifyManifest } from './manifest.ts';
export { createPins, type Pin } from './pins.ts';
export { custodySchema } from './schema.ts';
export { checkBackup, findBackups, type BackupCheck } from './check.ts';
export {
  readRestoredMark,
  removeRestoredMark,
  restoreVault,
  type RestoredFrom,
} from './restore.ts';
