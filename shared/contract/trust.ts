import { z } from 'zod';
import { fileToken, modelName, reason, timestamp } from '../ids.ts';
import { method, none } from '../rpc.ts';
import { administrators, everyone } from '../roles.ts';

export const sigstoreIdentity = z.strictObject({
  /** Mail address or URI, exactly as the certificate has it. */
  subject: z.string().min(1).max(500),
  /** URL of the service that vouched for the subject. */
  issuer: z.string().min(1).max(500),
});
export type SigstoreIdentity = z.infer<typeof sigstoreIdentity>;

/** A label for the policy of signers, such as `maker` or `validator`. */
const signerRole = z.string().trim().min(1).max(90);

export const trustedKey = z.strictObject({
  /** Hex SHA-256 of the PEM text of a public key, of the DER of a certificate, or of a root and its identity. */
  keyId: z.string(),
  name: modelName,
  kind: z.enum(['key', 'certificate', 'sigstore']),
  role: signerRole.nullable(),
  /** Whose signatures count under a Sigstore root. */
  identity: sigstoreIdentity.nullable(),
  /** Such as `ECDSA P-256`. */
  algorithm: z.string(),
  addedAt: timestamp,
  addedBy: z.string(),
  /** End of validity of a certificate. */
  expiresAt: timestamp.nullable(),
  note: z.string().nullable(),
});
export type TrustedKey = z.infer<typeof trustedKey>;

export const trust = {
  list: method({
    input: none,
    output: z.array(trustedKey),
    access: everyone,
    about: 'Lists the keys and certificates whose signatures this vault accepts.',
  }),
  add: method({
    input: z.strictObject({
      name: modelName,
      file: fileToken,
      role: signerRole.optional(),
      /** Needed with a Sigstore trusted root, and only there. */
      identity: sigstoreIdentity.optional(),
      reason: reason.optional(),
    }),
    output: trustedKey,
    access: administrators,
    action: 'trust.add',
    about:
      'Trusts a public key or certificate (PEM), or a Sigstore trusted root (JSON) for one signer.',
  }),
  remove: method({
    input: z.strictObject({ keyId: z.string().min(1).max(120), reason: reason.optional() }),
    output: trustedKey,
    access: administrators,
    action: 'trust.remove',
    about: 'Stops trusting a key; versions that came in under it stay and are marked.',
  }),
};
