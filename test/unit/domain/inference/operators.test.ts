/** Operators that adapters put in another form, in both builds of the runtime. What they should give is computed here, value by value. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  graph,
  model,
  node,
  tensor,
  tensorTypes,
  writeModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValueInfo,
  type TensorData,
} from '#domain/onnx/index.ts';
import { loadModelFrom, type LoadedModel } from '#domain/inference/runtime.ts';

const both = ['native', 'wasm'] as const;

const value = (name: string, type: string, dims?: readonly number[]): OnnxValueInfo => ({
  name,
  type: {
    tensor: {
      elemType: tensorTypes.indexOf(type),
      ...(dims === undefined ? {} : { shape: { dims: dims.map((size) => ({ value: size })) } }),
    },
  },
});
const floats = (dims: readonly number[], seed: number): TensorData & { data: Float32Array } => ({
  type: 'float',
  dims,
  data: Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, at) =>
    Math.sin(seed + 1.7 * at),
  ),
});

function load(
  made: {
    readonly nodes: readonly OnnxNode[];
    readonly inputs: readonly OnnxValueInfo[];
    readonly outputs: readonly OnnxValueInfo[];
    readonly initializers?: readonly OnnxTensor[];
    readonly opset: number;
  },
  runtime: (typeof both)[number],
): Promise<LoadedModel> {
  const bytes = writeModel(model(graph('g', made), { opsets: { '': made.opset }, irVersion: 10 }));
  return loadModelFrom(bytes, { runtime, threads: 1 });
}

describe.each(both)('operators in another form, in the %s build', (runtime) => {
  test.each([0, 2])(
    'ConvInteger with a zero point for each channel, told in %i dimensions',
    async (known) => {
      const [channels, width, kernel, group, pads, stride] = [4, 5, 3, 2, [2, 1], 2] as const;
      const session = await load(
        {
          nodes: [
            node(
              'ConvInteger',
              { inputs: ['x', 'w', 'xz', 'wz'], outputs: ['y'] },
              { group: BigInt(group), pads: pads.map(BigInt), strides: [BigInt(stride)] },
            ),
          ],
          inputs: [
            value('x', 'uint8', known === 0 ? undefined : [1, 2, width]),
            value('w', 'int8'),
            value('xz', 'uint8', []),
            value('wz', 'int8', known === 0 ? undefined : [channels]),
          ],
          outputs: [value('y', 'int32')],
          opset: 10,
        },
        runtime,
      );
      const bytes = (length: number): fc.Arbitrary<number[]> =>
        fc.array(fc.integer({ min: 0, max: 255 }), { minLength: length, maxLength: length });
      const small = (length: number): fc.Arbitrary<number[]> =>
        fc.array(fc.integer({ min: -128, max: 127 }), { minLength: length, maxLength: length });
      await fc.assert(
        fc.asyncProperty(
          bytes(2 * width),
          small(channels * kernel),
          fc.integer({ min: 0, max: 255 }),
          small(channels),
          async (x, w, xZero, wZero) => {
            const expected: number[] = [];
            const count = (width + pads[0] + pads[1] - kernel) / stride + 1;
            for (let channel = 0; channel < channels; channel += 1)
              for (let place = 0; place < Math.floor(count); place += 1) {
                let sum = 0;
                for (let at = 0; at < kernel; at += 1) {
                  const from = place * stride + at - pads[0];
                  if (from < 0 || from >= width) continue;
                  const input = x[(channel < 2 ? 0 : width) + from] ?? 0;
                  const weight = w[channel * kernel + at] ?? 0;
                  sum += (input - xZero) * (weight - (wZero[channel] ?? 0));
                }
                expected.push(sum);
              }
            const { y } = await session.run({
              x: { type: 'uint8', dims: [1, 2, width], data: Uint8Array.from(x) },
              w: { type: 'int8', dims: [channels, 1, kernel], data: Int8Array.from(w) },
              xz: { type: 'uint8', dims: [], data: Uint8Array.of(xZero) },
              wz: { type: 'int8', dims: [channels], data: Int8Array.from(wZero) },
            });
            expect(y?.dims).toEqual([1, channels, 3]);
            expect([...(y?.data ?? [])]).toEqual(expected);
          },
        ),
        { numRuns: 30 },
      );
    },
  );

  // Two queries of one head, four keys of which a part may come from before.
  test.each([
    { mask: 'float', past: 0, rank: 4, given: 3, valid: 3 },
    { mask: 'bool', past: 0, rank: 4, given: 3, valid: 2 },
    { mask: 'float', past: 1, rank: 4, given: 2, valid: undefined },
    { mask: 'bool', past: 2, rank: 3, given: 3, valid: undefined },
    { mask: 'float', past: 0, rank: 3, given: 4, valid: undefined },
  ])(
    'Attention with a $mask mask over $given of 4 keys, $past of them past, rank $rank',
    async ({ mask, past, rank, given, valid }) => {
      const size = 2;
      const shaped = (count: number): number[] =>
        rank === 4 ? [1, 1, count, size] : [1, count, size];
      const q = floats(shaped(2), 1);
      const [k, v] = [floats(shaped(4 - past), 2), floats(shaped(4 - past), 3)];
      const [pastK, pastV] = [floats([1, 1, past, size], 4), floats([1, 1, past, size], 5)];
      const bias =
        mask === 'bool'
          ? { type: 'bool', dims: [2, given], data: Uint8Array.from([1, 0, 1, 1, 1, 0, 1]) }
          : floats([2, given], 6);
      const data = bias.data.slice(0, 2 * given);
      const before = past === 0 ? [] : (['pk', 'pv'] as const);
      const inputs = ['q', 'k', 'v', 'm', ...(past === 0 ? ['', ''] : before), 'n'].slice(
        0,
        valid === undefined ? 4 + before.length : 7,
      );
      const session = await load(
        {
          nodes: [
            node(
              'Attention',
              // With what is past, the keys and values of all must be asked for.
              { inputs, outputs: past === 0 ? ['y'] : ['y', 'allK', 'allV'] },
              { q_num_heads: 1n, kv_num_heads: 1n },
            ),
          ],
          inputs: inputs
            .filter((name) => name !== '')
            .map((name) =>
              value(name, name === 'm' ? bias.type : name === 'n' ? 'int64' : 'float'),
            ),
          outputs: [value('y', 'float')],
          opset: 24,
        },
        runtime,
      );
      const { y } = await session.run({
        q,
        k,
        v,
        m: { ...bias, data },
        ...(past === 0 ? {} : { pk: pastK, pv: pastV }),
        ...(valid === undefined
          ? {}
          : { n: { type: 'int64', dims: [1], data: BigInt64Array.of(BigInt(valid)) } }),
      });
      const keys = [...pastK.data, ...k.data];
      const values = [...pastV.data, ...v.data];
      const expected = [0, 1].flatMap((query) => {
        const weights = [0, 1, 2, 3].map((key) => {
          const entry = Number(data[query * given + key]);
          if (key >= given || key >= (valid ?? 4) || (mask === 'bool' && entry === 0)) return 0;
          const product = [0, 1].reduce(
            (sum, at) => sum + (q.data[query * 2 + at] ?? 0) * (keys[key * 2 + at] ?? 0),
            0,
          );
          return Math.exp(product / Math.sqrt(size) + (mask === 'bool' ? 0 : entry));
        });
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        return [0, 1].map((at) =>
          weights.reduce(
            (sum, weight, key) => sum + (weight / total) * (values[key * 2 + at] ?? 0),
            0,
          ),
        );
      });
      for (const [at, number] of expected.entries())
        expect(Number(y?.data[at])).toBeCloseTo(number, 5);
    },
  );

  test.each([0n, 1n])('TopK of 64 bits without a sign, largest %i', async (largest) => {
    const session = await load(
      {
        nodes: [node('TopK', { inputs: ['x', 'k'], outputs: ['v', 'i'] }, { axis: 0n, largest })],
        inputs: [value('x', 'uint64')],
        outputs: [value('v', 'uint64'), value('i', 'int64')],
        initializers: [tensor('k', 'int64', { dims: [1], data: [3] })],
        opset: 24,
      },
      runtime,
    );
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), {
          minLength: 5,
          maxLength: 5,
        }),
        async (numbers) => {
          const { v, i } = await session.run({
            x: { type: 'uint64', dims: [5, 1], data: BigUint64Array.from(numbers) },
          });
          const sorted = numbers.toSorted((a, b) => (a < b === (largest === 0n) ? -1 : 1));
          const found = sorted.slice(0, 3);
          expect(v?.dims).toEqual([3, 1]);
          expect([...(v?.data ?? [])]).toEqual(found);
          expect([...(i?.data ?? [])].map(Number)).toEqual(
            found.map((number) => numbers.indexOf(number)),
          );
        },
      ),
      { numRuns: 30, examples: [[[0n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n, 1n]]] },
    );
  });

  test('the size of a shape is the number of dimensions, also where sizes follow from it', async () => {
    const made = (from: bigint): Parameters<typeof load>[0] => ({
      nodes: [
        node('Shape', { inputs: ['x'], outputs: ['shape'] }),
        node('Size', { inputs: ['shape'], outputs: ['rank'] }),
        node('Range', { inputs: ['from', 'rank', 'one'], outputs: ['axes'] }),
        node('ReduceSum', { inputs: ['x', 'axes'], outputs: ['y'] }, { keepdims: 0n }),
      ],
      inputs: [value('x', 'float', [3, 4])],
      outputs: [value('y', 'float'), value('rank', 'int64', [])],
      initializers: [
        tensor('from', 'int64', { dims: [], data: [from] }),
        tensor('one', 'int64', { dims: [], data: [1] }),
      ],
      opset: 21,
    });
    const x = {
      type: 'float',
      dims: [3, 4],
      data: Float32Array.from({ length: 12 }, (_, at) => at),
    };
    const rows = await (await load(made(1n), runtime)).run({ x });
    expect([...(rows['y']?.data ?? [])]).toEqual([6, 22, 38]);
    expect(rows['rank']).toMatchObject({ dims: [], data: BigInt64Array.of(2n) });
    const all = await (await load(made(0n), runtime)).run({ x });
    expect([...(all['y']?.data ?? [])]).toEqual([66]);
  });
});
