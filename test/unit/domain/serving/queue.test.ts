import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TensorSpec } from '#shared/contract/bundles.ts';
import { AppError } from '#shared/errors.ts';
import { countRows, createRequestQueue, isJoinable, type Tensors } from '#domain/serving/index.ts';

const times = { queueNs: 0, inputNs: 1, inferNs: 2, outputNs: 3 };
const rowsIn = (feeds: Tensors): number => feeds['x']?.dims[0] ?? 0;
const valuesIn = (tensors: Tensors, name: string): Float32Array => {
  const data = tensors[name]?.data;
  return data instanceof Float32Array ? data : new Float32Array();
};
const feed = (values: readonly number[], width = 1): Tensors => ({
  x: { type: 'float', dims: [values.length / width, width], data: Float32Array.from(values) },
});

/** Doubles what comes in, one execution after the other, and remembers how many rows each had. */
function doubling(options: {
  readonly delayMicroseconds?: number;
  readonly maxBatch?: number;
  readonly maxWaiting?: number;
  readonly run?: (feeds: Tensors) => Promise<Tensors>;
}) {
  const executed: number[] = [];
  const double = async (feeds: Tensors): Promise<Tensors> => {
    await delay(2);
    return {
      y: {
        type: 'float',
        dims: feeds['x']?.dims ?? [],
        data: valuesIn(feeds, 'x').map((value) => 2 * value),
      },
    };
  };
  const queue = createRequestQueue({
    run: async (feeds) => {
      executed.push(rowsIn(feeds));
      return { results: await (options.run ?? double)(feeds), times };
    },
    onExecuted: () => undefined,
    onWaiting: () => undefined,
    delayMicroseconds: options.delayMicroseconds ?? 0,
    maxBatch: options.maxBatch ?? 8,
    maxWaiting: options.maxWaiting ?? 100,
    joinable: true,
  });
  const submit = async (feeds: Tensors, more: { timeout?: number; signal?: AbortSignal } = {}) => {
    const { results } = await queue.submit({
      feeds,
      rows: rowsIn(feeds),
      timeoutMicroseconds: more.timeout,
      signal: more.signal ?? new AbortController().signal,
    });
    return [...valuesIn(results, 'y')];
  };
  return { queue, submit, executed };
}

describe('a queue', () => {
  test('joins requests of the same form up to the rows it may, and gives each its own', async () => {
    const { submit, executed } = doubling({ delayMicroseconds: 20_000, maxBatch: 4 });
    const answers = await Promise.all([
      submit(feed([1])),
      submit(feed([2, 3])),
      submit(feed([10, 20], 2)),
      submit(feed([4])),
      submit(feed([5, 6, 7, 8, 9])),
    ]);
    expect(answers).toEqual([[2], [4, 6], [20, 40], [8], [10, 12, 14, 16, 18]]);
    expect(executed).toEqual([4, 1, 5]);
  });

  test('joins nothing without a delay', async () => {
    const { submit, executed } = doubling({});
    await Promise.all([submit(feed([1])), submit(feed([2])), submit(feed([3]))]);
    expect(executed).toEqual([1, 1, 1]);
  });

  test('gives everybody what they would get alone, whoever else asks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.integer({ min: -999, max: 999 }), { maxLength: 6 }), {
          maxLength: 12,
        }),
        async (requests) => {
          const { submit } = doubling({ delayMicroseconds: 500, maxBatch: 8 });
          const answers = await Promise.all(requests.map((values) => submit(feed(values))));
          expect(answers).toEqual(requests.map((values) => values.map((value) => 2 * value)));
        },
      ),
      { numRuns: 25 },
    );
  });

  test('runs each alone when a joined execution fails, so that one caller does not fail another', async () => {
    const { submit } = doubling({
      delayMicroseconds: 10_000,
      run: (feeds) =>
        valuesIn(feeds, 'x').includes(-1)
          ? Promise.reject(new AppError('unavailable', 'The model failed.'))
          : Promise.resolve({ y: feeds['x'] ?? { type: 'float', dims: [], data: [] } }),
    });
    const answers = await Promise.allSettled([
      submit(feed([1])),
      submit(feed([-1])),
      submit(feed([3])),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  test('stops joining when a model does not give a row for a row', async () => {
    const { submit, executed } = doubling({
      delayMicroseconds: 5000,
      run: (feeds) =>
        Promise.resolve({
          y: { type: 'float', dims: [1], data: Float32Array.of(rowsIn(feeds)) },
        }),
    });
    expect(await Promise.all([submit(feed([1])), submit(feed([2, 3]))])).toEqual([[1], [2]]);
    await Promise.all([submit(feed([1])), submit(feed([1]))]);
    expect(executed).toEqual([3, 1, 2, 1, 1]);
  });

  test('refuses one more than may wait, drops who went away and who waited too long', async () => {
    const { queue, submit } = doubling({ maxWaiting: 2 });
    const running = submit(feed([1]));
    const gone = new AbortController();
    const cancelled = submit(feed([2]), { signal: gone.signal });
    const late = submit(feed([3]), { timeout: 1 });
    expect(() => queue.requireRoom()).toThrow(/2 requests wait/);
    await expect(submit(feed([4]))).rejects.toMatchObject({ code: 'busy' });
    gone.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' });
    await expect(late).rejects.toMatchObject({ code: 'busy' });
    expect(await running).toEqual([2]);
    expect(await submit(feed([5]))).toEqual([10]);
  });

  test('closed, it finishes what runs and refuses the rest', async () => {
    const { queue, submit } = doubling({});
    const running = submit(feed([1]));
    const waiting = submit(feed([2])).catch((error: unknown) => error);
    await queue.close(new AppError('locked', 'The vault is being sealed.'));
    expect(await running).toEqual([2]);
    expect(await waiting).toMatchObject({ code: 'locked' });
    await expect(submit(feed([3]))).rejects.toMatchObject({ code: 'locked' });
  });
});

test('only models whose first dimensions are free, and the same, are joined', () => {
  const spec = (...shape: TensorSpec['shape']): TensorSpec => ({
    name: 'x',
    kind: 'tensor',
    type: 'float',
    shape,
  });
  const joinable = (inputs: TensorSpec[], outputs: TensorSpec[]): boolean =>
    isJoinable({ inputs, outputs });
  expect(joinable([spec('N', 2)], [spec('N', 1), spec(null)])).toBe(true);
  expect(joinable([spec(null, 2)], [spec(null)])).toBe(true);
  expect(joinable([spec('N', 2)], [spec('M', 1)])).toBe(false);
  expect(joinable([spec(1, 2)], [spec('N', 1)])).toBe(false);
  expect(joinable([spec('N', 2)], [spec()])).toBe(false);
  expect(joinable([{ ...spec('N'), kind: 'sequence' }], [spec('N')])).toBe(false);
});

test('rows are counted; none, and numbers of them that differ, are refused', () => {
  type Shape = TensorSpec['shape'];
  const rowsOf = (
    shapes: readonly Shape[],
    counts: readonly number[],
    output: Shape = ['N'],
  ): number => {
    const spec = (name: string, shape: Shape): TensorSpec => ({
      name,
      kind: 'tensor',
      type: 'float',
      shape: [...shape],
    });
    const inputs = shapes.map((shape, at) => spec(`x${at}`, shape));
    const feeds = inputs.map(({ name, shape }, at) => {
      const count = counts[at] ?? 0;
      const dims = [count, ...shape.slice(1).map(Number)];
      return [name, { type: 'float', dims, data: new Float32Array(count) }];
    });
    return countRows(
      { inputs, outputs: [spec('y', output)] },
      Object.fromEntries(feeds) as Tensors,
    );
  };
  expect(rowsOf([['N', 1]], [2])).toBe(2);
  expect(rowsOf([[2, 1]], [2])).toBe(1);
  // Every converter of scikit-learn writes its columns without a name for their rows.
  expect(
    rowsOf(
      [
        [null, 1],
        [null, 1],
      ],
      [3, 3],
      [null],
    ),
  ).toBe(3);
  expect(() =>
    rowsOf(
      [
        [null, 1],
        [null, 1],
      ],
      [3, 1],
      [null],
    ),
  ).toThrow(/x0 and x1 .* 3 and 1 rows/);
  expect(() => rowsOf([['N', 1]], [0])).toThrow(/x0 has no rows/);
  expect(() => rowsOf([['N'], ['M']], [1, 0])).toThrow(/x1 has no rows/);
  // Not rows of the same thing, by their names.
  expect(rowsOf([['N'], ['M']], [3, 2])).toBe(1);
});
