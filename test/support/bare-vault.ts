/** What both tests and the children they kill need of a vault with nothing but objects in it. */
import {
  vaultCatalogSchema,
  vaultErasureSchema,
  type KdfChoice,
  type VaultSchema,
} from '#domain/vault/index.ts';

export const bareSchema: VaultSchema = {
  catalog: [...vaultCatalogSchema, ...vaultErasureSchema],
  audit: [],
  records: [],
};
export const adminPassword = 'a quiet harbour';

/** A password hash that costs nothing. */
export const cheapKdf: KdfChoice = { name: 'argon2id', memoryKib: 8, passes: 1, lanes: 1 };

export async function* chunksOf(
  bytes: Uint8Array,
  chunkBytes = 65_536,
): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += chunkBytes)
    yield bytes.subarray(offset, offset + chunkBytes);
}
