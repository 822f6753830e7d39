/**
 * Encryption beside the thread that reads and hashes: lanes of shared memory, each with a block of plaintext and, after `seal`,
 * the block of the file. One object at a time. An object of a single block is encrypted right here, and the thread is started
 * with the first longer one. If the thread dies, every block that is under way fails with `unavailable`.
 */
import { Worker } from 'node:worker_threads';
import { AppError } from '#shared/errors.ts';
import { alignedMemory, alignmentBytes } from '#platform/block-file.ts';
import { floeHeaderBytes, floeSegmentOverheadBytes } from './floe.ts';
import { createBlockSealer } from './sealed-blocks.ts';

export interface SealerShape {
  readonly segmentBytes: number;
  readonly segmentsPerBlock: number;
  readonly laneCount: number;
}

export const objectShape: SealerShape = {
  segmentBytes: 1024 * 1024,
  segmentsPerBlock: 2,
  laneCount: 8,
};

export interface Lane {
  readonly plain: Uint8Array;
  /** A block, and behind it room for what spills over; aligned for a `BlockFile`. */
  readonly sealed: Uint8Array;
}

export interface SealerMemory {
  readonly shape: SealerShape;
  readonly plain: SharedArrayBuffer;
  readonly sealed: SharedArrayBuffer;
  /** Where the object's key waits for the thread. */
  readonly key: SharedArrayBuffer;
}

export type SealRequest =
  | { readonly kind: 'begin'; readonly aad: Uint8Array }
  | {
      readonly kind: 'seal';
      readonly lane: number;
      readonly lengthBytes: number;
      readonly isLast: boolean;
    }
  | { readonly kind: 'end' };

export interface Sealer {
  readonly shape: SealerShape;
  readonly lanes: readonly Lane[];
  /** Zeroes `key`. */
  begin(input: { readonly key: Uint8Array; readonly aad: Uint8Array }): void;
  /** Blocks are sealed in the order of the calls; resolves with the bytes of the file in the lane's `sealed`. */
  seal(block: {
    readonly lane: number;
    readonly lengthBytes: number;
    readonly isLast: boolean;
  }): Promise<number>;
  /** After the object, finished or not: destroys what was derived from its key, zeroes its plaintext. */
  end(): void;
  /** False once its thread has died. */
  isUsable(): boolean;
  close(): void;
}

const threadEntry = new URL('./seal-thread.ts', import.meta.url);

export function createSealer(
  options: {
    readonly shape?: SealerShape;
    /** In place of the thread's own script; tests give one that breaks. */
    readonly entry?: URL;
  } = {},
): Sealer {
  const shape = options.shape ?? objectShape;
  const memory: SealerMemory = {
    shape,
    plain: new SharedArrayBuffer(shape.laneCount * plainBlockBytes(shape)),
    sealed: alignedMemory(shape.laneCount * sealedLaneBytes(shape)),
    key: new SharedArrayBuffer(32),
  };
  const lanes = laneMemory(memory);
  const waiting: { resolve(count: number): void; reject(error: AppError): void }[] = [];
  const usedBytes = lanes.map(() => 0);
  let thread: Worker | undefined;
  let object: { readonly aad: Uint8Array; readonly state: 'new' | 'sent' } | undefined;
  let dead = false;

  function startThread(): Worker {
    const worker = new Worker(options.entry ?? threadEntry, {
      workerData: memory,
      stdout: true,
      stderr: true,
    });
    worker.unref();
    worker.on('message', (count: number) => waiting.shift()?.resolve(count));
    worker.on('error', (cause) => fail(cause));
    worker.on('exit', () => fail());
    return worker;
  }

  function fail(cause?: unknown): void {
    dead = true;
    const error = new AppError(
      'unavailable',
      'The thread that encrypts has ended. Nothing of the file was kept and nothing was lost; try again.',
      { cause },
    );
    for (const { reject } of waiting.splice(0)) reject(error);
  }

  return {
    shape,
    lanes,
    begin({ key, aad }) {
      new Uint8Array(memory.key).set(key);
      key.fill(0);
      object = { aad, state: 'new' };
    },
    async seal({ lane: number, lengthBytes, isLast }) {
      const lane = lanes[number];
      if (object === undefined || lane === undefined)
        throw new RangeError('There is no such lane, or no object in hand.');
      usedBytes[number] = Math.max(usedBytes[number] ?? 0, lengthBytes);
      if (isLast && object.state === 'new') {
        const key = Uint8Array.from(new Uint8Array(memory.key));
        const sealer = createBlockSealer({ ...shape, key, aad: object.aad });
        key.fill(0);
        return sealer.seal(lane.plain.subarray(0, lengthBytes), true, lane.sealed);
      }
      if (dead) fail();
      thread ??= startThread();
      if (object.state === 'new') {
        object = { ...object, state: 'sent' };
        thread.ref();
        thread.postMessage({ kind: 'begin', aad: object.aad } satisfies SealRequest);
      }
      const sealed = new Promise<number>((resolve, reject) => waiting.push({ resolve, reject }));
      thread.postMessage({ kind: 'seal', lane: number, lengthBytes, isLast } satisfies SealRequest);
      if (dead) fail();
      return sealed;
    },
    end() {
      new Uint8Array(memory.key).fill(0);
      if (object?.state === 'sent') thread?.postMessage({ kind: 'end' } satisfies SealRequest);
      // An idle thread keeps no program alive.
      thread?.unref();
      object = undefined;
      for (const [at, { plain }] of lanes.entries()) {
        plain.fill(0, 0, usedBytes[at]);
        usedBytes[at] = 0;
      }
    },
    isUsable: () => !dead,
    close() {
      dead = true;
      void thread?.terminate();
    },
  };
}

/** The same views for both threads. */
export function laneMemory({ shape, plain, sealed }: Omit<SealerMemory, 'key'>): Lane[] {
  const plainBytes = plainBlockBytes(shape);
  const sealedBytes = sealedLaneBytes(shape);
  return Array.from({ length: shape.laneCount }, (_, at) => ({
    plain: new Uint8Array(plain, at * plainBytes, plainBytes),
    sealed: new Uint8Array(sealed, at * sealedBytes, sealedBytes),
  }));
}

function plainBlockBytes({ segmentBytes, segmentsPerBlock }: SealerShape): number {
  return segmentsPerBlock * (segmentBytes - floeSegmentOverheadBytes);
}

function sealedLaneBytes({ segmentBytes, segmentsPerBlock }: SealerShape): number {
  const bytes = segmentsPerBlock * segmentBytes + floeHeaderBytes;
  return Math.ceil(bytes / alignmentBytes) * alignmentBytes;
}
