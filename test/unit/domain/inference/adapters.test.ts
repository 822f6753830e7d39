/** What the adapters make of a model computes what ONNX says, in both builds of the runtime. Expected values are by hand or by another way. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { node, tensor, type OnnxNode } from '#domain/onnx/index.ts';
import { loadFailure } from '#domain/inference/load-errors.ts';
import {
  both,
  floats,
  list,
  load,
  one,
  run,
  tensorType,
  value,
  type Made,
} from '../../../support/adapted.ts';

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
