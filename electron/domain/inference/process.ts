/**
 * In the core: starts a contained child in a fresh empty folder, hands it its job, and waits for its answer, watched by a clock
 * and by its resident memory. Whatever ends it is told by name; cancel, time-out and too much memory end it with SIGKILL.
 */
import type { ChildProcess } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { AppError } from '#shared/errors.ts';
import { childScript } from '#platform/child-script.ts';
import { spawnContained, type ChildLimits } from '#platform/containment.ts';
import { createOwnedFolder } from '#platform/owned-folder.ts';
import { howEnded, killContained, residentBytes } from '#platform/process-tree.ts';
import { childMessage, type ChildMessage, type Job } from './protocol.ts';

/** First descriptor after stdin, stdout, stderr and the channel. */
export const firstFileDescriptor = 4;

export interface RunLimits extends ChildLimits {
  /** Memory that it has in use, whatever for; what the kernel does not bound is watched. */
  readonly residentBytes: number;
  /** Longest time from the start until the model runs. */
  readonly loadMs: number;
  /** Longest time without a sign of progress while it runs. */
  readonly silenceMs: number;
}

export interface ChildRun {
  readonly job: Job;
  /** Open descriptors; they become `firstFileDescriptor` and up in the child. */
  readonly files: readonly number[];
  /** Folders that it may read, by their real paths. */
  readonly shows?: readonly string[];
  readonly limits: RunLimits;
  readonly onProgress?: (progress: Extract<ChildMessage, { kind: 'progress' }>) => void;
  /**
   * What the child says in between, unparsed, and a way to tell it what to do next. It may be silent for as long as it has
   * nothing to do.
   */
  readonly onSaid?: (what: unknown, tell: Tell) => void;
  readonly signal?: AbortSignal;
}

export type Tell = (order: unknown) => void;

/** The child ended without an answer. */
export class ChildDied extends Error {
  /** Names the signal, the exit code or the limit. */
  readonly how: string;
  /** `limit` where it went over one of its limits. */
  readonly code: 'limit' | 'unavailable';
  constructor(how: string, code: 'limit' | 'unavailable' = 'unavailable') {
    super(`The process of the model ended (${how}).`);
    this.how = how;
    this.code = code;
  }
}

export interface LiveChild extends AsyncDisposable {
  readonly process: ChildProcess;
  /** Never resolves. Rejects when the process has ended, with the reason of `end` if there was one. */
  readonly died: Promise<never>;
  /** Kills it; the first reason counts. */
  end(reason: Error): void;
  /** While it works its memory is watched; one that only waits does not grow. */
  watch(isWorking: boolean): void;
  /** As last seen; 0 where the system does not tell. */
  memory(): number;
}

/** Resolves with the unparsed result. Rejects with an `AppError`, or `ChildDied`. The child is gone then, and its folder. */
export async function runChild(run: ChildRun): Promise<unknown> {
  if (run.signal?.aborted === true) throw cancelled();
  await using child = await startChild(run, { yields: isBatch[run.job.kind] });
  return await answerOf(child, run);
}

/** Whether nobody waits for the very answer. */
const isBatch: Readonly<Record<Job['kind'], boolean>> = {
  read: true,
  score: true,
  convert: true,
  join: true,
  preview: false,
  contact: false,
  resident: false,
};

/** `isResident`: stdin and stdout are pipes, for requests after the job. `yields`: see `spawnContained`. */
export async function startChild(
  { files, limits, shows = [] }: Pick<ChildRun, 'files' | 'limits' | 'shows'>,
  options: { readonly isResident?: boolean; readonly yields?: boolean } = {},
): Promise<LiveChild> {
  const folder = await createOwnedFolder(tmpdir(), 'strongroom-child-');
  const pipe = options.isResident === true ? 'pipe' : 'ignore';
  const child = spawnContained(childScript('worker'), {
    cwd: folder,
    limits,
    stdio: [pipe, pipe, 'ignore', 'ipc', ...files],
    // A batch lets go of much that is small: so the engine looks for it a few times per million rows and not all the time.
    nodeOptions: options.isResident === true ? [] : ['--initial-old-space-size=64'],
    shows,
    yields: options.yields === true,
  });
  let reason: Error | undefined;
  let memory = 0;
  let watching: NodeJS.Timeout | undefined;
  const end = (why: Error): void => {
    reason ??= why;
    killContained(child);
  };
  const died = new Promise<never>((_, reject) => {
    // Also when it is told something that it can no longer hear.
    child.on('error', () =>
      reject(new AppError('unavailable', 'The process for the model could not be started.')),
    );
    // Only a dead child has let go of its files.
    child.once('exit', (code, killer) => {
      const told = (): void => reject(reason ?? endOf(howEnded(code, killer), limits));
      // Not before its last word has been heard.
      if (child.connected) child.once('disconnect', told);
      else told();
    });
  });
  // Whoever asks hears of it; nobody has to.
  died.catch(() => clearInterval(watching));
  const look = (): void => {
    memory = residentBytes(child.pid) ?? 0;
    if (memory > limits.residentBytes)
      end(new ChildDied(`it needed more memory than ${inUnits(limits.residentBytes)}`, 'limit'));
  };
  const watch = (isWorking: boolean): void => {
    clearInterval(watching);
    if (isWorking) watching = setInterval(look, lookEveryMs);
    else look();
  };
  watch(true);
  return {
    process: child,
    died,
    end,
    watch,
    memory: () => memory,
    async [Symbol.asyncDispose]() {
      clearInterval(watching);
      end(new Error('It is not needed any more.'));
      await died.catch(() => undefined);
      // What cannot be removed now is swept when the next program makes such a folder.
      await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    },
  };
}

/** How long a child can grow unseen. */
const lookEveryMs = process.platform === 'linux' ? 25 : 250;

/** Gives the child its job, and waits for the answer within the times of `limits`. */
export async function answerOf(
  child: LiveChild,
  { job, limits, onProgress, onSaid, signal }: Omit<ChildRun, 'files' | 'shows'>,
): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const expire = (ms: number, what: string): void => {
    clearTimeout(timer);
    const how = `${what} took longer than ${Math.round(ms / 1000)} s`;
    timer = setTimeout(() => child.end(new ChildDied(how, 'limit')), ms);
  };
  const cancel = (): void => child.end(cancelled());
  const tell: Tell = (order) => {
    if (!child.process.connected) return;
    expire(limits.silenceMs, 'a batch');
    child.process.send({ order });
  };
  const heard = new Promise<unknown>((resolve, reject) => {
    child.process.on('message', (message) => {
      const parsed = childMessage.safeParse(message);
      if (!parsed.success) {
        child.end(new ChildDied('it sent something that is no answer'));
        return;
      }
      const answer = parsed.data;
      if (answer.kind === 'ready') child.process.send(job);
      else if (answer.kind === 'progress') {
        if (answer.stage === 'run') expire(limits.silenceMs, 'a batch');
        onProgress?.(answer);
      } else if (answer.kind === 'said') {
        clearTimeout(timer);
        try {
          onSaid?.(answer.what, tell);
        } catch (error) {
          reject(error);
        }
      } else if (answer.kind === 'done') resolve(answer.result);
      else reject(toError(answer));
    });
  });
  signal?.addEventListener('abort', cancel);
  // It may have been aborted while the folder was made, and tells nobody twice.
  if (signal?.aborted === true) cancel();
  expire(limits.loadMs, 'loading');
  try {
    return await Promise.race([heard, child.died]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', cancel);
    child.process.removeAllListeners('message');
  }
}

/** A failure as the child tells it. */
export function toError({
  code,
  message,
  details,
}: Omit<Extract<ChildMessage, { kind: 'failed' }>, 'kind'>): AppError {
  return new AppError(code, message, details === undefined ? {} : { details });
}

function endOf(how: string | number, limits: RunLimits): ChildDied {
  if (how === 'SIGXCPU')
    return new ChildDied(`it used up its ${limits.processorSeconds} s of processor time`, 'limit');
  return new ChildDied(typeof how === 'string' ? how : `exit code ${how}`);
}

function cancelled(): AppError {
  return new AppError('cancelled', 'The run was cancelled. Nothing of it was kept.');
}

function inUnits(bytes: number): string {
  return bytes < 2 ** 30
    ? `${Math.round(bytes / 2 ** 20)} MiB`
    : `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
