/** What an administrator can trust: a public key, a certificate, or a Sigstore root for one signer. */
import { createHash, createPublicKey, X509Certificate, type KeyObject } from 'node:crypto';
import { AppError } from '#shared/errors.ts';
import type { SigstoreIdentity } from '#shared/contract/trust.ts';
import { canonicalBytes } from '#platform/canonical-json.ts';
import { parseTrustedRoot } from '#domain/bundle/index.ts';

export interface TrustAnchor {
  readonly keyId: string;
  readonly name: string;
  readonly role: string | null;
  readonly kind: 'key' | 'certificate' | 'sigstore';
  /** PEM text; for `sigstore` the JSON text of a trusted root. */
  readonly pem: string;
  readonly identity: SigstoreIdentity | null;
}

export interface ParsedAnchor extends TrustAnchor {
  /** Such as `ECDSA P-256`. */
  readonly algorithm: string;
  readonly expiresAt: string | undefined;
}

/**
 * Reads a PEM public key (ECDSA P-256, P-384 or P-521) or X.509 certificate. The key id is the hex SHA-256 of
 * the public key's PEM text, as OpenSSF Model Signing writes its hint; of a certificate, of its DER bytes; of a Sigstore root, of
 * its canonical JSON with the one identity that counts under it.
 */
export function parseTrustAnchor(
  name: string,
  text: string,
  as: { readonly role?: string | undefined; readonly identity?: SigstoreIdentity | undefined } = {},
): ParsedAnchor {
  const role = as.role ?? null;
  if (/PRIVATE KEY-----/.test(text)) {
    throw new AppError(
      'invalid-input',
      'This file holds a private key. Add the public key instead, and keep the private key off this machine.',
    );
  }
  if (text.trimStart().startsWith('{'))
    return sigstoreAnchor(name, text, { role, identity: as.identity });
  if (as.identity !== undefined)
    throw new AppError(
      'invalid-input',
      'An identity belongs to a Sigstore root (trusted_root.json); this file is none.',
    );
  if (text.includes('-----BEGIN CERTIFICATE-----')) {
    const certificate = attempt(() => new X509Certificate(text));
    return {
      name,
      role,
      identity: null,
      kind: 'certificate',
      keyId: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
      pem: certificate.toString(),
      algorithm: certificate.ca
        ? `CA, ${authorityAlgorithm(certificate.publicKey)}`
        : keyAlgorithm(certificate.publicKey),
      expiresAt: new Date(certificate.validTo).toISOString(),
    };
  }
  const key = attempt(() => createPublicKey(text));
  const pem = String(key.export({ type: 'spki', format: 'pem' }));
  return {
    name,
    role,
    identity: null,
    kind: 'key',
    keyId: createHash('sha256').update(pem).digest('hex'),
    pem,
    algorithm: keyAlgorithm(key),
    expiresAt: undefined,
  };
}

/** A root alone would trust everybody with a mail address, so it counts for one identity only. */
function sigstoreAnchor(
  name: string,
  text: string,
  {
    role,
    identity,
  }: { readonly role: string | null; readonly identity: SigstoreIdentity | undefined },
): ParsedAnchor {
  if (identity === undefined)
    throw new AppError(
      'invalid-input',
      'A Sigstore root needs the signer that it stands for: the identity (mail address or URI) and the issuer (URL) in their certificate.',
    );
  try {
    parseTrustedRoot(text);
  } catch (cause) {
    throw new AppError('invalid-input', 'This file is not a Sigstore trusted root.', { cause });
  }
  const body = canonicalBytes({ root: JSON.parse(text) as object, identity });
  return {
    name,
    role,
    identity,
    kind: 'sigstore',
    keyId: createHash('sha256').update(body).digest('hex'),
    pem: text,
    algorithm: 'Sigstore',
    expiresAt: undefined,
  };
}

/** A certificate authority may use RSA for its own signatures; the signer below it must still use ECDSA. */
function authorityAlgorithm(key: KeyObject): string {
  if (key.asymmetricKeyType === 'rsa')
    return `RSA ${key.asymmetricKeyDetails?.modulusLength ?? ''}`.trim();
  return keyAlgorithm(key);
}

const curveNames: Readonly<Record<string, string>> = {
  prime256v1: 'ECDSA P-256',
  secp384r1: 'ECDSA P-384',
  secp521r1: 'ECDSA P-521',
};

function keyAlgorithm(key: KeyObject): string {
  const curve = key.asymmetricKeyDetails?.namedCurve ?? '';
  const named = curveNames[curve];
  if (key.asymmetricKeyType === 'ec' && named !== undefined) return named;
  throw new AppError(
    'unsupported',
    'Bundle signatures use ECDSA on P-256, P-384 or P-521; this key is of another kind.',
  );
}

function attempt<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new AppError('invalid-input', 'This file is not a PEM public key or certificate.', {
      cause,
    });
  }
}
