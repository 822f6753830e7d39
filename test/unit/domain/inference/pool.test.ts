import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, describe, expect, test } from 'vitest';
import type { TensorData } from '#domain/onnx/index.ts';
import type { ModelFiles, ModelPool } from '#domain/inference/index.ts';
import { defaultLimitsFor } from '../../../../electron/domain/inference/limits.ts';
import { createModelPool } from '../../../../electron/domain/inference/pool.ts';
import { modelFiles } from '../../../support/inference.ts';
import { dividingModel, loopingModel, swellingModel } from '../../../support/hostile/on-demand.ts';
import { bytesOf, columnsModel, matrixModel } from '../../../support/onnx-models.ts';

const pools: ModelPool[] = [];
function createPool(
  options: Partial<Parameters<typeof createModelPool>[0]> & { residentBytes?: number } = {},
): ModelPool {
  const { residentBytes } = options;
  const pool = createModelPool({
    limitsFor: (files) => ({
      ...defaultLimitsFor(files),
      ...(residentBytes === undefined ? {} : { residentBytes }),
    }),
    ...options,
  });
  pools.push(pool);
  return pool;
}
afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.empty();
  expect(ownFolders()).toEqual([]);
});
const ownFolders = (): string[] =>
  readdirSync(tmpdir()).filter((name) => name.startsWith(`strongroom-child-${process.pid}-`));

const pooled = (key: string, files: ModelFiles) => ({
  key,
  files: () => files,
  pipeline: undefined,
});
const floats = (dims: readonly number[], data: readonly number[]): TensorData => ({
  type: 'float',
  dims,
  data: Float32Array.from(data),
});
const score = (pool: ModelPool, model: ReturnType<typeof pooled>, data: readonly number[]) =>
  pool.request(model, {
    kind: 'infer',
    body: {},
    tensors: { features: floats([data.length / 2, 2], data) },
  });

describe('a resident child', () => {
  test('answers request after request, and tells where the time went', async () => {
    const pool = createPool();
    const model = pooled('matrix', await modelFiles(bytesOf(matrixModel())));
    const first = await score(pool, model, [1, 2, 3, 4]);
    expect(first.tensors).toEqual({ score: floats([2, 1], [9, 19]) });
    const many = await Promise.all([1, 2, 3].map((value) => score(pool, model, [value, 0])));
    expect(many.map(({ tensors }) => tensors['score']?.data[0])).toEqual([3, 5, 7]);
    for (const { times } of many)
      for (const ns of Object.values(times)) expect(ns).toBeGreaterThanOrEqual(0);
    expect(pool.status()).toMatchObject([{ key: 'matrix', state: 'idle', waiting: 0, crashes: 0 }]);
  });

  test('takes and gives every type, and only the outputs that are wanted', async () => {
    const pool = createPool();
    const model = pooled('columns', await modelFiles(bytesOf(columnsModel())));
    const column = (type: string, data: TensorData['data']): TensorData => ({
      type,
      dims: [2, 1],
      data,
    });
    const tensors = {
      age: column('float', Float32Array.of(1, 2)),
      weight: column('double', Float64Array.of(0.5, 0.25)),
      count: column('int64', BigInt64Array.of(9_007_199_254_740_993n, -1n)),
      active: column('bool', Uint8Array.of(1, 0)),
      color: column('string', ['grün', '']),
    };
    const { tensors: outputs } = await pool.request(model, {
      kind: 'infer',
      body: { outputs: ['color_out', 'count_out', 'inactive'] },
      tensors,
    });
    expect(outputs).toEqual({
      color_out: tensors.color,
      count_out: tensors.count,
      inactive: column('bool', Uint8Array.of(0, 1)),
    });
    const { value } = await pool.request(model, { kind: 'describe', body: { of: 'tensors' } });
    expect(value.inputs.map(({ name, type }) => `${name}: ${type}`)).toContain('color: string');
  });

  test('refuses what does not fit the model, and goes on', async () => {
    const pool = createPool();
    const model = pooled('matrix', await modelFiles(bytesOf(matrixModel())));
    const asked = async (tensors: Record<string, TensorData>, outputs?: string[]) =>
      pool
        .request(model, { kind: 'infer', body: outputs === undefined ? {} : { outputs }, tensors })
        .catch((error: unknown) => error);
    const good = { features: floats([1, 2], [1, 1]) };
    for (const [tensors, outputs, words] of [
      [{}, undefined, 'features is missing'],
      [{ features: floats([1, 3], [1, 1, 1]) }, undefined, '[1, 3]'],
      [{ features: floats([2], [1, 1]) }, undefined, '[N, 2]'],
      [
        { features: { ...good.features, type: 'double', data: Float64Array.of(1, 1) } },
        undefined,
        'double',
      ],
      [{ ...good, more: good.features }, undefined, 'no input more'],
      [good, ['nothing'], 'no output nothing'],
    ] as const)
      expect(await asked(tensors, outputs === undefined ? undefined : [...outputs])).toMatchObject({
        code: 'invalid-input',
        message: expect.stringContaining(words) as string,
      });
    expect(await asked(good)).toMatchObject({ tensors: { score: floats([1, 1], [6]) } });
    expect(pool.status()).toMatchObject([{ crashes: 0 }]);
  });
});

describe('a child that ends', () => {
  const int32 = (value: number): TensorData => ({
    type: 'int32',
    dims: [1],
    data: Int32Array.of(value),
  });
  const least = -(2 ** 31);
  /** By 0: what crashes. */
  const divide = (pool: ModelPool, model: ReturnType<typeof pooled>, by: number) =>
    pool
      .request(model, {
        kind: 'infer',
        body: {},
        tensors: { a: int32(by === 0 ? least : 6), b: int32(by === 0 ? -1 : by) },
      })
      .then(
        ({ tensors }) => tensors['y']?.data[0],
        (error: unknown) => error,
      );

  test.runIf(process.arch === 'x64')(
    'by a crash is started again, for those who waited too, and given up after three',
    async () => {
      const pool = createPool();
      const model = pooled('divide', await modelFiles(bytesOf(dividingModel())));
      const crashed = {
        code: 'unavailable',
        message: expect.stringContaining('SIGFPE') as string,
        details: { how: 'SIGFPE' },
      };
      expect(await Promise.all([2, 0, 3].map((by) => divide(pool, model, by)))).toMatchObject([
        3,
        crashed,
        2,
      ]);
      expect(await divide(pool, model, 0)).toMatchObject(crashed);
      expect(await divide(pool, model, 1)).toBe(6);
      expect(await divide(pool, model, 0)).toMatchObject({ ...crashed, details: { crashes: 3 } });
      expect(await divide(pool, model, 1)).toMatchObject({
        code: 'unavailable',
        message: expect.stringContaining('3 times') as string,
      });
      expect(pool.status()).toMatchObject([{ state: 'stopped', crashes: 3 }]);
      pool.forgive('divide');
      expect(await divide(pool, model, 1)).toBe(6);
    },
  );

  test('by its limit of memory, or by a time-out, says so', async () => {
    const pool = createPool({ residentBytes: 400 * 2 ** 20 });
    const swelling = pooled('swell', await modelFiles(bytesOf(swellingModel())));
    const swell = (size: bigint) =>
      pool.request(swelling, {
        kind: 'infer',
        body: {},
        tensors: { size: { type: 'int64', dims: [1], data: BigInt64Array.of(size) } },
      });
    expect((await swell(1000n)).tensors).toEqual({ y: floats([1], [1000]) });
    for (const [size, words] of [
      [200_000_000n, 'more memory than 400 MiB'],
      [10n ** 12n, 'more memory than it may have'],
    ] as const)
      await expect(swell(size)).rejects.toMatchObject({
        code: 'limit',
        message: expect.stringContaining(words) as string,
      });
    const looping = pooled('loop', await modelFiles(bytesOf(loopingModel())));
    await expect(loop(pool, looping, endless, { timeoutMs: 300 })).rejects.toMatchObject({
      code: 'limit',
      message: expect.stringContaining('0.3 s') as string,
    });
    expect((await loop(pool, looping, 10n)).tensors).toEqual({ y: floats([1], [10]) });
  });

  test('because it was cancelled leaves room for the next one', async () => {
    const pool = createPool();
    const model = pooled('loop', await modelFiles(bytesOf(loopingModel())));
    await loop(pool, model, 1n);
    const [working, waiting] = [new AbortController(), new AbortController()];
    const asked = [working, waiting].map(({ signal }) =>
      loop(pool, model, endless, { signal }).catch((error: unknown) => error),
    );
    const after = loop(pool, model, 2n);
    waiting.abort();
    expect(await asked[1]).toMatchObject({ code: 'cancelled' });
    working.abort();
    expect(await asked[0]).toMatchObject({ code: 'cancelled' });
    expect((await after).tensors).toEqual({ y: floats([1], [2]) });
    expect(pool.status()).toMatchObject([{ state: 'idle', crashes: 0 }]);
    await expect(loop(pool, model, 1n, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
    });
  });
});

describe('the pool', () => {
  test('ends the child that was not used for the longest time when there is no room', async () => {
    const pool = createPool({ maxBytes: 350 * 2 ** 20 });
    const files = await modelFiles(bytesOf(matrixModel()));
    for (const key of ['a', 'b', 'a', 'c', 'd']) await score(pool, pooled(key, files), [1, 1]);
    const running = pool.status().map(({ key }) => key);
    expect(running).toContain('d');
    expect(running).not.toContain('b');
    expect(running.length).toBeLessThan(4);
    // All at once: who finds no room waits until somebody has done.
    const all = await Promise.all(
      ['e', 'f', 'g', 'h', 'i'].map((key) => score(pool, pooled(key, files), [1, 1])),
    );
    expect(all.map(({ tensors }) => tensors['score']?.data[0])).toEqual([6, 6, 6, 6, 6]);
  });

  test('ends a child that nobody asks, without taking its time as a crash', async () => {
    const pool = createPool({ idleMs: 50 });
    await score(pool, pooled('a', await modelFiles(bytesOf(matrixModel()))), [1, 1]);
    await expect.poll(() => pool.status()).toEqual([]);
    await expect.poll(ownFolders).toEqual([]);
  });

  test('is emptied of what works, waits and starts, and asks for the keys anew', async () => {
    const pool = createPool();
    let handedOver = 0;
    const files = await modelFiles(bytesOf(loopingModel()));
    const model = { key: 'loop', files: () => ((handedOver += 1), files), pipeline: undefined };
    await loop(pool, model, 1n);
    await loop(pool, model, 1n);
    expect(handedOver).toBe(1);
    const others = pooled('starting', files);
    const asked = [loop(pool, model, endless), loop(pool, model, 1n), loop(pool, others, 1n)].map(
      (promise) => promise.catch((error: unknown) => error),
    );
    await pool.empty();
    for (const error of await Promise.all(asked))
      expect(error).toMatchObject({ code: 'cancelled' });
    expect(pool.status()).toEqual([]);
    expect(ownFolders()).toEqual([]);
    await loop(pool, model, 1n);
    expect(handedOver).toBe(2);
    await loop(pool, others, 1n);
    await pool.empty((key) => key === 'loop');
    expect(pool.status()).toMatchObject([{ key: 'starting' }]);
  });

  test('passes on that a model cannot be loaded, or its files not be had', async () => {
    const pool = createPool();
    const none = await modelFiles(Buffer.from('no model'));
    await expect(score(pool, pooled('none', none), [1, 1])).rejects.toMatchObject({
      code: 'corrupt',
    });
    const locked = new Error('locked');
    const sealed = {
      key: 'sealed',
      files: () => {
        throw locked;
      },
      pipeline: undefined,
    };
    await expect(score(pool, sealed, [1, 1])).rejects.toBe(locked);
    expect(pool.status()).toEqual([]);
  });
});

const endless = 9_223_372_036_854_775_807n;
function loop(
  pool: ModelPool,
  model: Parameters<ModelPool['request']>[0],
  trips: bigint,
  options?: Parameters<ModelPool['request']>[2],
) {
  return pool.request(
    model,
    {
      kind: 'infer',
      body: {},
      tensors: {
        x: floats([1], [0]),
        trips: { type: 'int64', dims: [], data: BigInt64Array.of(trips) },
      },
    },
    options,
  );
}
