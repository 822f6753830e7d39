import { z } from 'zod';
import { fileToken, modelName, reason, timestamp } from '../ids.ts';
import { method, none } from '../rpc.ts';
import { administrators, everyone } from '../roles.ts';

export const trustedKey = z.strictObject({
  /** Hex SHA-256 of the PEM text of the public key (or of the certificate). */
  keyId: z.string(),
  name: modelName,
  kind: z.enum(['key', 'certificate']),
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
    input: z.strictObject({ name: modelName, file: fileToken, reason: reason.optional() }),
    output: trustedKey,
    access: administrators,
    action: 'trust.add',
    about: 'Trusts a public key or certificate from a PEM file.',
  }),
  remove: method({
    input: z.strictObject({ keyId: z.string().min(1).max(120), reason: reason.optional() }),
    output: trustedKey,
    access: administrators,
    action: 'trust.remove',
    about: 'Stops trusting a key; versions that came in under it stay and are marked.',
  }),
};
