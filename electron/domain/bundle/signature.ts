/**
 * OpenSSF Model Signing v1.0 (`model.sig`): a Sigstore bundle with a DSSE envelope around an in-toto statement that lists every
 * file and its digest. Verified offline by method `key` or `certificate` against the vault's trust list. Older forms
 * (v0.2 and v0.3.1 to v1.0.0) are read, never written.
 */
import { createPublicKey, hash, verify, X509Certificate, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import type { SignatureResult } from '#shared/contract/bundles.ts';
import { dsseEnvelope, inTotoPayloadType, preAuthenticationEncoding } from '#platform/dsse.ts';

export const signatureFileName = 'model.sig';
export const signaturePredicate = 'https://model_signing/signature/v1.0';
const oldPredicate = 'https://model_signing/Digests/v0.1';
/** Outside of every signature, at the top level. */
export const neverSigned: readonly string[] = ['.git', '.gitattributes', '.github', '.gitignore'];

/** What counts as a known signer; `identity` keeps the list. */
export interface TrustAnchor {
  readonly keyId: string;
  readonly name: string;
  readonly kind: 'key' | 'certificate';
  readonly pem: string;
}

const sigstoreBundle = z.looseObject({
  verificationMaterial: z.looseObject({
    publicKey: z.looseObject({ hint: z.string().optional() }).optional(),
    x509CertificateChain: z
      .looseObject({
        certificates: z
          .array(z.looseObject({ rawBytes: z.base64() }))
          .min(1)
          .max(10),
      })
      .optional(),
    certificate: z.looseObject({ rawBytes: z.base64() }).optional(),
  }),
  dsseEnvelope,
});

const hexDigest = z.string().regex(/^[0-9a-f]+$/);
const statement = z.object({
  _type: z.literal('https://in-toto.io/Statement/v1'),
  subject: z
    .array(z.object({ name: z.string().optional(), digest: z.record(z.string(), hexDigest) }))
    .min(1),
  predicateType: z.string(),
  predicate: z.looseObject({}).optional(),
});
const currentPredicate = z.object({
  resources: z
    .array(z.object({ name: z.string().min(1), digest: hexDigest, algorithm: z.string() }))
    .min(1),
  serialization: z.object({
    method: z.string(),
    hash_type: z.string(),
    allow_symlinks: z.boolean().optional(),
    ignore_paths: z.array(z.string()).optional(),
  }),
});

/** What the signed statement binds. */
interface SignedFiles {
  readonly sha256ByPath: ReadonlyMap<string, string>;
  readonly ignorePaths: readonly string[];
}

type Method = NonNullable<SignatureResult['method']>;

export interface CheckedSignature {
  readonly result: SignatureResult;
  /** Paths that the signer left out on purpose. */
  readonly ignorePaths: readonly string[];
}

export function checkSignature(input: {
  /** Content of `model.sig`, if there is one. */
  readonly signature: Uint8Array | undefined;
  /** Hex SHA-256 of every other file. */
  readonly sha256ByPath: ReadonlyMap<string, string>;
  readonly trust: readonly TrustAnchor[];
  readonly now: Date;
}): CheckedSignature {
  const none = { method: null, signer: null, keyId: null } as const;
  if (input.signature === undefined)
    return {
      result: { status: 'absent', ...none, reason: 'There is no model.sig in the bundle.' },
      ignorePaths: [],
    };
  try {
    const bundle = sigstoreBundle.parse(JSON.parse(Buffer.from(input.signature).toString('utf8')));
    const payload = Buffer.from(bundle.dsseEnvelope.payload, 'base64');
    const signed = readStatement(payload);
    const signer = findSigner(bundle, { payload, trust: input.trust, now: input.now });
    const mismatch = firstMismatch(signed, input.sha256ByPath);
    const { method, name, keyId } = signer;
    const facts = { method, signer: name, keyId };
    if (signer.status !== 'invalid' && mismatch !== undefined)
      return { result: { status: 'invalid', ...facts, reason: mismatch }, ignorePaths: [] };
    return {
      result: { status: signer.status, ...facts, reason: signer.reason },
      ignorePaths: signed.ignorePaths,
    };
  } catch (error) {
    if (error instanceof Unchecked)
      return { result: { status: 'untrusted', ...none, reason: error.message }, ignorePaths: [] };
    const reason =
      error instanceof Unacceptable
        ? error.message
        : 'The file model.sig is not an OpenSSF Model Signing bundle.';
    return { result: { status: 'invalid', ...none, reason }, ignorePaths: [] };
  }
}

/** A statement that is well formed and still cannot be accepted. */
class Unacceptable extends Error {}

/** A signature of a kind that cannot be judged here: nothing speaks for it, and nothing against it. */
class Unchecked extends Error {}

function readStatement(payload: Uint8Array): SignedFiles {
  const { subject, predicateType, predicate } = statement.parse(
    JSON.parse(Buffer.from(payload).toString('utf8')),
  );
  if (predicateType === oldPredicate) {
    return {
      sha256ByPath: uniquePaths(
        subject.map(({ name, digest }) => [name ?? '', digest['sha256'] ?? '']),
      ),
      ignorePaths: [],
    };
  }
  if (predicateType !== signaturePredicate)
    throw new Unacceptable(
      'The signature is about something else than a model (another predicate type).',
    );
  const { resources, serialization } = currentPredicate.parse(predicate);
  if (subject.length !== 1) throw new Unacceptable('The signature has several subjects.');
  if (serialization.method !== 'files')
    throw new Unchecked(
      `The signature lists ${serialization.method} instead of files, which is not checked here. Ask for one with the method "files".`,
    );
  if (
    serialization.hash_type !== 'sha256' ||
    resources.some(({ algorithm }) => algorithm !== 'sha256')
  ) {
    throw new Unchecked(
      'The signature uses another hash than SHA-256, which is not checked here. Ask for one with SHA-256.',
    );
  }
  const root = hash(
    'sha256',
    Buffer.concat(resources.map(({ digest }) => Buffer.from(digest, 'hex'))),
    'hex',
  );
  if (subject[0]?.digest['sha256'] !== root)
    throw new Unacceptable('The signed digest does not fit the list of files in the signature.');
  return {
    sha256ByPath: uniquePaths(resources.map(({ name, digest }) => [name, digest])),
    ignorePaths: serialization.ignore_paths ?? [],
  };
}

function uniquePaths(entries: readonly (readonly [string, string])[]): ReadonlyMap<string, string> {
  const paths = new Map(entries);
  if (paths.size !== entries.length) throw new Unacceptable('The signature lists a file twice.');
  return paths;
}

/** A sentence about the first file that is not as signed, or undefined. */
function firstMismatch(
  signed: SignedFiles,
  present: ReadonlyMap<string, string>,
): string | undefined {
  const [only, ...others] = [...present.keys()];
  // Before v1.1 a single signed file was listed as ".".
  const alone = signed.sha256ByPath.get('.');
  if (
    alone !== undefined &&
    signed.sha256ByPath.size === 1 &&
    only !== undefined &&
    others.length === 0
  ) {
    return present.get(only) === alone
      ? undefined
      : `The file ${only} is not the one that was signed.`;
  }
  for (const [path, digest] of signed.sha256ByPath) {
    const found = present.get(path);
    if (found === undefined) return `The signed file ${path} is missing.`;
    if (found !== digest) return `The file ${path} is not the one that was signed.`;
  }
  for (const path of present.keys()) {
    if (!signed.sha256ByPath.has(path) && !isOutside(path, signed.ignorePaths))
      return `The file ${path} is not covered by the signature.`;
  }
  return undefined;
}

/** Whether a path, or a folder above it, is one of those that a signature leaves out. */
export function isOutside(path: string, ignored: readonly string[]): boolean {
  return [...neverSigned, ...ignored].some(
    (outside) => path === outside || path.startsWith(`${outside}/`),
  );
}

interface Signer {
  readonly status: SignatureResult['status'];
  readonly method: Method;
  readonly name: string | null;
  readonly keyId: string | null;
  readonly reason: string;
}

function findSigner(
  bundle: z.infer<typeof sigstoreBundle>,
  context: {
    readonly payload: Uint8Array;
    readonly trust: readonly TrustAnchor[];
    readonly now: Date;
  },
): Signer {
  const { verificationMaterial, dsseEnvelope: envelope } = bundle;
  if (envelope.payloadType !== inTotoPayloadType)
    throw new Unacceptable('The signature covers something else than an in-toto statement.');
  const message = preAuthenticationEncoding(envelope.payloadType, context.payload);
  if (envelope.signatures.length !== 1)
    throw new Unacceptable('The file model.sig has more than one signature.');
  const signatures = envelope.signatures.map(({ sig }) => Buffer.from(sig, 'base64'));
  const isBy = (key: KeyObject): boolean =>
    signatures.some((signature) => isEcdsaSignature(key, message, signature));

  const chain = verificationMaterial.x509CertificateChain?.certificates;
  if (chain !== undefined)
    return certificateSigner(
      chain.map(({ rawBytes }) => new X509Certificate(Buffer.from(rawBytes, 'base64'))),
      { ...context, isBy },
    );
  if (verificationMaterial.certificate !== undefined) {
    return {
      status: 'untrusted',
      method: 'sigstore',
      name: null,
      keyId: null,
      reason:
        'The signature was made through the Sigstore service, which cannot be checked without a network.',
    };
  }
  const keyId = verificationMaterial.publicKey?.hint ?? null;
  const anchors = context.trust.filter(({ kind }) => kind === 'key');
  const match = anchors.find(({ pem }) => isBy(createPublicKey(pem)));
  if (match !== undefined)
    return {
      status: 'verified',
      method: 'key',
      name: match.name,
      keyId: match.keyId,
      reason: `Signed by ${match.name}, whose key is trusted here.`,
    };
  const hinted = anchors.find((anchor) => anchor.keyId === keyId);
  if (hinted !== undefined) {
    return {
      status: 'invalid',
      method: 'key',
      name: hinted.name,
      keyId,
      reason: `The signature names the key of ${hinted.name} and was not made with it.`,
    };
  }
  return {
    status: 'untrusted',
    method: 'key',
    name: null,
    keyId,
    reason: 'No trusted key fits the signature.',
  };
}

const codeSigningUsage = '1.3.6.1.5.5.7.3.3';

function certificateSigner(
  chain: readonly X509Certificate[],
  context: {
    readonly trust: readonly TrustAnchor[];
    readonly now: Date;
    readonly isBy: (key: KeyObject) => boolean;
  },
): Signer {
  const [leaf] = chain;
  if (leaf === undefined) throw new Unacceptable('The signature has an empty certificate chain.');
  const keyId = leaf.fingerprint256.replaceAll(':', '').toLowerCase();
  const own = commonName(leaf);
  const answer = (status: Signer['status'], reason: string, name: string | null = own): Signer => ({
    status,
    method: 'certificate',
    name,
    keyId,
    reason,
  });
  if (!context.isBy(leaf.publicKey))
    return answer('invalid', 'The signature was not made with the key of its certificate.');
  if (!isValidAt(leaf, context.now))
    return answer('untrusted', "The signer's certificate is not valid today.");
  if (!(leaf.keyUsage ?? []).includes(codeSigningUsage))
    return answer('untrusted', "The signer's certificate is not meant for signing code.");
  const anchors = context.trust
    .filter(({ kind }) => kind === 'certificate')
    .map((anchor) => ({ ...anchor, certificate: new X509Certificate(anchor.pem) }));
  for (const [at, certificate] of chain.entries()) {
    if (!isValidAt(certificate, context.now))
      return answer('untrusted', 'A certificate between signer and root is not valid today.');
    const anchor = anchors.find(
      ({ certificate: trusted }) =>
        trusted.raw.equals(certificate.raw) || isIssuedBy(certificate, trusted),
    );
    if (anchor !== undefined && !isValidAt(anchor.certificate, context.now))
      return answer('untrusted', `The certificate of ${anchor.name} is not valid today.`);
    if (anchor !== undefined)
      return answer(
        'verified',
        `Signed by ${own ?? 'a certificate'} under ${anchor.name}, whose certificate is trusted here.`,
        anchor.name,
      );
    const next = chain[at + 1];
    if (next !== undefined && !isIssuedBy(certificate, next))
      return answer('untrusted', 'The certificates of the signature do not form a chain.');
  }
  return answer('untrusted', 'The chain of certificates leads to none that is trusted here.');
}

function isValidAt({ validFrom, validTo }: X509Certificate, now: Date): boolean {
  return now >= new Date(validFrom) && now <= new Date(validTo);
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function commonName(certificate: X509Certificate): string | null {
  return /^CN=(.+)$/m.exec(certificate.subject)?.[1] ?? null;
}

export const hashByCurve: Readonly<Record<string, string>> = {
  prime256v1: 'sha256',
  secp384r1: 'sha384',
  secp521r1: 'sha512',
};

function isEcdsaSignature(key: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  const algorithm = hashByCurve[key.asymmetricKeyDetails?.namedCurve ?? ''];
  return algorithm !== undefined && verify(algorithm, message, key, signature);
}
