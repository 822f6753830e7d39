/**
 * How a log stands to a checkpoint of it that was kept elsewhere. From its stored hashes, so that the answer takes no time at any
 * length; `verifyLog` is the one that trusts none of those.
 */
import { AppError } from '#shared/errors.ts';
import type { Database } from '#platform/database.ts';
import { parseCheckpoint } from './checkpoint.ts';
import { isSignedInTime, keyHistoryToText, keysBeside, parseKeyHistory } from './key-history.ts';
import { rangeHash, sameHash } from './merkle.ts';
import { parseVerifierKey } from './note.ts';
import { hashSource, logSize } from './stored-tree.ts';

/** `extends`: the same history, as long or longer. `shorter`: entries are gone. `different`: another history, or another key. */
export type Standing = 'extends' | 'shorter' | 'different';

/**
 * `verifierKey`: the present one of this log; a checkpoint may be signed with one before it. Throws `corrupt` when the text is not a
 * checkpoint.
 */
export function compareWithKept(db: Database, kept: string, verifierKey: string): Standing {
  const checkpoint = parseCheckpoint(kept);
  const { size, root } = checkpoint;
  try {
    const history = parseKeyHistory(keyHistoryToText(db));
    const keys = keysBeside(history, parseVerifierKey(verifierKey));
    if (!keys.some((key) => isSignedInTime(checkpoint, key, history))) return 'different';
    if (logSize(db) < size) return 'shorter';
    return sameHash(rangeHash(0, size, hashSource(db)), root) ? 'extends' : 'different';
  } catch (error) {
    // A stored hash or hand-over does not hold: whatever this log is, it is not shown to be the one of the checkpoint.
    if (error instanceof AppError && (error.code === 'tampered' || error.code === 'corrupt'))
      return 'different';
    throw error;
  }
}

/** Whether this was the signing key of the log at some time, or is. */
export function hasHadKey(db: Database, key: string, verifierKey: string): boolean {
  const history = parseKeyHistory(keyHistoryToText(db));
  return keysBeside(history, parseVerifierKey(verifierKey)).some(({ text }) => text === key);
}
