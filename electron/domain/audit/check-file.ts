/**
 * The checker for what leaves the vault: proofs, checkpoints, key histories (exported logs: `check-export.ts`). It needs no vault and no password, and it never
 * throws at hostile input: whatever is wrong is a failed check. Without a key given by the caller it uses the one in the file
 * and says so, because such a file proves that it is whole, not where it comes from.
 */
import type { FileVerdict } from '#shared/contract/audit.ts';
import { parseCheckpoint, type Checkpoint } from './checkpoint.ts';
import { parseEntry } from './entry.ts';
import { isSignedInTime, keysBeside, parseKeyHistory, type KeyHistory } from './key-history.ts';
import { leafHash, rootFromInclusionProof, sameHash } from './merkle.ts';
import { isSignedBy, keyFingerprint, parseVerifierKey, type VerifierKey } from './note.ts';
import { parseTlogProof } from './tlog-proof.ts';
import { signerCheck, verdictOf, type Check } from './verdict.ts';

/** What the caller brings along. */
export interface Trust {
  /** A verifier key that the caller trusts. */
  readonly pinned?: string | undefined;
  /** Key history of the log, beside the one that the file carries. */
  readonly keyHistory?: string | undefined;
}

export function verifyProof(text: string, trust: Trust = {}): FileVerdict {
  try {
    const proof = parseTlogProof(text);
    const key = parseVerifierKey(proof.verifierKey);
    const history = parseKeyHistory(proof.keyHistory ?? '', trust.keyHistory ?? '');
    const checkpoint = parseCheckpoint(proof.checkpoint);
    const root = rootFromInclusionProof({
      leaf: leafHash(Buffer.from(proof.entry)),
      index: proof.index,
      size: checkpoint.size,
      proof: proof.hashes,
    });
    const entry = parseEntry(proof.entry);
    const inside = root !== undefined && sameHash(root, checkpoint.root);
    return verdictOf('proof', [
      {
        name: 'entry',
        ok: entry?.index === proof.index,
        detail:
          entry === undefined
            ? 'The entry is not one that Strongroom wrote.'
            : `Entry ${entry.index}: ${entry.action} by ${entry.actor} at ${entry.time}.`,
      },
      {
        name: 'inclusion',
        ok: inside,
        detail: inside
          ? `The entry is number ${proof.index} of the ${checkpoint.size} under the checkpoint.`
          : 'The hashes do not lead from the entry to the root of the checkpoint.',
      },
      checkpointCheck(checkpoint, key, history),
      signerCheck(key, trust.pinned, history),
    ]);
  } catch (error) {
    return unreadable('proof', error);
  }
}

export function verifyCheckpoint(text: string, trust: Trust = {}): FileVerdict {
  const { pinned } = trust;
  try {
    const checkpoint = parseCheckpoint(text);
    const about: Check = {
      name: 'checkpoint',
      ok: true,
      detail: `${checkpoint.size} entries of ${checkpoint.origin}, root ${Buffer.from(checkpoint.root).toString('hex')}.`,
    };
    if (pinned === undefined) {
      return verdictOf('checkpoint', [
        about,
        {
          name: 'signature',
          ok: false,
          detail: 'A checkpoint does not carry its key: give the verifier key of the log.',
        },
      ]);
    }
    const history = parseKeyHistory(trust.keyHistory ?? '');
    const given = parseVerifierKey(pinned);
    // The note names no whole key: it is signed with the given one, or with one that the history leads to.
    const key =
      keysBeside(history, given).find((each) => isSignedBy(checkpoint.note, each)) ?? given;
    return verdictOf('checkpoint', [
      about,
      checkpointCheck(checkpoint, key, history),
      ...(key.text === given.text ? [] : [signerCheck(key, pinned, history)]),
    ]);
  } catch (error) {
    return unreadable('checkpoint', error);
  }
}

/** The chain of keys alone: which came after which, and where the given one stands in it. */
export function verifyKeyHistory(text: string, { pinned, keyHistory }: Trust = {}): FileVerdict {
  try {
    const history = parseKeyHistory(text, keyHistory ?? '');
    const newest = history.at(-1);
    const isOne = history.every(
      ({ previous }, at) => at === 0 || previous.text === history[at - 1]?.next.text,
    );
    return verdictOf('key-history', [
      {
        name: 'chain',
        ok: isOne,
        detail: isOne
          ? 'Each key was handed on by the one before it.'
          : 'These hand-overs do not belong together: a key was not handed on by the one before it. Trust none of them for that.',
      },
      ...history.map(({ index, previous, next }) => ({
        name: 'hand-over',
        ok: true,
        detail: `Entry ${index}: ${keyFingerprint(previous)} handed on to ${next.text}, fingerprint ${keyFingerprint(next)}. Both have signed it.`,
      })),
      ...(newest === undefined ? [] : [signerCheck(newest.next, pinned, history)]),
    ]);
  } catch (error) {
    return unreadable('key-history', error);
  }
}

export function checkpointCheck(
  checkpoint: Checkpoint,
  key: VerifierKey,
  history: KeyHistory,
): Check {
  const signed = checkpoint.origin === key.name && isSignedBy(checkpoint.note, key);
  const ok = signed && isSignedInTime(checkpoint, key, history);
  return {
    name: 'signature',
    ok,
    detail: ok
      ? `The checkpoint over ${checkpoint.size} entries is signed by ${key.name}.`
      : signed
        ? 'The checkpoint is signed with a key that was not in use at that length of the log.'
        : 'The checkpoint is not signed by the key, nor by one that a key history at hand leads to.',
  };
}

/** What cannot be read is a failed check. */
export function unreadable(kind: FileVerdict['kind'], error: unknown): FileVerdict {
  const detail =
    error instanceof Error && !('code' in error && error.code === 'ENOENT')
      ? error.message
      : 'A file that belongs to it is missing.';
  return verdictOf(kind, [{ name: 'form', ok: false, detail }]);
}
