/**
 * How a log stands to a checkpoint of it that was kept elsewhere. From its stored hashes, so that the answer takes no time at any
 * length; `verifyLog` is the one that trusts none of those.
 */
import { AppError } from '#shared/errors.ts';
import type { Database } from '#platform/database.ts';
import { parseCheckpoint } from './checkpoint.ts';
import { hashSource, logSize } from './log.ts';
import { rangeHash, sameHash } from './merkle.ts';
import { isSignedBy, parseVerifierKey } from './note.ts';

/** `extends`: the same history, as long or longer. `shorter`: entries are gone. `different`: another history, or another key. */
export type Standing = 'extends' | 'shorter' | 'different';

/** Throws `corrupt` when the text is not a checkpoint. */
export function compareWithKept(db: Database, kept: string, verifierKey: string): Standing {
  const { origin, size, root, note } = parseCheckpoint(kept);
  const key = parseVerifierKey(verifierKey);
  if (origin !== key.name || !isSignedBy(note, key)) return 'different';
  if (logSize(db) < size) return 'shorter';
  try {
    return sameHash(rangeHash(0, size, hashSource(db)), root) ? 'extends' : 'different';
  } catch (error) {
    // A stored hash is missing: whatever this log is, it is not shown to be the one of the checkpoint.
    if (error instanceof AppError && error.code === 'tampered') return 'different';
    throw error;
  }
}
