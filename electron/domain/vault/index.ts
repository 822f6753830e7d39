export type { KdfChoice } from './kdf.ts';
import { dataKeysSchema } from './data-keys.ts';
import { erasureSchema } from './erasure.ts';
import { objectsSchema } from './objects.ts';
export { doneWith, leaveToDo, leftToDo } from './erasure.ts';
export type { DataKeys } from './data-keys.ts';
export type { ObjectHandOver, OpenObject, StagedObject } from './objects.ts';
export { unwrap, wrap } from './slots.ts';
export {
  createVault,
  openVault,
  openVaultWithKeychain,
  openVaultWithRecoveryKey,
  readVaultInfo,
} from './vault.ts';
export type { OpenVault, VaultSchema } from './open-vault.ts';
/** First in the catalog's list of migration steps. */
export const vaultCatalogSchema: readonly string[] = [objectsSchema];
/** Later steps; they stand behind those of the other folders, because steps are only ever added at the end. */
export const vaultErasureSchema: readonly string[] = [dataKeysSchema + erasureSchema];
