/** The signing key's part of a rotation. */
import { AppError } from '#shared/errors.ts';
import type { Clock } from '#platform/clock.ts';
import { scrub, type Database } from '#platform/database.ts';
import { parseEntry } from './entry.ts';
import { openLog } from './log.ts';
import type { NoteAlgorithm } from './note.ts';

/**
 * Hands the key of a log on to a new one, in the name of whoever announced the rotation: after a kill it may be somebody else who
 * finishes it. A log without such an announcement keeps its key, and so does one that was changed by something else, because
 * nothing is signed on top of it. No page holds the old key afterwards.
 */
export function renewLogKey(
  db: Database,
  {
    vaultId,
    algorithm,
    clock,
  }: {
    readonly vaultId: string;
    readonly algorithm: NoteAlgorithm;
    readonly clock: Clock;
  },
): void {
  const text = db
    .prepare<[], string>(
      `SELECT json FROM entries WHERE action = 'keys.rotate' AND json_extract(json, '$.phase') = 'begin'
       ORDER BY idx DESC LIMIT 1`,
    )
    .pluck()
    .get();
  const announced = text === undefined ? undefined : parseEntry(text);
  if (announced === undefined) return;
  const { actor, role, session, reason, host } = announced;
  const memory = { sizes: [], broken: false };
  const log = openLog({ db, clock, host, vaultId, algorithm, memory });
  try {
    log.handOver({ actor, role, session, ...(reason === undefined ? {} : { reason }) });
    scrub(db);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'tampered') throw error;
  }
}
