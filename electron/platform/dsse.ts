/**
 * DSSE v1 envelopes (https://github.com/secure-systems-lab/dsse) and in-toto statements: the pre-authentication
 * encoding and the JSON form. Which keys count is for the caller to decide.
 */
import { z } from 'zod';

export const dsseEnvelope = z.object({
  payload: z.base64(),
  payloadType: z.string(),
  signatures: z.array(z.object({ sig: z.base64(), keyid: z.string().nullish() })).min(1),
});
export type DsseEnvelope = z.infer<typeof dsseEnvelope>;

export const inTotoPayloadType = 'application/vnd.in-toto+json';

/** `DSSEv1 <len type> <type> <len payload> <payload>`: the bytes that are signed. */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = Buffer.from(payloadType, 'utf8');
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${type.length} `),
    type,
    Buffer.from(` ${payload.length} `),
    payload,
  ]);
}

/** An envelope around an in-toto statement with one signature, made by the caller's key. */
export function signStatement(
  statement: unknown,
  key: { readonly keyid: string; readonly sign: (message: Uint8Array) => Uint8Array },
): DsseEnvelope {
  const payload = Buffer.from(JSON.stringify(statement));
  const signature = key.sign(preAuthenticationEncoding(inTotoPayloadType, payload));
  return {
    payload: payload.toString('base64'),
    payloadType: inTotoPayloadType,
    signatures: [{ keyid: key.keyid, sig: Buffer.from(signature).toString('base64') }],
  };
}
