/** What `verify` answers: the checks that every signed file of this program goes through, and what they come to. */
import type { FileVerdict } from '#shared/contract/audit.ts';
import { pathBetween, type KeyHistory } from './key-history.ts';
import { keyFingerprint, parseVerifierKey, type VerifierKey } from './note.ts';

export type Check = FileVerdict['checks'][number];

export function verdictOf(
  kind: FileVerdict['kind'],
  checks: readonly Check[],
  unseen: readonly string[] = [],
): FileVerdict {
  return { status: statusOf(checks), kind, checks: [...checks], unseen: [...unseen] };
}

function statusOf(checks: readonly Check[]): FileVerdict['status'] {
  if (checks.length === 0 || checks.some(({ ok }) => ok === false)) return 'invalid';
  return checks.some(({ ok }) => ok === null) ? 'incomplete' : 'valid';
}

export function signatureCheck(signed: boolean, key: VerifierKey): Check {
  const detail = signed ? `Signed by ${key.name}.` : 'The signature was not made with the key.';
  return { name: 'signature', ok: signed, detail };
}

/**
 * Whose key it is: the one that signed, held against the one that the caller trusts, which may have been handed on to it or from
 * it. A key that the file brings along proves nothing until somebody compares it.
 */
export function signerCheck(
  key: VerifierKey,
  pinned: string | undefined,
  history: KeyHistory,
): Check {
  const check = (detail: string, ok = true): Check => ({ name: 'signer', ok, detail });
  const shown = keyFingerprint(key);
  if (pinned === undefined) {
    const before = history.find(({ next }) => next.text === key.text);
    const since =
      before === undefined
        ? ''
        : ` Before entry ${before.index} the log had the key ${keyFingerprint(before.previous)}, which has vouched for it.`;
    return check(
      `Not pinned: compare the key's fingerprint ${shown} with the one the vault shows.${since}`,
    );
  }
  const given = parseVerifierKey(pinned);
  if (given.text === key.text) return check(`The key is the given one, ${shown}.`);
  const forward = pathBetween(history, given, key);
  if (forward !== undefined)
    return check(
      `The key is ${shown}. The given one, ${keyFingerprint(given)}, was handed on to it at ${entriesOf(forward)}.`,
    );
  const backward = pathBetween(history, key, given);
  if (backward !== undefined)
    return check(
      `The key is ${shown}, an earlier one of this log. It was handed on to the given one, ${keyFingerprint(given)}, at ${entriesOf(backward)}.`,
    );
  return check(
    `The key is ${shown} and not the given one, ${keyFingerprint(given)}, and no hand-over is known that leads from one to the other.`,
    false,
  );
}

function entriesOf(path: KeyHistory): string {
  const indexes = path.map(({ index }) => index).join(', ');
  return `${path.length === 1 ? 'entry' : 'entries'} ${indexes} of the log`;
}
