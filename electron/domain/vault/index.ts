export type { KdfChoice } from './kdf.ts';
export { openFloeFile, type FloeFileReader } from './floe-file.ts';
import { objectsSchema } from './objects.ts';
export type { ObjectHandOver, StagedObject } from './objects.ts';
export {
  createVault,
  openVault,
  openVaultWithRecoveryKey,
  readVaultInfo,
  type OpenVault,
  type VaultSchema,
} from './vault.ts';
/** First in the catalog's list of migration steps. */
export const vaultCatalogSchema: readonly string[] = [objectsSchema];
