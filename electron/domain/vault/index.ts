export type { KdfChoice } from './kdf.ts';
export { openFloeFile, type FloeFileReader } from './floe-file.ts';
import { objectsSchema } from './objects.ts';
export type {
  ObjectHandOver,
  ObjectStore,
  OpenObject,
  RecoveryReport,
  StagedObject,
} from './objects.ts';
export { purposesByRole, type Purpose } from './purposes.ts';
export {
  createVault,
  openVault,
  openVaultWithRecoveryKey,
  readVaultInfo,
  type OpenVault,
  type VaultInfo,
  type VaultSchema,
} from './vault.ts';
export type { VaultSlots } from './sign-in.ts';

/** First in the catalog's list of migration steps. */
export const vaultCatalogSchema: readonly string[] = [objectsSchema];
