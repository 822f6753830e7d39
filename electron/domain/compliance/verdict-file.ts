/** `strongroom verify svr.dsse.json`: the signed verdict of a gate, on its own. */
import { z } from 'zod';
import type { FileVerdict } from '#shared/contract/audit.ts';
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
import { verdictStatement, type VerdictStatement } from '#domain/bundle/index.ts';
import { AppError } from '#shared/errors.ts';

export function looksLikeVerdict(text: string): boolean {
  try {
    const { payload } = dsseEnvelope.parse(JSON.parse(text));
    const statement: unknown = JSON.parse(Buffer.from(payload, 'base64').toString('utf8'));
    return z
      .looseObject({ predicateType: verdictStatement.shape.predicateType })
      .safeParse(statement).success;
  } catch {
    return false; // the answer, not a fault
  }
}

export function verifyVerdict(text: string, { pinned, keyHistory }: Trust = {}): FileVerdict {
  try {
    const envelope = dsseEnvelope.parse(JSON.parse(text));
    const payload = Buffer.from(envelope.payload, 'base64');
    const [signature, ...others] = envelope.signatures;
    const key = parseVerifierKey(signature?.keyid ?? '');
    const signed =
      envelope.payloadType === inTotoPayloadType &&
      others.length === 0 &&
      isSignature(
        key,
        preAuthenticationEncoding(envelope.payloadType, payload),
        Buffer.from(signature?.sig ?? '', 'base64'),
      );
    const parsed = verdictStatement.safeParse(JSON.parse(payload.toString('utf8')));
    const own = parsed.data?.predicate.verifier.keyHistory ?? '';
    const signer = signerCheck(key, pinned, parseKeyHistory(own, keyHistory ?? ''));
    const checks: Check[] = [
      signatureCheck(signed, key),
      signer,
      {
        name: 'statement',
        ok: parsed.success,
        // What an unsigned text says is not worth repeating.
        detail: parsed.success
          ? signed && signer.ok
            ? describe(parsed.data)
            : 'It has the form of a verdict.'
          : 'The statement does not have the form of a verdict.',
      },
    ];
    return verdictOf('verdict', checks);
  } catch (error) {
    return verdictOf('verdict', [
      {
        name: 'form',
        ok: false,
        detail:
          error instanceof AppError
            ? error.message
            : 'The file does not have the form of a verdict.',
      },
    ]);
  }
}

function describe({ subject, predicate }: VerdictStatement): string {
  const [bundle, ...files] = subject;
  return `${bundle?.name ?? ''} (sha256:${bundle?.digest.sha256 ?? ''}), ${files.length} files, judged ${predicate.timeCreated}: ${predicate.properties.join(', ')}.`;
}
