/**
 * Files that need not come from the medium, because their content is here already and a trusted signer says that it belongs to
 * the bundle: a differential bundle leaves out what an earlier version has, and an import that a pulled drive ended goes on
 * with what it had read. Content counts by its SHA-256 alone and goes through the same gate as any other.
 */
import type { Content } from '#platform/content.ts';
import { GateBreach } from './containers/breach.ts';
import { createNames, isPlainPath } from './containers/names.ts';
import { gateLimits } from './limits.ts';
import { parseSignatureFile } from './signatures/envelope.ts';
import { findSigner, type TrustAnchor } from './signatures/signer.ts';
import { hashingKey, plainHashing, readStatement } from './signatures/statement.ts';

export interface KnownFile<Stored> {
  readonly from: 'vault' | 'interrupted';
  readonly sizeBytes: number;
  readonly content: () => AsyncIterable<Uint8Array>;
  /** Consumes the content and says what stands for it; in place of the caller's `store`. */
  readonly store: (content: Content) => Promise<Stored>;
}

/** By hex SHA-256. */
export type FindKnown<Stored> = (sha256: string) => KnownFile<Stored> | undefined;

/** What signers of the trust list say that the bundle consists of: SHA-256 by path. Other hashes have no part in it. */
export function trustedDigests(
  signatures: Iterable<Uint8Array | undefined>,
  context: { readonly trust: readonly TrustAnchor[]; readonly now: Date },
): ReadonlyMap<string, string> {
  const sha256ByPath = new Map<string, string>();
  for (const bytes of signatures) {
    if (bytes === undefined) continue;
    try {
      const file = parseSignatureFile(bytes);
      if (findSigner(file, context).by === undefined) continue;
      const { hashing, digestsByPath } = readStatement(file.payload);
      if (hashingKey(hashing) !== hashingKey(plainHashing)) continue;
      for (const [path, [sha256 = '']] of digestsByPath) sha256ByPath.set(path, sha256);
    } catch {
      // Whatever is wrong with it is said when it is checked.
    }
  }
  return sha256ByPath;
}

/** The signed files that are not there and are known, in the order of the signature, within the bounds of a bundle. */
export function leftOut<Stored>(
  present: readonly { readonly path: string; readonly bytes: number }[],
  sha256ByPath: ReadonlyMap<string, string>,
  find: FindKnown<Stored>,
): { readonly path: string; readonly sha256: string; readonly known: KnownFile<Stored> }[] {
  const names = createNames();
  for (const { path } of present) names.claim(path);
  let entries = present.length;
  let total = present.reduce((sum, { bytes }) => sum + bytes, 0);
  return [...sha256ByPath].flatMap(([path, sha256]) => {
    // The name comes from a signature and must be as good as one from a medium.
    if (!isPlainPath(path) || !names.claim(path)) return [];
    const known = find(sha256);
    if (known === undefined) return [];
    entries += 1;
    total += known.sizeBytes;
    if (entries > gateLimits.entries || total > gateLimits.totalBytes)
      throw new GateBreach(
        'SR-LIMIT-001',
        path,
        'With what the vault has of it, the bundle is too large.',
      );
    return [{ path, sha256, known }];
  });
}
