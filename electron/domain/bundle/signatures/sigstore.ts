/**
 * Method `sigstore`, offline: against a Sigstore trusted root that an administrator imported, by Sigstore's own verifier, which opens
 * no connection. The certificate must lead to the root's authority at the time that the root's log has signed for, carry a
 * certificate-transparency timestamp of the root's log, and stand in the root's transparency log with a proof; then its
 * subject and issuer must be exactly those that were trusted.
 */
import { hash, X509Certificate } from 'node:crypto';
import { bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, VerificationError, Verifier } from '@sigstore/verify';
import { printable } from './statement.ts';

export interface SigstoreIdentity {
  /** E-mail address or URI, as the certificate has it. */
  readonly subject: string;
  /** URL of the service that vouched for the subject. */
  readonly issuer: string;
}

export type SigstoreResult =
  | { readonly status: 'verified'; readonly publicKey: string; readonly identity: SigstoreIdentity }
  | { readonly status: 'untrusted' | 'invalid'; readonly reason: string };

const codeSigning = '1.3.6.1.5.5.7.3.3';

export function verifySigstore(
  json: unknown,
  trusted: { readonly root: string; readonly identity: SigstoreIdentity },
): SigstoreResult {
  try {
    const root = parseTrustedRoot(trusted.root);
    const bundle = bundleFromJSON(json);
    const { content } = bundle.verificationMaterial;
    if (content.$case !== 'certificate')
      return { status: 'invalid', reason: 'The signature has no single certificate.' };
    // Timestamps of authorities that the root does not name say nothing; the log's own time is needed then.
    if (root.timestampAuthorities.length === 0)
      bundle.verificationMaterial.timestampVerificationData = undefined;
    const signer = new Verifier(toTrustMaterial(root)).verify(toSignedEntity(bundle));
    const certificate = new X509Certificate(content.certificate.rawBytes);
    if (!(certificate.keyUsage ?? []).includes(codeSigning))
      return {
        status: 'untrusted',
        reason: "The signer's certificate is not meant for signing code.",
      };
    const subject = signer.identity?.subjectAlternativeName ?? '';
    const issuer = signer.identity?.extensions?.issuer ?? '';
    if (subject !== trusted.identity.subject || issuer !== trusted.identity.issuer)
      return {
        status: 'untrusted',
        reason: `The signature was made by ${printable(subject)} (vouched for by ${printable(issuer)}), who is not trusted here.`,
      };
    return {
      status: 'verified',
      publicKey: hash('sha256', certificate.publicKey.export({ type: 'spki', format: 'der' })),
      identity: { subject, issuer },
    };
  } catch (error) {
    const code = error instanceof VerificationError ? error.code : 'FORM_ERROR';
    return code === 'SIGNATURE_ERROR' || code === 'TLOG_BODY_ERROR'
      ? { status: 'invalid', reason: 'The signature was not made with the key of its certificate.' }
      : {
          status: 'untrusted',
          reason: `The Sigstore evidence does not hold under the trusted root (${code}).`,
        };
  }
}

/** Throws for anything else than a trusted root with an authority, a transparency log and a certificate log. */
export function parseTrustedRoot(text: string): TrustedRoot {
  const root = TrustedRoot.fromJSON(JSON.parse(text));
  if (
    root.certificateAuthorities.length === 0 ||
    root.tlogs.length === 0 ||
    root.ctlogs.length === 0
  )
    throw new Error('A trusted root needs an authority, a log and a certificate log.');
  toTrustMaterial(root); // every key and certificate in it must parse
  return root;
}
