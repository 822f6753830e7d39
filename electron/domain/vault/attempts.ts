/**
 * Wrong passwords are counted beside the vault file, because the count must survive a restart and nobody is signed in who
 * could write the log. Whoever may set the clock forward ends the wait; setting it back does not. It is a brake on people at the
 * keyboard, not a defence against somebody with a copy of the disk (who can delete this file): that is the cost of the KDF.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '#shared/errors.ts';
import { writeFileAtomic } from '#platform/atomic-file.ts';
import type { Clock } from '#platform/clock.ts';
import { plural } from '#platform/plural.ts';

const maxTries = 5;
const lockMinutes = 15;
const maxTags = 200;

const attemptsFile = z.strictObject({
  /** Failures that no log entry mentions yet. */
  unreported: z.int().min(0),
  byTag: z.record(
    z.string().max(64),
    z.strictObject({ failed: z.int().min(0), last: z.iso.datetime() }),
  ),
});
type AttemptsFile = z.infer<typeof attemptsFile>;

export interface Attempts {
  /** Throws `locked` while a name is blocked. */
  refuseIfBlocked(tag: string): Promise<void>;
  failed(tag: string): Promise<void>;
  /** An administrator has set a new password, so the name is free again. */
  forgive(tag: string): Promise<void>;
  /** Forgets the failures of `tag` and returns how many of anybody's no log entry mentions yet. */
  succeeded(tag: string): Promise<number>;
  /** They are in the log now. Not before: a kill on the way would lose them. */
  reported(): Promise<void>;
}

export function createAttempts(dir: string, clock: Clock): Attempts {
  const path = join(dir, 'attempts.json');

  async function load(): Promise<AttemptsFile> {
    try {
      return attemptsFile.parse(JSON.parse(await readFile(path, 'utf8')));
    } catch {
      // Missing at first use; damaged means that somebody made it so, and refusing would lock everybody out.
      return { unreported: 0, byTag: {} };
    }
  }

  const save = (file: AttemptsFile): Promise<void> =>
    writeFileAtomic(path, new TextEncoder().encode(JSON.stringify(file)));

  return {
    async refuseIfBlocked(tag) {
      const file = await load();
      const entry = file.byTag[tag];
      if (entry === undefined || entry.failed < maxTries) return;
      const now = clock();
      let lastMs = Date.parse(entry.last);
      if (lastMs > now.getTime()) {
        // The clock was set back: the name stays blocked, for one period from now and no longer.
        lastMs = now.getTime();
        const last = now.toISOString();
        await save({ ...file, byTag: { ...file.byTag, [tag]: { ...entry, last } } });
      }
      const untilMs = lastMs + lockMinutes * 60_000;
      const leftMs = untilMs - now.getTime();
      if (leftMs <= 0) return;
      const minutes = Math.ceil(leftMs / 60_000);
      throw new AppError(
        'locked',
        `Too many wrong passwords for this name. Try again in ${plural(minutes, 'minute')}, or ask an administrator for a new password.`,
        {
          details: { blockedUntil: new Date(untilMs).toISOString() },
        },
      );
    },
    async failed(tag) {
      const file = await load();
      const others = Object.entries(file.byTag)
        .filter(([key]) => key !== tag)
        .slice(-(maxTags - 1));
      const failed = (file.byTag[tag]?.failed ?? 0) + 1;
      await save({
        unreported: file.unreported + 1,
        byTag: { ...Object.fromEntries(others), [tag]: { failed, last: clock().toISOString() } },
      });
    },
    async forgive(tag) {
      const file = await load();
      const { [tag]: own, ...others } = file.byTag;
      if (own !== undefined) await save({ ...file, byTag: others });
    },
    async succeeded(tag) {
      const file = await load();
      const { [tag]: own, ...others } = file.byTag;
      if (own !== undefined) await save({ ...file, byTag: others });
      return file.unreported;
    },
    async reported() {
      const file = await load();
      if (file.unreported > 0) await save({ ...file, unreported: 0 });
    },
  };
}
