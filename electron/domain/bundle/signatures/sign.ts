/**
 * The maker's side: a key pair, and a signature file for a folder (OpenSSF Model Signing 1.0, methods `key` and `certificate`), in the
 * current form only.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  sign,
  X509Certificate,
  type KeyObject,
} from 'node:crypto';
import { basename, join } from 'node:path';
import { AppError } from '#shared/errors.ts';
import type { SigningAlgorithm } from '#shared/contract/bundles.ts';
import { writeFileAtomic } from '#platform/atomic-file.ts';
import { inTotoPayloadType, preAuthenticationEncoding } from '#platform/dsse.ts';
import { GateBreach } from '../containers/breach.ts';
import { openBundle } from '../containers/open.ts';
import { rules } from '../rules.ts';
import { findLeafFlaw } from './certificate.ts';
import { isOutside, isSignatureFile, neverSigned, signatureFileName } from './check.ts';
import { hashByCurve } from './envelope.ts';
import { signaturePredicate } from './statement.ts';

export interface SigningKeyPair {
  readonly privatePem: string;
  readonly publicPem: string;
  readonly keyId: string;
}

const curves: Readonly<Record<SigningAlgorithm, string>> = {
  p256: 'prime256v1',
  p384: 'secp384r1',
  p521: 'secp521r1',
};

/** ECDSA; the private key is PKCS#8 without a password. */
export function generateSigningKey(algorithm: SigningAlgorithm = 'p256'): SigningKeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: curves[algorithm] });
  const publicPem = String(publicKey.export({ type: 'spki', format: 'pem' }));
  return {
    privatePem: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    publicPem,
    keyId: hash('sha256', publicPem),
  };
}

export interface SignOptions {
  readonly privatePem: string;
  /** Certificate of the key first, then those above it: method `certificate` instead of `key`. */
  readonly certificates?: { readonly pem: string; readonly now: Date } | undefined;
  /** Exact relative paths that the signature leaves out, with what is below them. */
  readonly ignorePaths?: readonly string[] | undefined;
  /** Writes `model.<as>.sig` beside the signatures of others, in place of `model.sig`. */
  readonly as?: string | undefined;
  readonly onBytes?: (count: number) => void;
  readonly signal?: AbortSignal;
}

/** Writes the signature into the folder, in place of an older one of the same name. */
export async function signFolder(
  dir: string,
  options: SignOptions,
): Promise<{ readonly path: string; readonly files: number; readonly keyId: string }> {
  const key = readPrivateKey(options.privatePem);
  const algorithm = curveHash(key);
  const { material, keyId } = verificationMaterial(key, options);
  const ignored = (options.ignorePaths ?? []).map(checkIgnoredPath);
  const own = options.as === undefined ? signatureFileName : `model.${options.as}.sig`;
  if (!isSignatureFile(own))
    throw new AppError('invalid-input', 'The name of a signature is one word, such as validator.');
  const { resources, signatureFiles } = await readResources(dir, ignored, options).catch(
    (error: unknown) => {
      if (!(error instanceof GateBreach)) throw error;
      throw new AppError(
        'invalid-input',
        `No gate would take it, so it is not signed. ${rules[error.ruleId].title}: ${error.path}. ${error.message}`,
        { cause: error },
      );
    },
  );
  const payload = Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: basename(dir), digest: { sha256: rootDigest(resources) } }],
      predicateType: signaturePredicate,
      predicate: {
        resources,
        serialization: {
          method: 'files',
          hash_type: 'sha256',
          allow_symlinks: false,
          ignore_paths: [...new Set([...neverSigned, ...signatureFiles, own, ...ignored])],
        },
      },
    }),
  );
  const signature = sign(algorithm, preAuthenticationEncoding(inTotoPayloadType, payload), key);
  const bundle = {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { ...material, tlogEntries: [] },
    dsseEnvelope: {
      payload: payload.toString('base64'),
      payloadType: inTotoPayloadType,
      signatures: [{ sig: signature.toString('base64'), keyid: '' }],
    },
  };
  const path = join(dir, own);
  await writeFileAtomic(path, Buffer.from(`${JSON.stringify(bundle, null, 2)}\n`), 0o644);
  return { path, files: resources.length, keyId };
}

interface Resource {
  readonly name: string;
  readonly digest: string;
  readonly algorithm: 'sha256';
}

async function readResources(
  dir: string,
  ignored: readonly string[],
  options: Pick<SignOptions, 'signal' | 'onBytes'>,
): Promise<{ readonly resources: Resource[]; readonly signatureFiles: string[] }> {
  const bundle = await openBundle(dir);
  if (bundle.format !== 'directory')
    throw new AppError(
      'invalid-input',
      'Only folders with the files of a model can be signed. Sign the folder, then pack it.',
    );
  const resources: Resource[] = [];
  const signatureFiles: string[] = [];
  for await (const { path, content } of bundle.files()) {
    const digest = createHash('sha256');
    for await (const chunk of content) {
      options.signal?.throwIfAborted();
      digest.update(chunk);
      options.onBytes?.(chunk.length);
    }
    if (isSignatureFile(path)) signatureFiles.push(path);
    else if (!isOutside(path, ignored))
      resources.push({ name: path, digest: digest.digest('hex'), algorithm: 'sha256' });
  }
  if (resources.length === 0)
    throw new AppError('invalid-input', 'The folder has no files to sign.');
  resources.sort((a, b) => compareCodePoints(a.name, b.name));
  return { resources, signatureFiles };
}

/** SHA-256 over the digests in order (OMS §6.5.1). */
function rootDigest(resources: readonly Resource[]): string {
  return hash(
    'sha256',
    Buffer.concat(resources.map(({ digest }) => Buffer.from(digest, 'hex'))),
    'hex',
  );
}

function verificationMaterial(
  key: KeyObject,
  { certificates }: SignOptions,
): { readonly material: Readonly<Record<string, unknown>>; readonly keyId: string } {
  const publicKey = createPublicKey(key);
  if (certificates === undefined) {
    const keyId = hash('sha256', String(publicKey.export({ type: 'spki', format: 'pem' })));
    return { material: { publicKey: { hint: keyId } }, keyId };
  }
  const chain = readCertificates(certificates.pem);
  const [leaf] = chain;
  if (leaf === undefined || !leaf.checkPrivateKey(key))
    throw new AppError(
      'invalid-input',
      'The first certificate of the file is not that of the signing key. Put it first, then those above it.',
    );
  const flaw = findLeafFlaw(leaf, certificates.now);
  if (flaw !== undefined)
    throw new AppError('invalid-input', `${flaw} Nobody would accept the signature.`);
  return {
    material: {
      x509CertificateChain: {
        certificates: chain.map(({ raw }) => ({ rawBytes: raw.toString('base64') })),
      },
    },
    keyId: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
  };
}

function readCertificates(text: string): X509Certificate[] {
  const blocks =
    text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)?.slice(0, 11) ?? [];
  try {
    if (blocks.length === 0 || blocks.length > 10) throw new Error('no chain');
    return blocks.map((block) => new X509Certificate(block));
  } catch (cause) {
    throw new AppError('invalid-input', 'This file is not a chain of PEM certificates.', { cause });
  }
}

/** OMS §6.2.1: exact relative paths, no patterns. */
function checkIgnoredPath(path: string): string {
  const clean = path.replace(/^\.\//, '').replace(/\/+$/, '');
  const parts = clean.split('/');
  if (/[*?[\\]/.test(clean) || parts.some((part) => part === '' || part === '..' || part === '.'))
    throw new AppError(
      'invalid-input',
      'A path to ignore is relative to the bundle, with / between its parts and without * ? [ or "..".',
    );
  return clean;
}

function readPrivateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new AppError('invalid-input', 'This file is not a PEM private key without a password.', {
      cause,
    });
  }
}

function curveHash(key: KeyObject): string {
  const algorithm = hashByCurve[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (algorithm === undefined)
    throw new AppError(
      'unsupported',
      'Bundle signatures use ECDSA on P-256, P-384 or P-521; this key is of another kind.',
    );
  return algorithm;
}

/** By Unicode code point, as the specification sorts names; UTF-8 bytes have the same order. */
function compareCodePoints(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
