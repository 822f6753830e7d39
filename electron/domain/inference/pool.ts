/**
 * Resident children: one process for each model that is asked for often, which loads it once and answers request after request.
 * The pool starts a child when somebody asks, queues what comes meanwhile, and ends children that nobody asked for a while, or
 * whose memory others need. It holds no keys: the files of a model are asked for when a child starts. At seal it is emptied.
 */
import { AppError } from '#shared/errors.ts';
import type { Pipeline } from '#domain/pipeline/index.ts';
import type { ModelFiles } from './open-files.ts';
import { ChildDied, type RunLimits } from './process.ts';
import {
  startResident,
  type Resident,
  type ResidentReply,
  type ResidentRequest,
} from './resident/connection.ts';
import type { KindName } from './resident/kinds.ts';

export interface PooledModel {
  /** Names the child: version digest and path of the model, say. */
  readonly key: string;
  /** Asked for when a child is started, only then. */
  readonly files: () => ModelFiles;
  readonly pipeline: Pipeline | undefined;
}

export interface RequestOptions {
  readonly signal?: AbortSignal;
  /** Longest time in the child. */
  readonly timeoutMs?: number;
}

export interface PooledState {
  readonly key: string;
  readonly state: 'starting' | 'working' | 'idle' | 'stopped';
  readonly waiting: number;
  /** Resident memory as last seen. */
  readonly memoryBytes: number;
  readonly crashes: number;
}

export interface ModelPool extends AsyncDisposable {
  /**
   * Throws what the child says (`invalid-input`, `unsupported`, …); `limit` and `unavailable` when it ended, by which limit or
   * how; `cancelled`; `busy` when too many wait already. A child that ended is started again by the next request, until it has
   * crashed three times.
   */
  request<K extends KindName>(
    model: PooledModel,
    request: ResidentRequest<K>,
    options?: RequestOptions,
  ): Promise<ResidentReply<K>>;
  status(): PooledState[];
  /** Forgets the crashes of a model. */
  forgive(key: string): void;
  /** Ends the children of these models, as when their keys are destroyed; all of them without a word. */
  empty(isMeant?: (key: string) => boolean): Promise<void>;
}

export interface PoolOptions {
  readonly limitsFor: (files: ModelFiles) => RunLimits;
  /** Of all children together. */
  readonly maxBytes?: number;
  /** A child that nobody asked that long ends. */
  readonly idleMs?: number;
  /** Threads of the runtime in each. */
  readonly threads?: number;
}

const maxWaiting = 1000;
const maxCrashes = 3;
const defaultTimeoutMs = 120_000;
const emptyChildBytes = 128 * 2 ** 20;

interface Waiting {
  readonly model: PooledModel;
  readonly request: ResidentRequest<KindName>;
  readonly timeoutMs: number;
  readonly since: bigint;
  readonly abort: AbortController;
  readonly settle: PromiseWithResolvers<ResidentReply<KindName>>;
}

interface Entry {
  readonly key: string;
  readonly queue: Waiting[];
  state: PooledState['state'];
  current: Waiting | undefined;
  child: Resident | undefined;
  /** Reserved while it starts. */
  expectedBytes: number;
  lastUsed: number;
  crashes: number;
  idleTimer: NodeJS.Timeout | undefined;
}

export function createModelPool(options: PoolOptions): ModelPool {
  const { limitsFor, maxBytes = 2 * 2 ** 30, idleMs = 300_000, threads = 1 } = options;
  const entries = new Map<string, Entry>();
  /** Of everybody who waits for a child to become idle or end. */
  let changed = Promise.withResolvers<void>();
  const tell = (): void => {
    changed.resolve();
    changed = Promise.withResolvers();
  };

  async function work(entry: Entry): Promise<void> {
    clearTimeout(entry.idleTimer);
    for (let next = entry.queue.shift(); next !== undefined; next = entry.queue.shift()) {
      if (next.abort.signal.aborted) continue;
      entry.current = next;
      try {
        next.settle.resolve(await serve(entry, next));
      } catch (error) {
        next.settle.reject(await failed(entry, error));
      }
      entry.current = undefined;
    }
    entry.lastUsed = performance.now();
    entry.state = entry.child === undefined ? 'stopped' : 'idle';
    if (entry.child !== undefined) {
      entry.idleTimer = setTimeout(() => void stop(entry), idleMs);
      entry.idleTimer.unref();
    } else if (entry.crashes === 0) entries.delete(entry.key);
    tell();
  }

  async function serve(entry: Entry, waiting: Waiting): Promise<ResidentReply<KindName>> {
    if (entry.crashes >= maxCrashes)
      throw new AppError(
        'unavailable',
        `The process of this model ended ${maxCrashes} times while it worked, so it is not started again by itself.`,
        { details: { crashes: entry.crashes } },
      );
    if (entry.child?.hasEnded() === true) await discard(entry, entry.child);
    entry.child ??= await start(entry, waiting);
    entry.state = 'working';
    const { request, timeoutMs, since, abort } = waiting;
    return entry.child.ask(request, { timeoutMs, since, signal: abort.signal });
  }

  async function start(entry: Entry, waiting: Waiting): Promise<Resident> {
    const modelFiles = waiting.model.files();
    const { model, external } = modelFiles;
    const weights = model.sizeBytes + external.reduce((sum, { file }) => sum + file.sizeBytes, 0);
    await makeRoom(emptyChildBytes + 2 * weights, waiting.abort.signal);
    entry.state = 'starting';
    entry.expectedBytes = emptyChildBytes + 2 * weights;
    try {
      return await startResident({
        modelFiles,
        pipeline: waiting.model.pipeline,
        threads,
        limits: limitsFor(modelFiles),
        signal: waiting.abort.signal,
        onEnd: (child) => void discard(entry, child),
      });
    } finally {
      entry.expectedBytes = 0;
    }
  }

  /** Ends the children that were not used for the longest time; where all of them work, waits until one does not. */
  async function makeRoom(bytes: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const all = [...entries.values()];
      const used = all.reduce(
        (sum, { child, expectedBytes }) => sum + (child?.memory() ?? expectedBytes),
        0,
      );
      if (used + bytes <= maxBytes) return;
      const [oldest] = all
        .filter(({ state, child }) => state === 'idle' && child !== undefined)
        .toSorted((a, b) => a.lastUsed - b.lastUsed);
      if (oldest !== undefined) await stop(oldest);
      else if (used === 0) return;
      else await changed.promise;
    }
  }

  async function stop(entry: Entry): Promise<void> {
    clearTimeout(entry.idleTimer);
    const { child } = entry;
    if (child === undefined) return;
    await discard(entry, child);
  }

  async function discard(entry: Entry, child: Resident): Promise<void> {
    if (entry.child === child) {
      entry.child = undefined;
      if (entry.state === 'idle') entry.state = 'stopped';
      if (entry.state === 'stopped' && entry.crashes === 0) entries.delete(entry.key);
    }
    await child[Symbol.asyncDispose]();
    tell();
  }

  /** What the caller is told; counts crashes, and lets go of a child that ended. */
  async function failed(entry: Entry, error: unknown): Promise<unknown> {
    if (entry.child?.hasEnded() === true) await discard(entry, entry.child);
    if (!(error instanceof ChildDied)) return error;
    entry.crashes += 1;
    return new AppError(error.code, `${error.message} The vault was not touched.`, {
      cause: error,
      details: { how: error.how, crashes: entry.crashes },
    });
  }

  function entryOf(key: string): Entry {
    const found = entries.get(key);
    if (found !== undefined) return found;
    const entry: Entry = {
      key,
      queue: [],
      state: 'stopped',
      current: undefined,
      child: undefined,
      expectedBytes: 0,
      lastUsed: 0,
      crashes: 0,
      idleTimer: undefined,
    };
    entries.set(key, entry);
    return entry;
  }

  const pool: ModelPool = {
    async request(model, request, { signal, timeoutMs = defaultTimeoutMs } = {}) {
      if (signal?.aborted === true) throw cancelled();
      const entry = entryOf(model.key);
      if (entry.queue.length >= maxWaiting)
        throw new AppError('busy', 'Too many requests wait for this model. Try again later.');
      const settle = Promise.withResolvers<ResidentReply<KindName>>();
      const abort = new AbortController();
      const since = process.hrtime.bigint();
      const waiting = { model, request, timeoutMs, since, abort, settle } as Waiting;
      abort.signal.addEventListener('abort', () => {
        const at = entry.queue.indexOf(waiting);
        if (at >= 0) entry.queue.splice(at, 1);
        // The caller need not wait for the end of the child.
        settle.reject(abort.signal.reason);
        tell();
      });
      const cancel = (): void => abort.abort(cancelled());
      signal?.addEventListener('abort', cancel);
      entry.queue.push(waiting);
      if (entry.queue.length === 1 && entry.current === undefined) void work(entry);
      try {
        return await settle.promise;
      } finally {
        signal?.removeEventListener('abort', cancel);
      }
    },
    status: () =>
      [...entries.values()].map(({ key, state, queue, child, crashes, expectedBytes }) => ({
        key,
        state,
        waiting: queue.length,
        memoryBytes: child?.memory() ?? expectedBytes,
        crashes,
      })),
    forgive(key) {
      const entry = entries.get(key);
      if (entry === undefined) return;
      entry.crashes = 0;
      if (entry.state === 'stopped') entries.delete(key);
    },
    async empty(isMeant = () => true) {
      const meant = [...entries.values()].filter(({ key }) => isMeant(key));
      const gone = new AppError('cancelled', 'The vault was sealed, or the model is gone.');
      for (const { queue, current } of meant)
        for (const { abort } of [...queue, ...(current === undefined ? [] : [current])])
          abort.abort(gone);
      await Promise.all(meant.map(stop));
      // One that was starting ends by its signal.
      for (const entry of meant)
        while (entry.state !== 'stopped') {
          await stop(entry);
          if (entry.current !== undefined) await changed.promise;
        }
    },
    [Symbol.asyncDispose]: () => pool.empty(),
  };
  return pool;
}

function cancelled(): AppError {
  return new AppError('cancelled', 'The request was cancelled.');
}
