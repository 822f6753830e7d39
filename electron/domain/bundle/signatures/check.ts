/**
 * Who signed a bundle (OpenSSF Model Signing 1.0 §8), by every signature file in it, against the vault's trust list. A bundle
 * may have several: `model.sig` and `model.<name>.sig` at its top. Each must fit the files; how many different trusted signers
 * it takes is the policy's word.
 */
import { hash } from 'node:crypto';
import type { FileSignature, SignatureResult, SignerCount } from '#shared/contract/bundles.ts';
import { parseSignatureFile, Unacceptable, Unchecked } from './envelope.ts';
import { findSigner, nobody, type TrustAnchor, type TrustedSigner } from './signer.ts';
import { plainHashing, readStatement, type Hashing, type SignedFiles } from './statement.ts';

export const signatureFileName = 'model.sig';
/** Outside of every signature, at the top level. */
export const neverSigned: readonly string[] = ['.git', '.gitattributes', '.github', '.gitignore'];

export function isSignatureFile(path: string): boolean {
  return /^model(\.[^./][^/]*)?\.sig$/.test(path);
}

/** How many different trusted signers a bundle needs, and from whom; an empty `from` is anybody of the trust list. */
export interface SignerRule {
  readonly required: number;
  /** Names or roles of the trust list. */
  readonly from: readonly string[];
}

export const oneSigner: SignerRule = { required: 1, from: [] };

/** The bundle as the signatures are compared with it: every file but the signature in question. */
export interface PresentFiles {
  readonly paths: readonly string[];
  /** Hex digests of a file that is there, one or by shard; undefined when it is not. */
  digests(path: string, hashing: Hashing): readonly string[] | undefined;
}

export interface CheckedSignatures {
  /** The one that decides: what speaks against the bundle before what speaks for it. */
  readonly decisive: SignatureResult;
  readonly all: readonly FileSignature[];
  readonly signers: SignerCount;
  /** Paths that a signer who counts left out on purpose. */
  readonly ignorePaths: readonly string[];
}

interface Checked {
  readonly path: string;
  readonly result: SignatureResult;
  readonly ignorePaths: readonly string[];
  /** Only of a verified signature. */
  readonly by: TrustedSigner | undefined;
}

export function checkSignatures(input: {
  /** Content of each signature file; undefined for one that is too large to be one. */
  readonly signatures: ReadonlyMap<string, Uint8Array | undefined>;
  readonly files: PresentFiles;
  readonly trust: readonly TrustAnchor[];
  readonly rule: SignerRule;
  readonly now: Date;
}): CheckedSignatures {
  const order = [...input.signatures.keys()].toSorted((a, b) =>
    a === signatureFileName ? -1 : b === signatureFileName ? 1 : a < b ? -1 : 1,
  );
  const checked = order.map((path) => checkOne(path, input.signatures.get(path), input));
  const verified = checked.filter(({ result }) => result.status === 'verified');
  const deciding =
    checked.find(({ result }) => result.status === 'invalid') ?? verified[0] ?? checked[0];
  return {
    decisive: deciding?.result ?? absent,
    all: checked.map(({ path, result }) => ({ path, ...result })),
    signers: countSigners(verified, input.rule),
    ignorePaths: (verified.length > 0 ? verified : checked.slice(0, 1)).flatMap(
      ({ ignorePaths }) => ignorePaths,
    ),
  };
}

/** Digests that the signatures need and the pass over the bundle has not made. */
export function furtherHashings(signatures: Iterable<Uint8Array | undefined>): {
  readonly hashings: readonly Hashing[];
  readonly shards: number;
} {
  const hashings: Hashing[] = [];
  let shards = 1;
  for (const bytes of signatures) {
    try {
      if (bytes === undefined) continue;
      const { hashing, digestsByPath } = readStatement(parseSignatureFile(bytes).payload);
      if (hashing.algorithm === plainHashing.algorithm && hashing.shardBytes === undefined)
        continue;
      hashings.push(hashing);
      for (const digests of digestsByPath.values()) shards = Math.max(shards, digests.length);
    } catch {
      // Whatever is wrong with it is said when it is checked.
    }
  }
  return { hashings, shards };
}

const absent: SignatureResult = {
  status: 'absent',
  ...nobody,
  reason: 'There is no model.sig in the bundle.',
};

function checkOne(
  path: string,
  bytes: Uint8Array | undefined,
  context: {
    readonly files: PresentFiles;
    readonly trust: readonly TrustAnchor[];
    readonly now: Date;
  },
): Checked {
  const without = (result: SignatureResult): Checked => ({
    path,
    result,
    ignorePaths: [],
    by: undefined,
  });
  try {
    if (bytes === undefined) throw new Unacceptable('The signature is larger than any can be.');
    const file = parseSignatureFile(bytes);
    const signed = readStatement(file.payload);
    const { result, by } = findSigner(file, context);
    const mismatch = firstMismatch(path, signed, context.files);
    if (result.status !== 'invalid' && mismatch !== undefined)
      return without({ ...result, anchorId: null, status: 'invalid', reason: mismatch });
    return {
      path,
      result,
      ignorePaths: signed.ignorePaths,
      by,
    };
  } catch (error) {
    if (error instanceof Unchecked)
      return without({ status: 'untrusted', ...nobody, reason: error.message });
    if (error instanceof Unacceptable)
      return without({ status: 'invalid', ...nobody, reason: `${path}: ${error.message}` });
    throw error;
  }
}

/** A signer counts once, under however many names and with however many keys. */
function countSigners(verified: readonly Checked[], { required, from }: SignerRule): SignerCount {
  const who = new Set<string>();
  const keys = new Set<string>();
  const names: string[] = [];
  for (const { by } of verified) {
    if (by === undefined || who.has(by.who) || keys.has(by.key)) continue;
    const { anchor } = by;
    if (from.length > 0 && !from.includes(anchor.name) && !from.includes(anchor.role ?? ''))
      continue;
    who.add(by.who);
    keys.add(by.key);
    names.push(anchor.name);
  }
  return { required, names };
}

/** A sentence about the first file that is not as signed, or undefined. */
function firstMismatch(
  signaturePath: string,
  signed: SignedFiles,
  files: PresentFiles,
): string | undefined {
  const { hashing, digestsByPath } = signed;
  const present = files.paths.filter((path) => path !== signaturePath);
  const content = present.filter((path) => !isSignatureFile(path));
  // Before version 1.1 a single signed file was listed as ".".
  const alone = digestsByPath.size === 1 ? digestsByPath.get('.') : undefined;
  const [only] = content;
  if (alone !== undefined && only !== undefined && content.length === 1)
    return isSame(alone, files.digests(only, hashing))
      ? undefined
      : `The file ${only} is not the one that was signed.`;
  for (const [path, digests] of digestsByPath) {
    const found = path === signaturePath ? undefined : files.digests(path, hashing);
    if (found === undefined) return `The signed file ${path} is missing.`;
    if (!isSame(digests, found)) return `The file ${path} is not the one that was signed.`;
  }
  // The reference implementation cuts no shard from an empty file, and so does not list it.
  const isEmpty = (path: string): boolean =>
    files.digests(path, plainHashing)?.[0] === hash('sha256', '');
  for (const path of content) {
    if (digestsByPath.has(path) || isOutside(path, signed.ignorePaths)) continue;
    if (hashing.shardBytes !== undefined && isEmpty(path)) continue;
    return `The file ${path} is not covered by the signature.`;
  }
  return undefined;
}

function isSame(signed: readonly string[], found: readonly string[] | undefined): boolean {
  return (
    found !== undefined &&
    found.length === signed.length &&
    found.every((digest, at) => digest === signed[at])
  );
}

/** Whether a path, or a folder above it, is one of those that a signature leaves out. */
export function isOutside(path: string, ignored: readonly string[]): boolean {
  return [...neverSigned, ...ignored].some(
    (outside) => path === outside || path.startsWith(`${outside}/`),
  );
}
