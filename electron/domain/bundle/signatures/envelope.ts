/** A signature file as it stands: a Sigstore bundle around a DSSE envelope (OMS 1.0 §4), parsed and bounded, nothing verified yet. */
import { verify, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { utf8Text } from '#platform/utf8.ts';
import { dsseEnvelope, inTotoPayloadType, preAuthenticationEncoding } from '#platform/dsse.ts';

/** A signature that is well formed and still cannot be accepted. */
export class Unacceptable extends Error {}

/** A signature of a kind that cannot be judged here: nothing speaks for it, and nothing against it. */
export class Unchecked extends Error {}

const certificate = z.looseObject({ rawBytes: z.base64() });
const sigstoreBundle = z.looseObject({
  mediaType: z.string().startsWith('application/vnd.dev.sigstore.bundle'),
  verificationMaterial: z.looseObject({
    /** `rawBytes` holds the PEM text itself before version 1.1 of the reference implementation. */
    publicKey: z
      .looseObject({ hint: z.string().nullish(), rawBytes: z.base64().nullish() })
      .optional(),
    x509CertificateChain: z
      .looseObject({ certificates: z.array(certificate).min(1).max(10) })
      .optional(),
    certificate: certificate.optional(),
  }),
  dsseEnvelope,
});

export interface SignatureFile {
  readonly json: unknown;
  readonly material: z.infer<typeof sigstoreBundle>['verificationMaterial'];
  readonly payload: Buffer;
  readonly isBy: (key: KeyObject) => boolean;
}

/** Throws `Unacceptable`. */
export function parseSignatureFile(bytes: Uint8Array): SignatureFile {
  const json = readJson(bytes);
  const parsed = sigstoreBundle.safeParse(json);
  if (!parsed.success) throw new Unacceptable('The file is not an OpenSSF Model Signing bundle.');
  const { verificationMaterial, dsseEnvelope: envelope } = parsed.data;
  const [signature, ...others] = envelope.signatures;
  if (envelope.payloadType !== inTotoPayloadType)
    throw new Unacceptable('The signature covers something else than an in-toto statement.');
  if (signature === undefined || others.length > 0)
    throw new Unacceptable('The file has more than one signature.');
  const payload = Buffer.from(envelope.payload, 'base64');
  const made = Buffer.from(signature.sig, 'base64');
  return {
    json,
    material: verificationMaterial,
    payload,
    isBy(key) {
      const algorithm = hashByCurve[key.asymmetricKeyDetails?.namedCurve ?? ''];
      if (algorithm === undefined) return false;
      return (
        verify(algorithm, preAuthenticationEncoding(inTotoPayloadType, payload), key, made) ||
        verify('sha256', encodingOfOldReference(payload), key, made)
      );
    },
  };
}

/** The digest that goes with a curve (OMS algorithm registry). */
export const hashByCurve: Readonly<Record<string, string>> = {
  prime256v1: 'sha256',
  secp384r1: 'sha384',
  secp521r1: 'sha512',
};

/**
 * What version 0.2.0 of the reference implementation signed by mistake, with SHA-256 on every curve: `DSSEV1` and the payload as
 * Python prints bytes. It is as unambiguous as the right encoding, and no right encoding begins like it.
 */
function encodingOfOldReference(payload: Buffer): Uint8Array {
  const named: Readonly<Record<number, string>> = {
    0x09: '\\t',
    0x0a: '\\n',
    0x0d: '\\r',
    0x27: "\\'",
    0x5c: '\\\\',
  };
  let printed = '';
  for (const byte of payload)
    printed +=
      named[byte] ??
      (byte >= 0x20 && byte < 0x7f
        ? String.fromCharCode(byte)
        : `\\x${byte.toString(16).padStart(2, '0')}`);
  return Buffer.from(
    `DSSEV1 ${inTotoPayloadType.length} ${inTotoPayloadType} ${payload.length} b'${printed}'`,
  );
}

export function readJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8Text(bytes));
  } catch {
    throw new Unacceptable('The file is not JSON.');
  }
}
