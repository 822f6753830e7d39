/**
 * In the core: starts a contained child for one job, in a fresh empty folder, and waits for its answer, watched by a clock.
 * Cancel and time-out end in SIGKILL.
 */
import type { ChildProcess } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { AppError } from '#shared/errors.ts';
import { spawnContained, type ChildLimits } from '#platform/containment.ts';
import { createOwnedFolder } from '#platform/owned-folder.ts';
import { childMessage, type ChildMessage, type Job } from './protocol.ts';

const workerPath = fileURLToPath(new URL('../../worker.ts', import.meta.url));

/** First descriptor after stdin, stdout, stderr and the channel. */
export const firstFileDescriptor = 4;

export interface RunLimits extends ChildLimits {
  /** Longest time from the start until the model runs. */
  readonly loadMs: number;
  /** Longest time without a sign of progress while it runs. */
  readonly silenceMs: number;
}

export interface ChildRun {
  readonly job: Job;
  /** Open descriptors; they become `firstFileDescriptor` and up in the child. */
  readonly files: readonly number[];
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

/** The child ended without an answer; `how` names the signal or exit code. */
export class ChildDied extends Error {
  readonly how: string;
  constructor(how: string) {
    super(`The process of the model ended (${how}).`);
    this.how = how;
  }
}

/** Resolves with the unparsed result. Rejects with an `AppError`, or `ChildDied`. */
export async function runChild(run: ChildRun): Promise<unknown> {
  run.signal?.throwIfAborted();
  const folder = await createOwnedFolder(tmpdir(), 'strongroom-child-');
  try {
    return await converse(start(folder, run), run);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function start(cwd: string, { files, limits }: ChildRun): ChildProcess {
  return spawnContained(workerPath, {
    cwd,
    limits,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc', ...files],
  });
}

function converse(
  child: ChildProcess,
  { job, limits, onProgress, onSaid, signal }: ChildRun,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout;
    let settled = false;
    const settle = (finish: () => void): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
      child.kill('SIGKILL');
      // Only a dead child has let go of its files.
      if (child.exitCode !== null || child.signalCode !== null) finish();
      else child.once('exit', finish);
    };
    const expire = (ms: number, what: string): void => {
      clearTimeout(timer);
      timer = setTimeout(
        () =>
          settle(() =>
            reject(new ChildDied(`${what} took longer than ${Math.round(ms / 1000)} s`)),
          ),
        ms,
      );
    };
    const cancel = (): void =>
      settle(() =>
        reject(new AppError('cancelled', 'The run was cancelled. Nothing of it was kept.')),
      );
    const tell: Tell = (order) => {
      if (settled) return;
      expire(limits.silenceMs, 'a batch');
      child.send({ order });
    };
    signal?.addEventListener('abort', cancel);
    // It may have been aborted while the folder was made, and tells nobody twice.
    if (signal?.aborted === true) cancel();
    expire(limits.loadMs, 'loading');
    child.once('error', () =>
      settle(() =>
        reject(new AppError('unavailable', 'The process for the model could not be started.')),
      ),
    );
    child.once('exit', (code, killer) =>
      settle(() => reject(new ChildDied(killer ?? `exit code ${code}`))),
    );
    child.on('message', (message) => {
      if (settled) return;
      const parsed = childMessage.safeParse(message);
      if (!parsed.success) {
        settle(() => reject(new ChildDied('it sent something that is no answer')));
        return;
      }
      const answer = parsed.data;
      if (answer.kind === 'ready') child.send(job);
      else if (answer.kind === 'progress') {
        if (answer.stage === 'run') expire(limits.silenceMs, 'a batch');
        onProgress?.(answer);
      } else if (answer.kind === 'said') {
        clearTimeout(timer);
        try {
          onSaid?.(answer.what, tell);
        } catch (error) {
          settle(() => reject(error));
        }
      } else if (answer.kind === 'done') settle(() => resolve(answer.result));
      else
        settle(() =>
          reject(
            new AppError(
              answer.code,
              answer.message,
              answer.details === undefined ? {} : { details: answer.details },
            ),
          ),
        );
    });
  });
}
