/**
 * From a signer's certificate to one of the trust list: RFC 5280 §6 as far as it matters to signatures of code. Every certificate of
 * the path, the trusted one included, must be valid now: a signature of this kind carries no time that anybody has witnessed.
 * There is no revocation list offline. What a certificate demands and nobody here understands refuses the path.
 */
import type { X509Certificate } from 'node:crypto';
import { X509Certificate as X509Extensions } from '@sigstore/core';

/** Extensions that are checked below, or change nothing about who may sign what. */
const understood = new Set([
  '2.5.29.14', // subject key identifier
  '2.5.29.15', // key usage
  '2.5.29.17', // subject alternative name
  '2.5.29.19', // basic constraints
  '2.5.29.35', // authority key identifier
  '2.5.29.37', // extended key usage
]);
/** Name constraints, policy constraints, inhibit any policy: they limit the path in ways that are not checked here. */
const limiting = ['2.5.29.30', '2.5.29.36', '2.5.29.54'];
const codeSigning = '1.3.6.1.5.5.7.3.3';
const anyUsage = '2.5.29.37.0';

/** Certificates may be made to issue each other in circles. */
const mostSteps = 64;

export interface Root<Anchor> {
  readonly anchor: Anchor;
  readonly certificate: X509Certificate;
}

export type PathResult<Anchor> =
  { readonly anchor: Anchor; readonly expiresAt: Date } | { readonly flaw: string };

/** The leaf comes first in `chain`; the order of the others does not matter. */
export function findTrustedPath<Anchor>(
  chain: readonly X509Certificate[],
  roots: readonly Root<Anchor>[],
  now: Date,
): PathResult<Anchor> {
  const [leaf, ...others] = chain;
  if (leaf === undefined) return { flaw: 'The signature has an empty chain of certificates.' };
  const ownFlaw = findLeafFlaw(leaf, now);
  if (ownFlaw !== undefined) return { flaw: ownFlaw };
  let flaw: string | undefined;
  let steps = 0;
  const follow = (path: readonly X509Certificate[]): PathResult<Anchor> | undefined => {
    const last = path.at(-1);
    if (last === undefined) return undefined;
    const ends = roots.flatMap(({ anchor, certificate }) =>
      certificate.raw.equals(last.raw)
        ? [{ anchor, whole: path }]
        : isIssuedBy(last, certificate)
          ? [{ anchor, whole: [...path, certificate] }]
          : [],
    );
    for (const { anchor, whole } of ends) {
      const found = findPathFlaw(whole, now);
      if (found === undefined) return { anchor, expiresAt: firstEnd(whole) };
      flaw ??= found;
    }
    for (const next of others) {
      steps += 1;
      if (steps > mostSteps || path.includes(next) || !isIssuedBy(last, next)) continue;
      const found = follow([...path, next]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return (
    follow([leaf]) ?? {
      flaw: flaw ?? 'The chain of certificates leads to none that is trusted here.',
    }
  );
}

/** Why a certificate cannot sign bundles, or undefined. */
export function findLeafFlaw(leaf: X509Certificate, now: Date): string | undefined {
  const name = nameOf(leaf);
  const flaw = findCommonFlaw(leaf, now);
  if (flaw !== undefined) return flaw;
  if (new X509Extensions(parseDer(leaf)).extKeyUsage?.digitalSignature === false)
    return `The certificate of ${name} is not meant for signatures (key usage).`;
  if (!(leaf.keyUsage ?? []).includes(codeSigning))
    return `The certificate of ${name} is not meant for signing code (extended key usage).`;
  return undefined;
}

function findPathFlaw(path: readonly X509Certificate[], now: Date): string | undefined {
  for (const [at, certificate] of path.entries()) {
    if (at === 0) continue;
    const name = nameOf(certificate);
    const flaw = findCommonFlaw(certificate, now);
    if (flaw !== undefined) return flaw;
    const { extBasicConstraints, extKeyUsage } = new X509Extensions(parseDer(certificate));
    if (!certificate.ca) return `The certificate of ${name} may not issue others.`;
    const length = extBasicConstraints?.pathLenConstraint;
    if (length !== undefined && length < BigInt(at - 1))
      return `The chain is longer than the certificate of ${name} allows.`;
    if (extKeyUsage?.keyCertSign === false)
      return `The certificate of ${name} may not sign certificates (key usage).`;
    const usages = certificate.keyUsage;
    if (usages !== undefined && !usages.includes(codeSigning) && !usages.includes(anyUsage))
      return `The certificate of ${name} may not issue certificates for signing code (extended key usage).`;
  }
  return undefined;
}

function findCommonFlaw(certificate: X509Certificate, now: Date): string | undefined {
  const name = nameOf(certificate);
  if (now < certificate.validFromDate)
    return `The certificate of ${name} is not valid before ${day(certificate.validFromDate)}.`;
  if (now > certificate.validToDate)
    return `The certificate of ${name} is not valid after ${day(certificate.validToDate)}.`;
  let extensions: readonly { readonly oid: string; readonly critical: boolean }[];
  try {
    const parsed = new X509Extensions(parseDer(certificate));
    extensions = parsed.extensions.flatMap((part) => {
      const oid = part.subs[0]?.toOID() ?? '';
      const extension = parsed.extension(oid);
      return extension === undefined ? [] : [{ oid, critical: extension.critical }];
    });
  } catch {
    return `The certificate of ${name} cannot be read.`;
  }
  if (new Set(extensions.map(({ oid }) => oid)).size !== extensions.length)
    return `The certificate of ${name} has an extension twice.`;
  const unknown = extensions.find(
    ({ oid, critical }) => limiting.includes(oid) || (critical && !understood.has(oid)),
  );
  if (unknown !== undefined)
    return `The certificate of ${name} makes a condition that is not understood here (${unknown.oid}).`;
  const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey;
  if (asymmetricKeyType === 'rsa' && (asymmetricKeyDetails?.modulusLength ?? 0) < 2048)
    return `The key of ${name} is too short.`;
  if (/md5|sha1\b|sha1With/i.test(certificate.signatureAlgorithm ?? ''))
    return `The certificate of ${name} is signed with a hash that is broken.`;
  return undefined;
}

function parseDer(certificate: X509Certificate) {
  return X509Extensions.parse(Buffer.from(certificate.raw)).root;
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function firstEnd(path: readonly X509Certificate[]): Date {
  return new Date(Math.min(...path.map(({ validToDate }) => validToDate.getTime())));
}

export function nameOf(certificate: X509Certificate): string {
  const name = /^CN=(.+)$/m.exec(certificate.subject)?.[1] ?? certificate.subject;
  return (
    name
      .replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, ' ')
      .slice(0, 100)
      .trim() || 'no name'
  );
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}
