/** In the child: one encrypted file that was handed over as an open descriptor with its key. */
import { openFloeFile, type FloeFileReader } from '#domain/floe/index.ts';
import type { SealedFile } from './protocol.ts';

export function openSealed({ fd, key, aad, sizeBytes }: SealedFile): Promise<FloeFileReader> {
  return openFloeFile({
    fd,
    key: Buffer.from(key, 'base64'),
    aad: Buffer.from(aad, 'base64'),
    sizeBytes,
  });
}
