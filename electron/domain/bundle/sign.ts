/** The maker's side: a key pair, and `model.sig` for a folder (OpenSSF Model Signing v1.0, method `key`). */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  sign,
  type KeyObject,
} from 'node:crypto';
import { basename, join } from 'node:path';
import { AppError } from '#shared/errors.ts';
import { writeFileAtomic } from '#platform/atomic-file.ts';
import { inTotoPayloadType, preAuthenticationEncoding } from '#platform/dsse.ts';
import { openBundle } from './containers/open.ts';
import {
  hashByCurve,
  isOutside,
  neverSigned,
  signatureFileName,
  signaturePredicate,
} from './signature.ts';

export interface SigningKeyPair {
  readonly privatePem: string;
  readonly publicPem: string;
  readonly keyId: string;
}

/** ECDSA P-256; the private key is PKCS#8 without a password. */
export function generateSigningKey(): SigningKeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const publicPem = String(publicKey.export({ type: 'spki', format: 'pem' }));
  return {
    privatePem: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    publicPem,
    keyId: hash('sha256', publicPem),
  };
}

/** Writes `model.sig` into the folder, in place of an older one. */
export async function signFolder(
  dir: string,
  options: {
    readonly privatePem: string;
    readonly onBytes?: (count: number) => void;
    readonly signal?: AbortSignal;
  },
): Promise<{ readonly path: string; readonly files: number; readonly keyId: string }> {
  const key = readPrivateKey(options.privatePem);
  const bundle = await openBundle(dir);
  if (bundle.format !== 'directory')
    throw new AppError(
      'invalid-input',
      'Only folders with the files of a model can be signed. Sign the folder, then pack it.',
    );
  const resources: { name: string; digest: string; algorithm: 'sha256' }[] = [];
  for await (const { path, content } of bundle.files()) {
    const digest = createHash('sha256');
    for await (const chunk of content) {
      options.signal?.throwIfAborted();
      digest.update(chunk);
      options.onBytes?.(chunk.length);
    }
    if (path !== signatureFileName && !isOutside(path, []))
      resources.push({ name: path, digest: digest.digest('hex'), algorithm: 'sha256' });
  }
  if (resources.length === 0)
    throw new AppError('invalid-input', 'The folder has no files to sign.');
  resources.sort((a, b) => compareCodePoints(a.name, b.name));
  const root = hash(
    'sha256',
    Buffer.concat(resources.map(({ digest }) => Buffer.from(digest, 'hex'))),
    'hex',
  );
  const payload = Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: basename(dir), digest: { sha256: root } }],
      predicateType: signaturePredicate,
      predicate: {
        resources,
        serialization: {
          method: 'files',
          hash_type: 'sha256',
          allow_symlinks: false,
          ignore_paths: [...neverSigned, signatureFileName],
        },
      },
    }),
  );
  const publicPem = String(createPublicKey(key).export({ type: 'spki', format: 'pem' }));
  const keyId = hash('sha256', publicPem);
  const signature = sign(
    curveHash(key),
    preAuthenticationEncoding(inTotoPayloadType, payload),
    key,
  );
  const envelope = {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint: keyId }, tlogEntries: [] },
    dsseEnvelope: {
      payload: payload.toString('base64'),
      payloadType: inTotoPayloadType,
      signatures: [{ sig: signature.toString('base64'), keyid: '' }],
    },
  };
  const path = join(dir, signatureFileName);
  await writeFileAtomic(path, Buffer.from(`${JSON.stringify(envelope, null, 2)}\n`), 0o644);
  return { path, files: resources.length, keyId };
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
