/** In the child: encrypted files that were handed over as open descriptors with their keys. */
import { openFloeFile, type FloeFileReader } from '#domain/floe/index.ts';
import type { SealedFile, SealedModel } from './protocol.ts';

export function openSealed({ fd, key, aad, sizeBytes }: SealedFile): Promise<FloeFileReader> {
  return openFloeFile({
    fd,
    key: Buffer.from(key, 'base64'),
    aad: Buffer.from(aad, 'base64'),
    sizeBytes,
  });
}

/** By their paths in the bundle. */
export async function readAssets({
  assets,
}: Pick<SealedModel, 'assets'>): Promise<ReadonlyMap<string, Uint8Array>> {
  const read = new Map<string, Uint8Array>();
  for (const { path, file } of assets) read.set(path, await (await openSealed(file)).readAll());
  return read;
}
