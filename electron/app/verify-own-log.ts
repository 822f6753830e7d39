/** Verifies the log of the open vault, against what was kept elsewhere too, and remembers the verdict. */
import type { VerifyStatus } from '#shared/contract/audit.ts';
import { verifyLog } from '#domain/audit/index.ts';
import type { CallContext } from './handler.ts';
import type { PinGuard } from './pin-guard.ts';
import { readMemory } from './seen-log.ts';
import type { Sessions } from './sessions.ts';

export async function verifyOwnLog(
  { open, signal, report }: CallContext,
  kept: readonly string[],
  { pins, sessions }: { readonly pins: PinGuard; readonly sessions: Sessions },
): Promise<VerifyStatus> {
  const { vault } = open();
  const look = (against: readonly string[]): Promise<VerifyStatus> =>
    verifyLog(vault.audit, {
      against,
      sizes: readMemory(vault).sizes,
      signal,
      onProgress: (done, total) => report({ step: 'Verifying', done, total, unit: 'entries' }),
    });
  const pinned = pins.text(vault.id);
  const elsewhere = pinned === undefined ? kept : [...kept, pinned];
  const verdict = await look(elsewhere);
  // What somebody brought may be forged, and must not stop all acts: the log is looked at without it, too.
  const isOwn = verdict.status === 'intact' || elsewhere.length === 0;
  sessions.verified({
    status: verdict.status,
    own: isOwn ? verdict.status : (await look([])).status,
  });
  return verdict;
}
