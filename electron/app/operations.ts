/**
 * Long work: one entry per job with its progress, result and a way to stop it. Results stay until the vault is sealed, so a
 * window that was reloaded finds them again; progress reaches the window at most ten times a second.
 */
import { randomBytes } from 'node:crypto';
import { AppError } from '#shared/errors.ts';
import type { Operation } from '#shared/contract/operations.ts';
import type { Clock } from '#platform/clock.ts';
import { errorToBody } from './error-envelope.ts';

export type Unit = Operation['unit'];

export interface Progress {
  readonly step?: string;
  readonly done?: number;
  readonly total?: number;
  readonly unit?: Unit;
}

export interface JobContext {
  readonly signal: AbortSignal;
  readonly report: (progress: Progress) => void;
}

export interface Operations {
  start(job: {
    readonly method: string;
    readonly title: string;
    readonly work: (context: JobContext) => Promise<unknown>;
  }): string;
  list(): Operation[];
  get(operationId: string): Operation;
  cancel(operationId: string): void;
  running(): boolean;
  /** Stops everything, waits for it and forgets all results. */
  clear(): Promise<void>;
}

const minimumGapMs = 100;

export function createOperations(deps: {
  readonly clock: Clock;
  readonly onChange: (operationId: string) => void;
}): Operations {
  interface Running {
    state: Operation;
    readonly controller: AbortController;
    ended: Promise<void>;
    lastReportMs: number;
  }
  const byId = new Map<string, Running>();

  function find(operationId: string): Running {
    const found = byId.get(operationId);
    if (found === undefined)
      throw new AppError('not-found', 'This piece of work is not known any more.');
    return found;
  }

  function update(running: Running, change: Partial<Operation>): void {
    running.state = { ...running.state, ...change };
    deps.onChange(running.state.operationId);
  }

  return {
    start({ method, title, work }) {
      const operationId = randomBytes(12).toString('hex');
      const running: Running = {
        controller: new AbortController(),
        ended: Promise.resolve(),
        lastReportMs: 0,
        state: {
          operationId,
          method,
          title,
          state: 'running',
          startedAt: deps.clock().toISOString(),
          finishedAt: null,
          done: 0,
          total: null,
          unit: 'steps',
          step: '',
          result: null,
          error: null,
        },
      };
      byId.set(operationId, running);
      const report = (progress: Progress): void => {
        running.state = { ...running.state, ...progress };
        const nowMs = performance.now();
        if (nowMs - running.lastReportMs < minimumGapMs) return;
        running.lastReportMs = nowMs;
        deps.onChange(operationId);
      };
      const finish = (change: Partial<Operation>): void =>
        update(running, { ...change, finishedAt: deps.clock().toISOString() });
      // Not at once: what the work does first may end all work, this included.
      running.ended = Promise.resolve()
        .then(() => work({ signal: running.controller.signal, report }))
        .then(
          (result) => finish({ state: 'done', result: result ?? null }),
          (error: unknown) => {
            const body = errorToBody(error);
            finish({ state: body.code === 'cancelled' ? 'cancelled' : 'failed', error: body });
          },
        );
      deps.onChange(operationId);
      return operationId;
    },
    list: () => [...byId.values()].map(({ state }) => state).toReversed(),
    get: (operationId) => find(operationId).state,
    cancel(operationId) {
      find(operationId).controller.abort(new AppError('cancelled', 'Cancelled. Nothing was lost.'));
    },
    running: () => [...byId.values()].some(({ state }) => state.state === 'running'),
    async clear() {
      const all = [...byId.values()];
      for (const { controller } of all) {
        controller.abort(new AppError('cancelled', 'Cancelled because the vault was sealed.'));
      }
      await Promise.all(all.map(({ ended }) => ended));
      for (const { state } of all) byId.delete(state.operationId);
    },
  };
}
