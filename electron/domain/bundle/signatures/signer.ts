/** Whose signature it is, by each method of OpenSSF Model Signing: a key, a chain of certificates, or Sigstore. */
import { createPublicKey, hash, X509Certificate, type KeyObject } from 'node:crypto';
import type { SignatureResult } from '#shared/contract/bundles.ts';
import { findTrustedPath, nameOf } from './certificate.ts';
import { hashByCurve, Unacceptable, type SignatureFile } from './envelope.ts';
import { verifySigstore, type SigstoreIdentity } from './sigstore.ts';

/** What counts as a known signer; `identity` keeps the list. */
export interface TrustAnchor {
  readonly keyId: string;
  readonly name: string;
  /** A label for policies, such as `maker` or `validator`. */
  readonly role?: string | null | undefined;
  readonly kind: 'key' | 'certificate' | 'sigstore';
  /** PEM text; for `sigstore` the JSON text of a trusted root. */
  readonly pem: string;
  /** For `sigstore`: the only one whose signatures count under this root. */
  readonly identity?: SigstoreIdentity | null | undefined;
}

export interface TrustedSigner {
  readonly anchor: TrustAnchor;
  /** Different for different people, as far as names and subjects tell. */
  readonly who: string;
  /** Different for different keys. */
  readonly key: string;
}

export interface FoundSigner {
  readonly result: SignatureResult;
  /** Present if and only if the status is `verified`. */
  readonly by: TrustedSigner | undefined;
}

export const nobody = {
  method: null,
  signer: null,
  keyId: null,
  anchorId: null,
  expiresAt: null,
} as const;

interface Context {
  readonly trust: readonly TrustAnchor[];
  readonly now: Date;
}

/** Judges who signed, not yet what: the files are compared by the caller. Throws `Unacceptable`. */
export function findSigner(file: SignatureFile, context: Context): FoundSigner {
  const { x509CertificateChain, certificate } = file.material;
  if (x509CertificateChain !== undefined)
    return byCertificate(file, readCertificates(x509CertificateChain.certificates), context);
  if (certificate !== undefined) return bySigstore(file, readCertificates([certificate]), context);
  return byKey(file, context);
}

function byKey(file: SignatureFile, { trust }: Context): FoundSigner {
  const { publicKey } = file.material;
  if (publicKey === undefined)
    throw new Unacceptable('The signature does not say by what it can be verified.');
  const keyId = publicKey.hint ?? keyIdOf(publicKey.rawBytes ?? undefined);
  const facts = { ...nobody, method: 'key', keyId } as const;
  const anchors = trust.filter(({ kind }) => kind === 'key');
  const anchor = anchors.find(({ pem }) => file.isBy(createPublicKey(pem)));
  if (anchor !== undefined)
    return {
      result: {
        ...facts,
        status: 'verified',
        signer: anchor.name,
        keyId: anchor.keyId,
        anchorId: anchor.keyId,
        reason: `Signed by ${anchor.name}, whose key is trusted here.`,
      },
      by: { anchor, who: whoOf(anchor.name), key: fingerprint(createPublicKey(anchor.pem)) },
    };
  const hinted = anchors.find((one) => one.keyId === keyId);
  if (hinted === undefined) return untrusted(facts, 'No trusted key fits the signature.');
  return invalid(
    { ...facts, signer: hinted.name },
    `The signature names the key of ${hinted.name} and was not made with it.`,
  );
}

/** Before version 1.1 the key itself stood in the bundle, as the base64 of its PEM text. */
function keyIdOf(rawBytes: string | undefined): string | null {
  return rawBytes === undefined ? null : hash('sha256', Buffer.from(rawBytes, 'base64'), 'hex');
}

function byCertificate(
  file: SignatureFile,
  chain: readonly X509Certificate[],
  { trust, now }: Context,
): FoundSigner {
  const [leaf] = chain;
  if (leaf === undefined) throw new Unacceptable('The signature has no certificate.');
  const facts = {
    ...nobody,
    method: 'certificate',
    signer: nameOf(leaf),
    keyId: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
  } as const;
  if (hashByCurve[leaf.publicKey.asymmetricKeyDetails?.namedCurve ?? ''] === undefined)
    return untrusted(
      facts,
      `The key of ${nameOf(leaf)} is of another kind than ECDSA on P-256, P-384 or P-521, which cannot be checked here.`,
    );
  if (!file.isBy(leaf.publicKey))
    return invalid(facts, 'The signature was not made with the key of its certificate.');
  const roots = trust
    .filter(({ kind }) => kind === 'certificate')
    .map((anchor) => ({ anchor, certificate: new X509Certificate(anchor.pem) }));
  const found = findTrustedPath(chain, roots, now);
  if ('flaw' in found) return untrusted(facts, found.flaw);
  const { anchor, expiresAt } = found;
  return {
    result: {
      ...facts,
      status: 'verified',
      signer: anchor.name,
      anchorId: anchor.keyId,
      expiresAt: expiresAt.toISOString(),
      reason: `Signed by ${nameOf(leaf)} under ${anchor.name}, whose certificate is trusted here.`,
    },
    by: { anchor, who: whoOf(leaf.subject), key: fingerprint(leaf.publicKey) },
  };
}

function bySigstore(
  file: SignatureFile,
  [certificate]: readonly X509Certificate[],
  { trust }: Context,
): FoundSigner {
  const facts = {
    ...nobody,
    method: 'sigstore',
    keyId: certificate?.fingerprint256.replaceAll(':', '').toLowerCase() ?? null,
  } as const;
  const anchors = trust.filter(({ kind }) => kind === 'sigstore');
  if (anchors.length === 0)
    return untrusted(
      facts,
      'The signature was made through the Sigstore service, and no Sigstore root is trusted here. An administrator can import a trusted_root.json for its signer, or the sender can sign with a key.',
    );
  let worst: FoundSigner | undefined;
  for (const anchor of anchors) {
    if (anchor.identity == null) continue;
    const found = verifySigstore(file.json, { root: anchor.pem, identity: anchor.identity });
    if (found.status === 'verified')
      return {
        result: {
          ...facts,
          status: 'verified',
          signer: anchor.name,
          anchorId: anchor.keyId,
          reason: `Signed by ${anchor.name} (${found.identity.subject}), witnessed by the Sigstore log that is trusted here.`,
        },
        by: { anchor, who: whoOf(found.identity.subject), key: found.publicKey },
      };
    worst =
      found.status === 'invalid'
        ? invalid(facts, found.reason)
        : (worst ?? untrusted(facts, found.reason));
  }
  return worst ?? untrusted(facts, 'No Sigstore root of the trust list names a signer.');
}

type Facts = Omit<SignatureResult, 'status' | 'reason'>;

function untrusted(facts: Facts, reason: string): FoundSigner {
  return { result: { ...facts, status: 'untrusted', reason }, by: undefined };
}

function invalid(facts: Facts, reason: string): FoundSigner {
  return { result: { ...facts, status: 'invalid', reason }, by: undefined };
}

function readCertificates(list: readonly { readonly rawBytes: string }[]): X509Certificate[] {
  try {
    return list.map(({ rawBytes }) => {
      const certificate = new X509Certificate(Buffer.from(rawBytes, 'base64'));
      // The getter throws for a key of an unknown kind; later nobody expects that.
      void certificate.publicKey;
      return certificate;
    });
  } catch {
    throw new Unacceptable('A certificate of the signature cannot be read.');
  }
}

function whoOf(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

function fingerprint(key: KeyObject): string {
  return hash('sha256', key.export({ type: 'spki', format: 'der' }));
}
