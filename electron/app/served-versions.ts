/**
 * Versions that are being served: the tensors of each form as the protocol shows them, its queue, and the resident child of the pool that
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
  servedName,
  type Form,
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
  of(version: ResolvedVersion, form: Form): Promise<ServedVersion>;
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

  async function make(version: ResolvedVersion, form: Form): Promise<ServedVersion> {
    const model = await pooledModel(admit, version);
    const tensors =
      form === 'rows' ? await described(model, form) : await tensorsOf(version, model);
    if (closed !== undefined) throw closed;
    const counted = { model: servedName(version.model, form), version: version.version };
    let waiting = 0;
    const queue = createRequestQueue({
      async run(feeds) {
        const { signal } = ending;
        const { tensors: results, times } =
          form === 'rows'
            ? await pool.request(model, { kind: 'rows', body: null, tensors: feeds }, { signal })
            : await pool.request(model, { kind: 'infer', body: {}, tensors: feeds }, { signal });
        return { results, times };
      },
      onExecuted: (batchSize, times) => statistics.executed(counted, batchSize, times),
      onWaiting(count) {
        statistics.waiting(counted, count - waiting);
        waiting = count;
      },
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
    const value = await described(model, 'tensors');
    const ofFile = new Map(
      declared.filter(({ kind }) => kind === 'tensor').map((spec) => [spec.name, spec]),
    );
    const asDeclared = (spec: TensorSpec): TensorSpec => ofFile.get(spec.name) ?? spec;
    return { inputs: value.inputs.map(asDeclared), outputs: value.outputs.map(asDeclared) };
  }

  async function described(model: PooledModel, form: Form): Promise<ServedModel> {
    const { signal } = ending;
    const request = { kind: 'describe', body: { of: form } } as const;
    const { value } = await pool.request(model, request, { signal });
    return { ...value, takesMissing: form === 'rows' };
  }

  return {
    of(version, form) {
      // Models of one bundle share its digest. A binding that is saved meanwhile reads other columns.
      const { model, version: number, digest, binding } = version;
      const key = [model, number, digest, form, binding?.savedAt ?? ''].join(':');
      const found = served.get(key);
      if (found !== undefined) return found;
      const made = make(version, form);
      served.set(key, made);
      // A model that could not be loaded is tried again by the next request.
      made.catch(() => served.delete(key));
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
