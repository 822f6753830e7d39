/**
 * The queue of one version: one execution at a time, bounded, and, when a delay is set, dynamic batching as Triton has it: the
 * request at the head waits for at most the delay, then it is run together with those behind it that fit, up to a number of rows, and
 * what comes out is split again. Without a delay every request is run alone, so that what one caller gets does not depend on
 * who else asks: sums of floats can differ in their last bits with the size of a batch.
 */
import { AppError } from '#shared/errors.ts';
import type { TensorSpec } from '#shared/contract/bundles.ts';
import type { TensorArray, TensorData } from '#domain/onnx/index.ts';
import type { ServedModel } from './infer.ts';
import type { ExecutionTimes } from './statistics.ts';

export type Tensors = Readonly<Record<string, TensorData>>;

export interface Execution {
  readonly results: Tensors;
  /** `queueNs`: until the model's process was free, its start included. */
  readonly times: ExecutionTimes & { readonly queueNs: number };
}

export interface Answer {
  readonly results: Tensors;
  /** `queueNs`: from the submission to the execution. */
  readonly times: ExecutionTimes & { readonly queueNs: number };
}

export interface BatchingOptions {
  /** Runs the model once. Rejects with an `AppError`. */
  readonly run: (feeds: Tensors) => Promise<Execution>;
  /** Called once per execution, with the rows that were run at once. */
  readonly onExecuted: (batchSize: number, times: ExecutionTimes) => void;
  /** How many requests wait now; called whenever that changes. */
  readonly onWaiting: (count: number) => void;
  /** 0: nothing is joined. */
  readonly delayMicroseconds: number;
  /** Rows of a joined execution; a request that has more is run alone. */
  readonly maxBatch: number;
  /** Requests that may wait; one more is refused as `busy`. */
  readonly maxWaiting: number;
  /** Whether requests of this model may be joined, see `isJoinable`. */
  readonly joinable: boolean;
}

export interface RequestQueue {
  /** Throws `busy` at once when the queue is full, `locked` when it is closed. To be called before anything is announced. */
  requireRoom(): void;
  /** Rejects with what the model's run rejects with, with `busy` when it waited too long, `cancelled`, or why it was closed. */
  submit(request: {
    readonly feeds: Tensors;
    readonly rows: number;
    readonly timeoutMicroseconds: number | undefined;
    readonly signal: AbortSignal;
  }): Promise<Answer>;
  /** What waits is refused with this error, what runs goes on. Resolves when nothing runs any more. */
  close(because: AppError): Promise<void>;
}

interface Waiting {
  readonly feeds: Tensors;
  readonly rows: number;
  /** Requests with the same form can be joined. */
  readonly form: string;
  readonly since: number;
  readonly expires: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Only models whose inputs and outputs all have a first dimension of any size are joined. Where those dimensions have names, all
 * must have the same one: it says that they are the same thing.
 */
export function isJoinable({ inputs, outputs }: ServedModel): boolean {
  const all = [...inputs, ...outputs];
  const first = all.map(({ shape }) => shape[0]);
  const names = new Set(first.filter((dim) => typeof dim === 'string'));
  return (
    inputs.length > 0 &&
    all.every((spec) => spec.kind === 'tensor' && hasFreeRows(spec)) &&
    names.size <= 1
  );
}

/**
 * Rows of a request: the common first dimension where the model leaves it free, else 1. Throws `invalid-input` where there is
 * none, on which a model has nothing to say, and for numbers of rows that differ where one is meant: the runtime would repeat the
 * shorter ones, or leave them out.
 */
export function countRows(model: ServedModel, feeds: Tensors): number {
  const { inputs } = model;
  const all = inputs.map((spec) => ({ spec, rows: feeds[spec.name]?.dims[0] }));
  const empty = all.find(({ spec, rows }) => rows === 0 && hasFreeRows(spec));
  if (empty !== undefined)
    throw new AppError(
      'invalid-input',
      `Input ${empty.spec.name} has no rows. A request has one at least.`,
    );
  const [first] = all;
  const other = all.find(({ rows }) => rows !== first?.rows);
  if (first === undefined || (other !== undefined && !isJoinable(model))) return 1;
  if (other !== undefined)
    throw new AppError(
      'invalid-input',
      `Inputs ${first.spec.name} and ${other.spec.name} take one value for each row, and ${first.rows} and ${other.rows} rows are given.`,
    );
  return inputs.every(hasFreeRows) ? (first.rows ?? 1) : 1;
}

const hasFreeRows = ({ shape }: TensorSpec): boolean =>
  shape.length > 0 && typeof shape[0] !== 'number';

export function createRequestQueue(options: BatchingOptions): RequestQueue {
  const { run, onExecuted, onWaiting, delayMicroseconds, maxBatch, maxWaiting } = options;
  let joinable = options.joinable && delayMicroseconds > 0;
  const waiting: Waiting[] = [];
  let closed: AppError | undefined;
  let working: Promise<void> | undefined;
  let isWorking = false;
  /** Wakes the head when a request has come that may fill its batch. */
  let wake: (() => void) | undefined;

  function requireRoom(): void {
    if (closed !== undefined) throw closed;
    if (waiting.length >= maxWaiting)
      throw new AppError('busy', `${maxWaiting} requests wait for this model already. Try again.`);
  }

  async function work(): Promise<void> {
    for (;;) {
      const [head] = waiting;
      if (head === undefined) {
        isWorking = false;
        return;
      }
      if (joinable) await gather(head);
      await execute(take());
    }
  }

  /** Waits until the batch is full or the head has waited long enough. */
  async function gather(head: Waiting): Promise<void> {
    const until = head.since + delayMicroseconds / 1000;
    while (waiting[0] === head && fitting(head).rows < maxBatch) {
      const left = until - performance.now();
      if (left <= 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      wake = undefined;
    }
  }

  function fitting(head: Waiting): { readonly batch: Waiting[]; readonly rows: number } {
    const batch = [head];
    let { rows } = head;
    if (joinable)
      for (const other of waiting) {
        if (other === head || other.form !== head.form || rows + other.rows > maxBatch) continue;
        batch.push(other);
        rows += other.rows;
      }
    return { batch, rows };
  }

  function take(): Waiting[] {
    const now = performance.now();
    for (const late of waiting.filter(({ expires }) => expires <= now)) {
      remove(late);
      late.reject(new AppError('busy', 'The request waited longer than its timeout.'));
    }
    const [head] = waiting;
    if (head === undefined) return [];
    const { batch } = fitting(head);
    batch.forEach(remove);
    return batch;
  }

  function remove(each: Waiting): void {
    const at = waiting.indexOf(each);
    if (at < 0) return;
    waiting.splice(at, 1);
    onWaiting(waiting.length);
  }

  async function execute(batch: readonly Waiting[]): Promise<void> {
    const [first] = batch;
    if (first === undefined) return;
    const started = performance.now();
    const answer = (each: Waiting, { results, times }: Execution): void => {
      const queueNs = (started - each.since) * 1e6 + times.queueNs;
      each.resolve({ results, times: { ...times, queueNs } });
    };
    if (batch.length === 1) {
      try {
        const execution = await run(first.feeds);
        onExecuted(first.rows, execution.times);
        answer(first, execution);
      } catch (error) {
        first.reject(error);
      }
      return;
    }
    const rows = batch.map((each) => each.rows);
    const parts = await run(joined(batch.map(({ feeds }) => feeds))).then(
      ({ results, times }) => {
        onExecuted(
          rows.reduce((sum, each) => sum + each, 0),
          times,
        );
        const split = splitRows(results, rows);
        // Its outputs have no row for each row that went in, whatever it says of itself.
        if (split === undefined) joinable = false;
        return split?.map((each) => ({ results: each, times }));
      },
      () => undefined,
    );
    for (const [at, each] of batch.entries()) {
      const part = parts?.[at];
      // What one caller sent must not be what fails another: each is run by itself.
      if (part === undefined) await execute([each]);
      else answer(each, part);
    }
  }

  return {
    requireRoom,
    submit({ feeds, rows, timeoutMicroseconds, signal }) {
      return new Promise<Answer>((resolve, reject) => {
        requireRoom();
        const since = performance.now();
        const each: Waiting = {
          feeds,
          rows,
          form: joinable ? formOf(feeds) : '',
          since,
          expires: since + (timeoutMicroseconds ?? Infinity) / 1000,
          resolve,
          reject,
        };
        const cancel = (): void => {
          if (!waiting.includes(each)) return;
          remove(each);
          reject(new AppError('cancelled', 'The caller went away.'));
        };
        signal.addEventListener('abort', cancel, { once: true });
        if (signal.aborted) return cancel();
        waiting.push(each);
        onWaiting(waiting.length);
        wake?.();
        if (isWorking) return;
        isWorking = true;
        working = work();
      });
    },
    async close(because) {
      closed = because;
      for (const each of waiting.slice()) {
        remove(each);
        each.reject(because);
      }
      wake?.();
      await working;
    },
  };
}

/** Names, types and all dimensions but the first. */
function formOf(feeds: Tensors): string {
  return Object.entries(feeds)
    .map(([name, { type, dims }]) => JSON.stringify([name, type, dims.slice(1)]))
    .toSorted()
    .join();
}

/** Tensors of the same form, one below the other. */
export function joined(all: readonly Tensors[]): Tensors {
  const [first = {}] = all;
  return Object.fromEntries(
    Object.entries(first).map(([name, { type, dims }]) => {
      const parts = all.flatMap((feeds) => feeds[name] ?? []);
      const rows = parts.reduce((sum, part) => sum + (part.dims[0] ?? 0), 0);
      return [name, { type, dims: [rows, ...dims.slice(1)], data: joinedData(parts) }];
    }),
  );
}

function joinedData(parts: readonly TensorData[]): TensorData['data'] {
  const [first] = parts;
  if (first === undefined || Array.isArray(first.data))
    return parts.flatMap(({ data }) => data as readonly string[]);
  const make = first.data.constructor as new (length: number) => TensorArray;
  const data = new make(parts.reduce((sum, part) => sum + part.data.length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part.data as never, at);
    at += part.data.length;
  }
  return data;
}

/** Undefined when some tensor has not as many rows as all together. */
export function splitRows(results: Tensors, rows: readonly number[]): Tensors[] | undefined {
  const total = rows.reduce((sum, each) => sum + each, 0);
  if (Object.values(results).some(({ dims }) => dims.length === 0 || dims[0] !== total))
    return undefined;
  let from = 0;
  return rows.map((count) => {
    const start = from;
    from += count;
    return Object.fromEntries(
      Object.entries(results).map(([name, { type, dims, data }]) => {
        const width = total === 0 ? 0 : data.length / total;
        return [
          name,
          {
            type,
            dims: [count, ...dims.slice(1)],
            data: data.slice(start * width, (start + count) * width),
          },
        ];
      }),
    );
  });
}
