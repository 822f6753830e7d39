/** What `verify` answers: the checks that every signed file of this program goes through, and what they come to. */
import type { FileVerdict } from '#shared/contract/audit.ts';
import { keyFingerprint, type VerifierKey } from './note.ts';

export type Check = FileVerdict['checks'][number];

export function verdictOf(kind: FileVerdict['kind'], checks: readonly Check[]): FileVerdict {
  return {
    status: checks.length > 0 && checks.every(({ ok }) => ok) ? 'valid' : 'invalid',
    kind,
    checks: [...checks],
  };
}

export function signatureCheck(signed: boolean, key: VerifierKey): Check {
  const detail = signed ? `Signed by ${key.name}.` : 'The signature was not made with the key.';
  return { name: 'signature', ok: signed, detail };
}

/** Whose key it is. A key that the file brings along proves nothing until somebody compares it. */
export function signerCheck(key: VerifierKey, origin: 'given' | 'embedded'): Check {
  const detail =
    origin === 'embedded'
      ? `Not pinned: compare the key's fingerprint ${keyFingerprint(key)} with the one the vault shows.`
      : `The key is the given one, ${keyFingerprint(key)}.`;
  return { name: 'signer', ok: true, detail };
}
