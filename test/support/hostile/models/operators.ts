/** Operators whose attributes and constants lie about sizes, and divisions that end a process. */
import { node, tensor, type OnnxModel } from '#domain/onnx/index.ts';
import {
  floats,
  graphOf,
  greatest,
  hostile,
  ints,
  least,
  one,
  scalar,
  type Attributes,
  type ModelCase,
  type Row,
} from './model-case.ts';

const image = { x: ['float', [1, 1, 4, 4]] } as const;
const microsoft = 'com.microsoft';
const tokens = { domain: microsoft, x: ['float', [1, 2, 4]] } as const;

/** Constants that the runtime computes with while it loads. */
const constants = (opType: string, type: 'int32' | 'int64', a: number | bigint, b: number) =>
  graphOf(
    [
      node(opType, { inputs: ['a', 'b'], outputs: ['c'] }),
      node('Cast', { inputs: ['c'], outputs: ['d'] }, { to: 1n }),
      node('Add', { inputs: ['d', 'x'], outputs: ['y'] }),
    ],
    [tensor('a', type, { dims: [1], data: [a] }), tensor('b', type, { dims: [1], data: [b] })],
  );

const attention = (attributes: Attributes): OnnxModel =>
  one('Attention', ['x', 'x', 'x'], attributes, { opset: 23, x: ['float', [1, 2, 4]] });

const recurrent = (
  opType: 'RNN' | 'LSTM' | 'GRU',
  attributes: Attributes,
  gates = { RNN: 1, LSTM: 4, GRU: 3 }[opType],
): OnnxModel =>
  one(opType, ['x', floats('w', [1, 2 * gates, 3]), floats('r', [1, 2 * gates, 2])], attributes, {
    x: ['float', [2, 1, 3]],
  });

const divisions: readonly Row[] = [
  ['an Attention of no heads', 'crash', () => attention({ q_num_heads: 0n, kv_num_heads: 0n })],
  ['an Attention of -1 heads', 'row', () => attention({ q_num_heads: -1n, kv_num_heads: -1n })],
  [
    'the least number by -1, while it is loaded',
    'crash',
    () => constants('Div', 'int32', -(2 ** 31), -1),
  ],
  [
    'the least long number by -1, while it is loaded',
    'crash',
    () => constants('Div', 'int64', least, -1),
  ],
  [
    'the rest of the least number by -1',
    process.arch === 'x64' ? 'crash' : 'runs',
    () => constants('Mod', 'int64', least, -1),
  ],
  ['a division of constants by zero', 'load', () => constants('Div', 'int32', 1, 0)],
  [
    'attention of another maker without heads',
    'load',
    () => one('MultiHeadAttention', ['x', 'x', 'x'], { num_heads: 0n }, tokens),
  ],
  [
    'a group normalisation of no groups',
    'load',
    () =>
      one(
        'GroupNormalization',
        ['x', floats('s', [1]), floats('b', [1])],
        { num_groups: 0n },
        { ...image, opset: 21 },
      ),
  ],
  [
    'a convolution of no groups',
    'row',
    () => one('Conv', ['x', floats('w', [1, 1, 2, 2])], { group: 0n }, image),
  ],
  [
    'a pool that strides nowhere',
    'load',
    () => one('MaxPool', ['x'], { kernel_shape: [2n, 2n], strides: [0n, 0n] }, image),
  ],
  ['blocks of no size', 'load', () => one('DepthToSpace', ['x'], { blocksize: 0n }, image)],
];

const fourBits = (attributes: Attributes): OnnxModel =>
  one(
    'MatMulNBits',
    [
      'x',
      tensor('b', 'uint8', { dims: [1, 1, 16], data: Array.from({ length: 16 }, () => 1) }),
      floats('s', [1]),
    ],
    { bits: 4n, K: 32n, N: 1n, block_size: 32n, ...attributes },
    { domain: microsoft, x: ['float', [1, 32]] },
  );
const regions = (attributes: Attributes, batch: number): OnnxModel =>
  one('RoiAlign', ['x', floats('rois', [1, 4]), ints('batch', [batch])], attributes, image);

const sizes: readonly Row[] = [
  ['an RNN of no hidden units', 'row', () => recurrent('RNN', { hidden_size: 0n })],
  ['an LSTM of 2^40 hidden units', 'load', () => recurrent('LSTM', { hidden_size: 2n ** 40n })],
  [
    'a GRU that runs both ways with weights for one',
    'row',
    () => recurrent('GRU', { hidden_size: 2n, direction: 'bidirectional' }),
  ],
  [
    'an LSTM with an activation nobody knows',
    'load',
    () => recurrent('LSTM', { hidden_size: 2n, activations: ['Boom', 'Boom', 'Boom'] }),
  ],
  [
    'a pool whose padding is larger than its kernel',
    'load',
    () => one('MaxPool', ['x'], { kernel_shape: [2n, 2n], pads: [9n, 9n, 9n, 9n] }, image),
  ],
  [
    'a pool that is dilated beyond all pictures',
    'load',
    () => one('MaxPool', ['x'], { kernel_shape: [2n, 2n], dilations: [greatest, greatest] }, image),
  ],
  [
    'a convolution with a kernel of another shape',
    'load',
    () => one('Conv', ['x', floats('w', [1, 1, 2, 2])], { kernel_shape: [9n, 9n] }, image),
  ],
  ['a Reshape to a size below nothing', 'load', () => one('Reshape', ['x', ints('shape', [-7])])],
  [
    'a Reshape to more than there is',
    'row',
    () => one('Reshape', ['x', ints('shape', [2n ** 40n])]),
  ],
  [
    'a Slice that steps back as far as can be',
    'runs',
    () =>
      one('Slice', [
        'x',
        ints('from', [greatest]),
        ints('to', [least]),
        ints('axes', [0]),
        ints('steps', [least]),
      ]),
  ],
  [
    'a Split into parts that are not there',
    'row',
    () => one('Split', ['x', ints('parts', [5, -4])], { axis: 0n }, { outputs: ['y', 'z'] }),
  ],
  ['a Tile of -1 copies', 'row', () => one('Tile', ['x', ints('times', [-1])])],
  ['an Expand to a size below nothing', 'load', () => one('Expand', ['x', ints('size', [-5])])],
  ['a TopK of -1', 'row', () => one('TopK', ['x', ints('k', [-1])], {}, { outputs: ['y', 'z'] })],
  [
    'a Range that never arrives',
    'gate',
    () => one('Range', [scalar('from', 0), scalar('to', 5), scalar('step', 0)], {}, { y: 'int64' }),
  ],
  [
    'a Resize to nothing',
    'load',
    () => one('Resize', ['x', '', floats('scales', [1], [0])], { mode: 'nearest' }),
  ],
  ['a normalisation over no neighbours', 'load', () => one('LRN', ['x'], { size: 0n }, image)],
  [
    'a matrix of 4 bits that says it is larger',
    'load',
    () => fourBits({ K: 2n ** 40n, N: 2n ** 40n }),
  ],
  ['a matrix of 4 bits in blocks of none', 'load', () => fourBits({ block_size: 0n })],
  [
    'regions pooled to ten billion pixels',
    'limit',
    () => regions({ output_height: 100_000n, output_width: 100_000n, sampling_ratio: 1n }, 0),
  ],
  [
    'regions of a batch that is not there',
    'row',
    () => regions({ output_height: 2n, output_width: 2n }, 1_000_000),
  ],
];

export const operatorCases: readonly ModelCase[] = [...divisions, ...sizes].map((row) =>
  hostile(...row),
);
