/** What the adapters make of a model computes what ONNX says, in both builds of the runtime. Expected values are by hand or by another way. */
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
  type OnnxType,
  type OnnxValueInfo,
  type TensorData,
} from '#domain/onnx/index.ts';
import { loadFailure } from '#domain/inference/load-errors.ts';
import { loadModelFrom, type LoadedModel } from '#domain/inference/runtime.ts';

type Runtime = 'native' | 'wasm';
const both: readonly Runtime[] = ['native', 'wasm'];

const tensorType = (type: string, dims?: readonly number[]): OnnxType => ({
  tensor: {
    elemType: tensorTypes.indexOf(type),
    ...(dims === undefined ? {} : { shape: { dims: dims.map((value) => ({ value })) } }),
  },
});
const value = (name: string, type: string, dims?: readonly number[]): OnnxValueInfo => ({
  name,
  type: tensorType(type, dims),
});
const list = (type: string): OnnxType => ({ sequence: { elemType: tensorType(type) } });
const maybe = (elemType: OnnxType): OnnxType => ({ optional: { elemType } });
const floats = (...values: number[]): TensorData => ({
  type: 'float',
  dims: [values.length],
  data: Float32Array.from(values),
});
const int64s = (...values: number[]): TensorData => ({
  type: 'int64',
  dims: [values.length],
  data: BigInt64Array.from(values, BigInt),
});
const flag = (there: boolean): TensorData => ({
  type: 'bool',
  dims: [],
  data: Uint8Array.of(there ? 1 : 0),
});

interface Made {
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  readonly initializers?: readonly OnnxTensor[];
  readonly opset?: number;
  readonly opsets?: Readonly<Record<string, number>>;
}

function load(made: Made, runtime: Runtime): Promise<LoadedModel> {
  const { opset = 21, opsets = { '': opset } } = made;
  return loadModelFrom(writeModel(model(graph('g', made), { opsets, irVersion: 10 })), {
    runtime,
    threads: 1,
  });
}

async function run(
  made: Made,
  feeds: Readonly<Record<string, TensorData>>,
  runtime: Runtime = 'native',
): Promise<Record<string, { dims: number[]; data: unknown[] }>> {
  const results = await (await load(made, runtime)).run(feeds);
  return Object.fromEntries(
    Object.entries(results).map(([name, { dims, data }]) => [
      name,
      { dims: [...dims], data: [...data] },
    ]),
  );
}

const one = (opType: string, attributes: Parameters<typeof node>[2] = {}): OnnxNode =>
  node(opType, { inputs: ['x'], outputs: ['y'] }, attributes);

/** Round to nearest, ties to even, on the bits. */
function toBfloat16(number: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, number);
  const bits = view.getUint32(0);
  view.setUint32(0, (bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff_0000);
  return view.getFloat32(0);
}

describe.each(both)('narrow types, in the %s build', (runtime) => {
  test('bfloat16 is computed in floats and rounded after every operator', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 }), {
          minLength: 1,
          maxLength: 20,
        }),
        async (values) => {
          const nodes = [
            node('Mul', { inputs: ['x', 'x'], outputs: ['square'] }),
            node('Add', { inputs: ['square', 'x'], outputs: ['y'] }),
          ];
          const made = {
            nodes,
            inputs: [value('x', 'bfloat16')],
            outputs: [value('y', 'bfloat16')],
          };
          const { y } = await run(made, { x: floats(...values) }, runtime);
          const expected = values
            .map(toBfloat16)
            .map((x) => toBfloat16(toBfloat16(Math.fround(x * x)) + x));
          expect(y?.data.map((each) => Number(each) + 0)).toEqual(expected.map((each) => each + 0));
        },
      ),
      { numRuns: 10 },
    );
  });

  test('float4 rounds half to even and stays within 6', async () => {
    const made = {
      nodes: [one('Cast', { to: 23n })],
      inputs: [value('x', 'float')],
      outputs: [value('y', 'float4e2m1')],
      opset: 23,
    };
    const feeds = { x: floats(0, 0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5, 5.1, 7, -0.3, -1e9) };
    const { y } = await run(made, feeds, runtime);
    expect(y?.data).toEqual([0, 0, 1, 1, 2, 2, 4, 4, 6, 6, -0.5, -6]);
  });

  test('float4 by blocks: dequantized with one scale for every two', async () => {
    const made = {
      nodes: [
        node(
          'DequantizeLinear',
          { inputs: ['w', 'x'], outputs: ['y'] },
          { axis: 1n, block_size: 2n },
        ),
      ],
      initializers: [
        {
          name: 'w',
          dims: [1, 4],
          dataType: 23,
          // 1, 6, -0.5, 3
          rawData: Uint8Array.of(0x72, 0x59),
          strings: [],
          externalData: [],
        },
      ],
      inputs: [value('x', 'float', [1, 2])],
      outputs: [value('y', 'float', [1, 4])],
      opset: 23,
    };
    const x = { type: 'float', dims: [1, 2], data: Float32Array.of(2, 10) };
    expect((await run(made, { x }, runtime))['y']?.data).toEqual([2, 12, -5, 30]);
  });

  test.each([
    ['float8e4m3fn', [0.1, 1e6, -3.3], [0.1015625, 448, -3.25]],
    ['float8e5m2', [0.1, 1e6, -3.3], [0.09375, 57_344, -3.5]],
    ['int4', [7, -8, 3], [7, -8, 3]],
    ['uint4', [15, 0, 3], [15, 0, 3]],
    ['int2', [1, -2, 0], [1, -2, 0]],
    ['uint2', [3, 0, 2], [3, 0, 2]],
  ])('%s goes in and out', async (type, given, expected) => {
    const held = type.startsWith('float')
      ? floats(...given)
      : type.startsWith('u')
        ? { type: 'uint8', dims: [3], data: Uint8Array.from(given) }
        : { type: 'int8', dims: [3], data: Int8Array.from(given) };
    const made = {
      nodes: [one('Identity')],
      inputs: [value('x', type)],
      outputs: [value('y', type)],
      opset: 25,
    };
    const loaded = await load(made, runtime);
    expect(loaded.inputs[0]?.type).toBe(held.type);
    expect([...((await loaded.run({ x: held }))['y']?.data ?? [])]).toEqual(expected);
  });

  test('an operator without a kernel for 16-bit integers is computed in 32 bits', async () => {
    const made = {
      nodes: [node('Max', { inputs: ['x', 'z'], outputs: ['y'] })],
      inputs: [value('x', 'int16'), value('z', 'int16')],
      outputs: [value('y', 'int16')],
    };
    const short = (...values: number[]) => ({
      type: 'int16',
      dims: [values.length],
      data: Int16Array.from(values),
    });
    const loaded = await load(made, runtime);
    const { y } = await loaded.run({ x: short(-32_768, 5), z: short(-1, 32_767) });
    expect(y).toMatchObject({ type: 'int16', data: Int16Array.of(-1, 32_767) });
  });
});

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

describe('operators in another form', () => {
  test('before operator set 7 the second operand lay along an axis', async () => {
    const made: Made = {
      nodes: [node('Add', { inputs: ['x', 'b'], outputs: ['y'] }, { broadcast: 1n, axis: 1n })],
      inputs: [value('x', 'float', [1, 2, 3])],
      outputs: [value('y', 'float', [1, 2, 3])],
      initializers: [tensor('b', 'float', { dims: [2], data: [10, 20] })],
      opset: 6,
    };
    const x = { type: 'float', dims: [1, 2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
    expect((await run(made, { x }))['y']).toEqual({
      dims: [1, 2, 3],
      data: [11, 12, 13, 24, 25, 26],
    });
  });

  test('a recurrent layer with the batch first', async () => {
    // One unit that adds what comes in: h = x + h, by Affine with alpha 1 and beta 0.
    const made: Made = {
      nodes: [
        node(
          'RNN',
          { inputs: ['x', 'w', 'r'], outputs: ['y', 'last'] },
          {
            hidden_size: 1n,
            layout: 1n,
            activations: ['Affine'],
            activation_alpha: [1],
            activation_beta: [0],
          },
        ),
      ],
      inputs: [value('x', 'float', [2, 3, 1])],
      outputs: [value('y', 'float'), value('last', 'float')],
      initializers: ['w', 'r'].map((name) => tensor(name, 'float', { dims: [1, 1, 1], data: [1] })),
      opset: 14,
    };
    const x = { type: 'float', dims: [2, 3, 1], data: Float32Array.of(1, 2, 3, 10, 20, 30) };
    const results = await run(made, { x });
    expect(results['y']).toEqual({ dims: [2, 3, 1, 1], data: [1, 3, 6, 10, 30, 60] });
    expect(results['last']).toEqual({ dims: [2, 1, 1], data: [6, 60] });
  });

  test('RoiAlign of operator set 22, which the runtime has in an older version, and Swish of any', async () => {
    const made: Made = {
      nodes: [
        node(
          'RoiAlign',
          { inputs: ['x', 'rois', 'which'], outputs: ['y'] },
          {
            output_height: 1n,
            output_width: 1n,
            coordinate_transformation_mode: 'output_half_pixel',
          },
        ),
      ],
      inputs: [value('x', 'float', [1, 1, 2, 2])],
      outputs: [value('y', 'float')],
      initializers: [
        tensor('rois', 'float', { dims: [1, 4], data: [0, 0, 1, 1] }),
        tensor('which', 'int64', { dims: [1], data: [0] }),
      ],
      opset: 22,
    };
    const x = { type: 'float', dims: [1, 1, 2, 2], data: Float32Array.of(1, 2, 3, 4) };
    expect((await run(made, { x }))['y']?.data).toEqual([2.5]);
    const swish: Made = {
      nodes: [one('Swish', { alpha: 2 })],
      inputs: [value('x', 'float')],
      outputs: [value('y', 'float')],
      opset: 25,
    };
    const { y } = await run(swish, { x: floats(1.5) });
    expect(y?.data[0]).toBeCloseTo(1.5 / (1 + Math.exp(-3)), 6);
  });

  test('names of nodes that adapters would give do not collide with those of the model', async () => {
    const made: Made = {
      nodes: [{ ...one('Cast', { to: 10n }), name: 'Cast:y' }],
      inputs: [value('x', 'float')],
      outputs: [value('y', 'float16')],
    };
    expect((await run(made, { x: floats(0.1) }))['y']?.data).toEqual([Math.f16round(0.1)]);
  });
});

describe('what cannot be made fit is refused by name', () => {
  const refused: readonly (readonly [string, Made, RegExp])[] = [
    [
      'an operator for training',
      {
        nodes: [
          node('Adam', {
            inputs: ['x'],
            outputs: ['y'],
            domain: 'ai.onnx.preview.training',
          }),
        ],
        inputs: [value('x', 'float')],
        outputs: [value('y', 'float')],
      },
      /Adam of ai\.onnx\.preview\.training/,
    ],
    [
      'a type that no wider one holds without loss',
      {
        nodes: [one('Erf')],
        inputs: [value('x', 'double')],
        outputs: [value('y', 'double')],
        opset: 13,
      },
      /no operator Erf of operator set 13 for double/,
    ],
    [
      'a picture decoder',
      {
        nodes: [one('ImageDecoder')],
        inputs: [value('x', 'uint8')],
        outputs: [value('y', 'uint8')],
      },
      /no operator ImageDecoder of operator set 20 for uint8/,
    ],
    [
      'a map without known keys',
      {
        nodes: [node('CastMap', { inputs: ['x'], outputs: ['y'], domain: 'ai.onnx.ml' })],
        inputs: [{ name: 'x', type: { map: { keyType: 7, valueType: tensorType('float') } } }],
        outputs: [value('y', 'float')],
      },
      /x is a map/,
    ],
    [
      'a sequence of sequences',
      {
        nodes: [node('Identity', { inputs: ['x'], outputs: ['y'] })],
        inputs: [{ name: 'x', type: { sequence: { elemType: list('float') } } }],
        outputs: [value('y', 'float')],
      },
      /x is a sequence/,
    ],
  ];
  const invalid: readonly (readonly [string, OnnxNode, number, RegExp])[] = [
    ['an operator of a later set', one('Mish'), 17, /no operator Mish of operator set 17/],
    [
      'an attribute that became an input',
      one('ReduceMax', { axes: [0n] }),
      20,
      /ReduceMax has an attribute axes/,
    ],
    ['a type that ONNX forbids', one('BitwiseNot'), 20, /BitwiseNot does not take tensor\(float\)/],
  ];
  test.each(invalid)('%s', async (_, bad, opset, message) => {
    const made = {
      nodes: [bad],
      inputs: [value('x', 'float', [2])],
      outputs: [value('y', 'float')],
      opset,
    };
    await expect(load(made, 'native')).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringMatching(message) as string,
    });
  });

  test('a tensor beyond 2 GiB without a folder in memory', () => {
    const said =
      "Initializer 'w' declares a size of 2560000000 bytes which exceeds the 2147483648 byte limit for embedded initializer data.";
    expect(loadFailure(new Error(said), undefined)).toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('no folder that lies in memory') as string,
    });
  });

  test.each(refused)('%s', async (_, made, message) => {
    await expect(load(made, 'native')).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringMatching(message) as string,
    });
  });
});
