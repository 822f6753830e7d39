/** What every statement in a DSSE envelope goes through, whatever it states: signature, signer, form. */
import { z } from 'zod';
import type { FileVerdict } from '#shared/contract/audit.ts';
import { AppError } from '#shared/errors.ts';
import { dsseEnvelope, inTotoPayloadType, preAuthenticationEncoding } from '#platform/dsse.ts';
import {
  isSignature,
  parseKeyHistory,
  parseVerifierKey,
  signatureCheck,
  signerCheck,
  verdictOf,
  type Check,
  type Trust,
} from '#domain/audit/index.ts';

export interface StatementKind<S> {
  readonly kind: FileVerdict['kind'];
  /** Such as `a verdict`. */
  readonly called: string;
  readonly schema: z.ZodType<S>;
  /** How the signing key follows from those before it, as the statement carries it. */
  readonly keyHistory: (statement: S) => string | undefined;
  readonly describe: (statement: S) => string;
}

/** Whether it is a statement with this predicate, signed or not. */
export function hasPredicate(text: string, predicateType: string): boolean {
  try {
    const { payload } = dsseEnvelope.parse(JSON.parse(text));
    const statement: unknown = JSON.parse(Buffer.from(payload, 'base64').toString('utf8'));
    return z.looseObject({ predicateType: z.literal(predicateType) }).safeParse(statement).success;
  } catch {
    return false; // the answer, not a fault
  }
}

/** Never throws: what is not such a file fails its checks. `statement` only when it is one that the signer has signed. */
export function checkStatement<S>(
  text: string,
  kind: StatementKind<S>,
  { pinned, keyHistory }: Trust,
): { readonly verdict: FileVerdict; readonly statement: S | undefined } {
  try {
    const envelope = dsseEnvelope.parse(JSON.parse(text));
    const payload = Buffer.from(envelope.payload, 'base64');
    const [signature, ...others] = envelope.signatures;
    const key = parseVerifierKey(signature?.keyid ?? '');
    const signed =
      envelope.payloadType === inTotoPayloadType &&
      others.length === 0 &&
      [envelope.payload, signature?.sig ?? ''].every(isCanonical) &&
      isSignature(
        key,
        preAuthenticationEncoding(envelope.payloadType, payload),
        Buffer.from(signature?.sig ?? '', 'base64'),
      );
    const { data } = kind.schema.safeParse(JSON.parse(payload.toString('utf8')));
    const own = data === undefined ? '' : (kind.keyHistory(data) ?? '');
    const signer = signerCheck(key, pinned, parseKeyHistory(own, keyHistory ?? ''));
    // What an unsigned text says is not worth repeating.
    const vouched = signed && signer.ok ? data : undefined;
    const detail =
      data === undefined
        ? `The statement does not have the form of ${kind.called}.`
        : vouched === undefined
          ? `It has the form of ${kind.called}.`
          : kind.describe(vouched);
    const checks: Check[] = [
      signatureCheck(signed, key),
      signer,
      { name: 'statement', ok: data !== undefined, detail },
    ];
    return { verdict: verdictOf(kind.kind, checks), statement: vouched };
  } catch (error) {
    const detail =
      error instanceof AppError
        ? error.message
        : `The file does not have the form of ${kind.called}.`;
    return {
      verdict: verdictOf(kind.kind, [{ name: 'form', ok: false, detail }]),
      statement: undefined,
    };
  }
}

/** One text for the same bytes: the unused bits of the last digit are zero. */
function isCanonical(base64: string): boolean {
  return Buffer.from(base64, 'base64').toString('base64') === base64;
}
