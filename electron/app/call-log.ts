/**
 * The log of served calls. Each call has an entry that announces it, on the medium before the model runs, and one that says what came
 * of it. Calls that arrive together, or while the medium is written to, share one commit; while others are under way, a call waits
 * a moment for more of its kind. Outcomes go with the next commit, or by themselves soon after: a reply does not wait for them.
 * A program that is killed in between leaves the announcement, and the next sign-in says that it was interrupted.
 */
import { AppError } from '#shared/errors.ts';
import type { LogEntry } from '#shared/contract/audit.ts';
import type { NewEntry } from '#domain/audit/index.ts';

export type CallFacts = Pick<NewEntry, 'objects' | 'outcome' | 'code' | 'details'>;

export interface CallLog {
  /** Resolves with the index of the announcement when it is on the medium; rejects when it is not. */
  announce(facts: Pick<CallFacts, 'objects' | 'details'>): Promise<number>;
  outcome(of: number, facts: CallFacts): void;
  /** A call that was refused before there was anything to announce: one entry. */
  event(facts: CallFacts): void;
  /** Writes what is still owed. */
  flush(): void;
}

const longestOwedMs = 50;
/** How long an announcement waits for others while calls are under way; a commit costs about that. */
const gatherMs = 10;

export function createCallLog(deps: {
  /** Throws when nothing may be written now. */
  readonly write: (entries: readonly Omit<NewEntry, 'actor' | 'role' | 'session'>[]) => LogEntry[];
  /** Nothing can be written for a moment: what is owed waits. */
  readonly isHeld: () => boolean;
  /** The log cannot be written. */
  readonly onFailure: () => void;
}): CallLog {
  type Owed = Omit<NewEntry, 'actor' | 'role' | 'session'>;
  const announcements: {
    readonly entry: Owed;
    readonly resolve: (index: number) => void;
    readonly reject: (error: unknown) => void;
  }[] = [];
  const outcomes: Owed[] = [];
  /** Announced, and without an outcome. */
  let underWay = 0;
  let soon: NodeJS.Immediate | undefined;
  let gathered: NodeJS.Timeout | undefined;
  let later: NodeJS.Timeout | undefined;

  function commit(): void {
    clearImmediate(soon);
    clearTimeout(gathered);
    clearTimeout(later);
    soon = undefined;
    gathered = undefined;
    later = undefined;
    if (deps.isHeld()) {
      later = setTimeout(commit, longestOwedMs);
      return;
    }
    const ended = outcomes.splice(0);
    const begun = announcements.splice(0);
    if (ended.length + begun.length === 0) return;
    try {
      const written = deps.write([...ended, ...begun.map(({ entry }) => entry)]);
      underWay += begun.length;
      for (const [at, { resolve }] of begun.entries())
        resolve(written[ended.length + at]?.index ?? -1);
    } catch (cause) {
      const error =
        cause instanceof AppError
          ? cause
          : new AppError('io', 'The log cannot be written, so nothing is served.', { cause });
      for (const { reject } of begun) reject(error);
      // What was announced stands without its outcome, and nothing more may be done.
      if (!(cause instanceof AppError)) deps.onFailure();
    }
  }

  function owe(entry: Owed): void {
    outcomes.push(entry);
    later ??= setTimeout(commit, longestOwedMs);
    schedule();
  }

  function schedule(): void {
    if (announcements.length === 0) return;
    // Not at once: after everything that has arrived by now has been read.
    if (underWay === 0) soon ??= setImmediate(commit);
    else gathered ??= setTimeout(commit, gatherMs);
  }

  return {
    announce: (facts) =>
      new Promise((resolve, reject) => {
        announcements.push({
          entry: { phase: 'begin', action: 'serve.infer', ...facts },
          resolve,
          reject,
        });
        schedule();
      }),
    outcome(of, facts) {
      underWay -= 1;
      owe({ phase: 'outcome', action: 'serve.infer', of, ...facts });
    },
    event: (facts) => owe({ phase: 'event', action: 'serve.infer', ...facts }),
    flush: commit,
  };
}
