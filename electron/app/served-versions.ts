/**
 * Versions that are being served: the tensors of each as the protocol shows them, its queue, and the resident child of the pool that
 * runs it. Made at the first request for a version, kept until serving stops.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { AppError } from '#shared/errors.ts';
import type { TensorSpec } from '#shared/contract/bundles.ts';
import type { ModelPool, PooledModel } from '#domain/inference/index.ts';
import type { ResolvedVersion } from '#domain/registry/index.ts';
import {
  createRequestQueue,
  isJoinable,
  type RequestQueue,
  type ServedModel,
  type Statistics,
} from '#domain/serving/index.ts';
import { pooledModel } from './model-access.ts';
import type { OpenVaultState } from './open-state.ts';

export interface ServedVersion {
  readonly tensors: ServedModel;
  readonly queue: RequestQueue;
}

export interface ServedVersions {
  of(version: ResolvedVersion): Promise<ServedVersion>;
  /** What waits is refused with `because`, what runs is finished, or ended when it takes too long. */
  close(because: AppError): Promise<void>;
}

/** Requests of one version that may wait. */
const maxWaiting = 32;
/** An execution that has not ended by then is ended. */
const longestFarewellMs = 2000;

export function createServedVersions(deps: {
  readonly admit: () => OpenVaultState;
  readonly pool: ModelPool;
  readonly statistics: Statistics;
  readonly batching: { readonly delayMicroseconds: number; readonly maxBatch: number };
}): ServedVersions {
  const { admit, pool, statistics } = deps;
  const served = new Map<string, Promise<ServedVersion>>();
  const queues: RequestQueue[] = [];
  const ending = new AbortController();
  let closed: AppError | undefined;

  async function make(version: ResolvedVersion): Promise<ServedVersion> {
    const model = await pooledModel(admit, version);
    const tensors = await tensorsOf(version, model);
    if (closed !== undefined) throw closed;
    const queue = createRequestQueue({
      async run(feeds) {
        const request = { kind: 'infer', body: {}, tensors: feeds } as const;
        const { tensors: results, times } = await pool.request(model, request, {
          signal: ending.signal,
        });
        return { results, times };
      },
      onExecuted: (batchSize, times) => statistics.executed(version, batchSize, times),
      onWaiting: (count) => statistics.waiting(version, count),
      ...deps.batching,
      maxWaiting,
      joinable: isJoinable(tensors),
    });
    queues.push(queue);
    return { tensors, queue };
  }

  /**
   * The file tells the types that the model declares. What it gives as maps or sequences only the child can say, which has
   * made tensors of them.
   */
  async function tensorsOf({ facts }: ResolvedVersion, model: PooledModel): Promise<ServedModel> {
    const declared = [...facts.inputs, ...facts.outputs];
    if (declared.every(({ kind }) => kind === 'tensor')) return facts;
    const { value } = await pool.request(
      model,
      { kind: 'describe', body: null },
      { signal: ending.signal },
    );
    const ofFile = new Map(
      declared.filter(({ kind }) => kind === 'tensor').map((spec) => [spec.name, spec]),
    );
    const asDeclared = (spec: TensorSpec): TensorSpec => ofFile.get(spec.name) ?? spec;
    return { inputs: value.inputs.map(asDeclared), outputs: value.outputs.map(asDeclared) };
  }

  return {
    of(version) {
      const { digest } = version;
      const found = served.get(digest);
      if (found !== undefined) return found;
      const made = make(version);
      served.set(digest, made);
      // A model that could not be loaded is tried again by the next request.
      made.catch(() => served.delete(digest));
      return made;
    },
    async close(because) {
      closed = because;
      const finished = Promise.all(queues.map((queue) => queue.close(because)));
      await Promise.race([finished, delay(longestFarewellMs, undefined, { ref: false })]);
      ending.abort();
      await finished;
    },
  };
}
