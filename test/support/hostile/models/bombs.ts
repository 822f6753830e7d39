/** Models that want all the time, or all the memory. */
import {
  graph,
  node,
  tensor,
  valueInfo,
  type OnnxModel,
  type OnnxNode,
} from '#domain/onnx/index.ts';
import {
  floats,
  graphOf,
  greatest,
  hostile,
  ints,
  loop,
  loopBody,
  one,
  scalar,
  type ModelCase,
} from './model-case.ts';

const add = (to = 'v_out'): OnnxNode => node('Add', { inputs: ['v', 'v'], outputs: [to] });

/** Twice as much with every node. */
const doubling = (times: number): OnnxModel =>
  graphOf(
    [
      ...Array.from({ length: times }, (_, at) =>
        node('Concat', { inputs: [`d${at}`, `d${at}`], outputs: [`d${at + 1}`] }, { axis: 0n }),
      ),
      node('Identity', { inputs: [`d${times}`], outputs: ['y'] }),
    ].map((each, at) => (at === 0 ? { ...each, inputs: ['x', 'x'] } : each)),
  );

const time: readonly ModelCase[] = [
  hostile('a loop of 2^63 - 1 trips', 'limit', () => loop(greatest, loopBody([add()]))),
  hostile('a loop that has neither count nor end', 'limit', () =>
    graphOf(
      [node('Loop', { inputs: ['', 'start', 'x'], outputs: ['y'] }, { body: loopBody([add()]) })],
      [tensor('start', 'bool', { dims: [], data: [1] })],
    ),
  ),
  hostile('loops in a loop', 'limit', () =>
    loop(
      1_000_000n,
      loopBody([
        node(
          'Loop',
          { inputs: ['trips', 'start', 'v'], outputs: ['v_out'] },
          {
            body: graph('inner', {
              nodes: [
                node('Identity', { inputs: ['go2'], outputs: ['go3'] }),
                node('Add', { inputs: ['w', 'w'], outputs: ['w_out'] }),
              ],
              inputs: [
                valueInfo('j', 'int64', []),
                valueInfo('go2', 'bool', []),
                valueInfo('w', 'float', [1]),
              ],
              outputs: [valueInfo('go3', 'bool', []), valueInfo('w_out', 'float', [1])],
            }),
          },
        ),
      ]),
    ),
  ),
  hostile('a product of matrices for hours', 'limit', () =>
    graphOf(
      [
        node('Expand', { inputs: ['x', 'size'], outputs: ['m0'] }),
        ...Array.from({ length: 200 }, (_, at) =>
          node('MatMul', { inputs: [`m${at}`, `m${at}`], outputs: [`m${at + 1}`] }),
        ),
        node('ReduceSum', { inputs: ['m200'], outputs: ['y'] }),
      ],
      [ints('size', [4096, 4096])],
    ),
  ),
  hostile('a product of constants for hours, while it is loaded', 'limit', () =>
    graphOf(
      [
        node('ConstantOfShape', { inputs: ['size'], outputs: ['m0'] }),
        ...Array.from({ length: 200 }, (_, at) =>
          node('MatMul', { inputs: [`m${at}`, `m${at}`], outputs: [`m${at + 1}`] }),
        ),
        node('ReduceSum', { inputs: ['m200'], outputs: ['s'] }),
        node('Add', { inputs: ['s', 'x'], outputs: ['y'] }),
      ],
      [ints('size', [2048, 2048])],
    ),
  ),
  hostile('an Einsum over twenty letters', 'limit', () =>
    one(
      'Einsum',
      Array.from({ length: 10 }, (_, at) => floats(`m${at}`, [16, 16])),
      {
        equation: `${Array.from({ length: 10 }, (_, at) =>
          String.fromCharCode(97 + 2 * at, 98 + 2 * at),
        ).join(',')}->acegikmoqs`,
      },
    ),
  ),
  hostile('a convolution whose kernel is as large as its picture', 'limit', () =>
    graphOf(
      [
        node('Expand', { inputs: ['x', 'size'], outputs: ['picture'] }),
        node('Expand', { inputs: ['x', 'size'], outputs: ['kernel'] }),
        node(
          'Conv',
          { inputs: ['picture', 'kernel'], outputs: ['y'] },
          { pads: [2000n, 2000n, 2000n, 2000n] },
        ),
      ],
      [ints('size', [1, 1, 2000, 2000])],
    ),
  ),
];

const memory: readonly ModelCase[] = [
  hostile('an Expand to 8 GB', 'gate', () => one('Expand', ['x', ints('size', [2_000_000_000])])),
  hostile('an Expand to 2^62 numbers', 'gate', () =>
    one('Expand', ['x', ints('size', [2n ** 31n, 2n ** 31n])]),
  ),
  hostile('a Concat that doubles 34 times', 'limit', () => doubling(34)),
  hostile('a ConstantOfShape of 100 GB', 'gate', () =>
    one('ConstantOfShape', [ints('size', [25_000_000_000])]),
  ),
  hostile('a Range of 10 billion numbers', 'gate', () =>
    one(
      'Range',
      [scalar('from', 0), scalar('to', 10_000_000_000), scalar('step', 1)],
      {},
      { y: 'int64' },
    ),
  ),
  hostile('a Tile of a billion copies', 'gate', () =>
    one('Tile', ['x', ints('times', [2_000_000_000])]),
  ),
  hostile('a Pad to 16 GB', 'gate', () =>
    one('Pad', ['x', ints('pads', [2_000_000_000, 2_000_000_000])]),
  ),
  hostile('a Resize by a billion', 'limit', () =>
    one('Resize', ['x', '', floats('scales', [1], [2e9])], { mode: 'nearest' }),
  ),
  hostile('a OneHot of 10 billion classes', 'gate', () =>
    one('OneHot', [ints('at', [1]), scalar('depth', 10_000_000_000), floats('values', [2])]),
  ),
  hostile('an EyeLike of 40 GB', 'gate', () =>
    graphOf(
      [
        node('ConstantOfShape', { inputs: ['size'], outputs: ['zeros'] }),
        node('EyeLike', { inputs: ['zeros'], outputs: ['y'] }),
      ],
      [ints('size', [100_000, 100_000])],
    ),
  ),
  hostile('random numbers for 40 GB', 'gate', () =>
    one('RandomUniform', [], { shape: [100_000n, 100_000n] }),
  ),
  hostile('a loop that keeps all it ever had', 'limit', () =>
    loop(
      1_000_000n,
      loopBody(
        [
          node('Identity', { inputs: ['v'], outputs: ['v_out'] }),
          node('Expand', { inputs: ['v', 'size'], outputs: ['kept'] }),
        ],
        { initializers: [ints('size', [1_000_000])], scan: true },
      ),
      ['y', 'all'],
    ),
  ),
  hostile('a loop whose value grows with each trip', 'limit', () =>
    loop(60n, loopBody([node('Concat', { inputs: ['v', 'v'], outputs: ['v_out'] }, { axis: 0n })])),
  ),
  hostile('an outer product of long vectors', 'gate', () =>
    graphOf(
      [
        node('Expand', { inputs: ['x', 'tall'], outputs: ['a'] }),
        node('Expand', { inputs: ['x', 'wide'], outputs: ['b'] }),
        node('MatMul', { inputs: ['a', 'b'], outputs: ['c'] }),
        node('ReduceSum', { inputs: ['c'], outputs: ['y'] }),
      ],
      [ints('tall', [60_000, 1]), ints('wide', [1, 60_000])],
    ),
  ),
  hostile('a window of a billion samples', 'gate', () =>
    one('HannWindow', [scalar('size', 4_000_000_000)]),
  ),
  hostile('a Mel matrix of 8 GB', 'limit', () =>
    one('MelWeightMatrix', [
      scalar('bins', 100_000),
      scalar('length', 40_000),
      scalar('rate', 8192),
      tensor('low', 'float', { dims: [], data: [0] }),
      tensor('high', 'float', { dims: [], data: [4096] }),
    ]),
  ),
  hostile('a transposed convolution that strides far', 'limit', () =>
    one(
      'ConvTranspose',
      ['x', floats('w', [1, 1, 2, 2])],
      { strides: [100_000n, 100_000n] },
      { x: ['float', [1, 1, 2, 2]] },
    ),
  ),
  hostile('texts that double 40 times', 'limit', () =>
    graphOf(
      [
        ...Array.from({ length: 40 }, (_, at) =>
          node('StringConcat', {
            inputs: [at === 0 ? 'x' : `s${at}`, at === 0 ? 'x' : `s${at}`],
            outputs: [`s${at + 1}`],
          }),
        ),
        node('Identity', { inputs: ['s40'], outputs: ['y'] }),
      ].map((each, at) => (at === 0 ? { ...each, inputs: ['letter', 'letter'] } : each)),
      [tensor('letter', 'string', { dims: [1], data: ['a long letter'] })],
      { opset: 20, y: 'string' },
    ),
  ),
];

export const bombCases: readonly ModelCase[] = [...time, ...memory];
