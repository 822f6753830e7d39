/**
 * SHA-256 in a thread beside the one that reads, over lanes of shared memory. One digest at a time. The thread is started with
 * the first `update`; if it dies, everything that is under way fails with `unavailable`.
 */
import { Worker } from 'node:worker_threads';
import { AppError } from '#shared/errors.ts';

export interface Hasher {
  /** What is put here is what `update` hashes; a lane must stay as it is until its `update` resolves. */
  readonly lanes: readonly Uint8Array[];
  /** Takes the first bytes of the lane into the digest, in the order of the calls. */
  update(lane: number, lengthBytes: number): Promise<void>;
  /** SHA-256 of what was taken since the last digest, hex. */
  digest(): Promise<string>;
  /** Forgets an unfinished digest. An idle thread keeps no program alive. */
  rest(): void;
  /** False once its thread has died. */
  isUsable(): boolean;
  close(): void;
}

export interface HasherMemory {
  readonly memory: SharedArrayBuffer;
  readonly laneBytes: number;
}

export type HashRequest =
  | { readonly kind: 'update'; readonly lane: number; readonly lengthBytes: number }
  | { readonly kind: 'digest' }
  | { readonly kind: 'forget' };

const threadEntry = new URL('./hash-thread.ts', import.meta.url);

export function createHasher(shape: {
  readonly laneBytes: number;
  readonly laneCount: number;
  /** In place of the thread's own script; tests give one that breaks. */
  readonly entry?: URL;
}): Hasher {
  const { laneBytes, laneCount } = shape;
  const memory = new SharedArrayBuffer(laneCount * laneBytes);
  const lanes = Array.from(
    { length: laneCount },
    (_, at) => new Uint8Array(memory, at * laneBytes, laneBytes),
  );
  const waiting: { resolve(answer: string): void; reject(error: AppError): void }[] = [];
  let thread: Worker | undefined;
  let dead = false;

  function startThread(): Worker {
    const worker = new Worker(shape.entry ?? threadEntry, {
      workerData: { memory, laneBytes } satisfies HasherMemory,
      stdout: true,
      stderr: true,
    });
    worker.on('message', (answer: string) => waiting.shift()?.resolve(answer));
    worker.on('error', (cause) => fail(cause));
    worker.on('exit', () => fail());
    return worker;
  }

  function fail(cause?: unknown): void {
    dead = true;
    const error = new AppError(
      'unavailable',
      'The thread that computes digests has ended. Nothing of the file was kept and nothing was lost; try again.',
      { cause },
    );
    for (const { reject } of waiting.splice(0)) reject(error);
  }

  function ask(request: HashRequest): Promise<string> {
    const answer = new Promise<string>((resolve, reject) => waiting.push({ resolve, reject }));
    if (dead) fail();
    else {
      thread ??= startThread();
      thread.ref();
      thread.postMessage(request);
    }
    return answer;
  }

  return {
    lanes,
    async update(lane, lengthBytes) {
      await ask({ kind: 'update', lane, lengthBytes });
    },
    digest: () => ask({ kind: 'digest' }),
    rest() {
      thread?.postMessage({ kind: 'forget' } satisfies HashRequest);
      thread?.unref();
    },
    isUsable: () => !dead,
    close() {
      dead = true;
      void thread?.terminate();
    },
  };
}
