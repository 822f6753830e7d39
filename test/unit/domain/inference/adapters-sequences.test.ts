/** What is no tensor goes in and comes out as the tensors that stand for it, in both builds of the runtime. */
import { describe, expect, test } from 'vitest';
import { node } from '#domain/onnx/index.ts';
import {
  both,
  flag,
  floats,
  int64s,
  list,
  load,
  maybe,
  run,
  tensorType,
  value,
  type Made,
} from '../../../support/adapted.ts';

describe.each(both)('sequences, optionals and maps, in the %s build', (runtime) => {
  const concat: Made = {
    nodes: [
      node('ConcatFromSequence', { inputs: ['s'], outputs: ['y'] }, { axis: 0n }),
      node('SequenceInsert', { inputs: ['s', 'y'], outputs: ['longer'] }),
    ],
    inputs: [{ name: 's', type: list('float') }],
    outputs: [value('y', 'float'), { name: 'longer', type: list('float') }],
  };

  test('a sequence goes in and comes out as its values, ranks and dimensions', async () => {
    const results = await run(
      concat,
      { s: floats(1, 2, 3, 4, 5), 's:ranks': int64s(1, 1, 1), 's:dims': int64s(2, 0, 3) },
      runtime,
    );
    expect(results['y']).toEqual({ dims: [5], data: [1, 2, 3, 4, 5] });
    expect(results['longer']?.data).toEqual([1, 2, 3, 4, 5, 1, 2, 3, 4, 5]);
    expect(results['longer:ranks']?.data).toEqual([1n, 1n, 1n, 1n]);
    expect(results['longer:dims']?.data).toEqual([2n, 0n, 3n, 5n]);
  });

  test('tensors of different ranks, scalars among them; and texts', async () => {
    const through: Made = {
      nodes: [node('Identity', { inputs: ['s'], outputs: ['t'] })],
      inputs: [{ name: 's', type: list('string') }],
      outputs: [{ name: 't', type: list('string') }],
    };
    const results = await run(
      through,
      {
        s: { type: 'string', dims: [5], data: ['a', 'b', 'c', 'd', 'ü'] },
        's:ranks': int64s(0, 2),
        's:dims': int64s(2, 2),
      },
      runtime,
    );
    expect(results['t']?.data).toEqual(['a', 'b', 'c', 'd', 'ü']);
    expect(results['t:ranks']?.data).toEqual([0n, 2n]);
    expect(results['t:dims']?.data).toEqual([2n, 2n]);
  });

  test('an empty sequence has no values', async () => {
    const through: Made = {
      nodes: [node('Identity', { inputs: ['s'], outputs: ['t'] })],
      inputs: [{ name: 's', type: list('float') }],
      outputs: [{ name: 't', type: list('float') }],
    };
    const results = await run(through, { 's:ranks': int64s(), 's:dims': int64s() }, runtime);
    expect(results['t']).toEqual({ dims: [0], data: [] });
    expect(results['t:ranks']?.data).toEqual([]);
  });

  test('in models of operator set 11 too, where Softmax works on a matrix', async () => {
    const made: Made = {
      ...concat,
      nodes: [
        ...concat.nodes.slice(0, 1),
        node('Unsqueeze', { inputs: ['y'], outputs: ['row'] }, { axes: [0n, 2n] }),
        node('Softmax', { inputs: ['row'], outputs: ['soft'] }, { axis: 1n }),
      ],
      outputs: [value('soft', 'float')],
      opset: 11,
    };
    const results = await run(
      made,
      { s: floats(0, 0, 0, 0), 's:ranks': int64s(1), 's:dims': int64s(4) },
      runtime,
    );
    expect(results['soft']).toEqual({ dims: [1, 4, 1], data: [0.25, 0.25, 0.25, 0.25] });
  });

  test.each([15, 18])(
    'an optional of operator set %i is its element and whether it is there',
    async (opset) => {
      const made: Made = {
        nodes: [
          node('OptionalHasElement', { inputs: ['o'], outputs: ['has'] }),
          node('Identity', { inputs: ['o'], outputs: ['p'] }),
        ],
        inputs: [{ name: 'o', type: maybe(tensorType('float')) }],
        outputs: [value('has', 'bool', []), { name: 'p', type: maybe(tensorType('float')) }],
        opset,
      };
      const there = await run(made, { o: floats(7, 8), 'o:present': flag(true) }, runtime);
      expect(there['has']?.data).toEqual([1]);
      expect([there['p'], there['p:present']?.data]).toEqual([{ dims: [2], data: [7, 8] }, [1]]);
      const missing = await run(made, { 'o:present': flag(false) }, runtime);
      expect([missing['has']?.data, missing['p']?.data, missing['p:present']?.data]).toEqual([
        [0],
        [],
        [0],
      ]);
    },
  );

  test('a map with known keys is one input for each', async () => {
    const made: Made = {
      nodes: [
        node(
          'DictVectorizer',
          { inputs: ['m'], outputs: ['y'], domain: 'ai.onnx.ml' },
          { string_vocabulary: ['age', 'income'] },
        ),
      ],
      inputs: [{ name: 'm', type: { map: { keyType: 8, valueType: tensorType('float') } } }],
      outputs: [value('y', 'float')],
      opsets: { 'ai.onnx.ml': 1 },
    };
    const loaded = await load(made, runtime);
    expect(loaded.inputs.map(({ name, kind, shape }) => [name, kind, shape])).toEqual([
      ['age', 'tensor', [null, 1]],
      ['income', 'tensor', [null, 1]],
    ]);
    const column = (...values: number[]) => ({ ...floats(...values), dims: [values.length, 1] });
    const { y } = await loaded.run({ age: column(30, 40), income: column(1, 2) });
    expect(y).toMatchObject({ dims: [2, 2], data: Float32Array.of(30, 1, 40, 2) });
  });
});
