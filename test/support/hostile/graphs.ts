/** Models that parse, and whose graphs are hostile. */
import {
  graph,
  model,
  node,
  tensor,
  valueInfo,
  type OnnxFunction,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
} from '#domain/onnx/index.ts';
import { plainFiles } from '../bundles.ts';
import { bytesOf, endlessModel, zipMapModel } from '../onnx-models.ts';
import { folderCase, modelCase, type HostileCase } from './case.ts';
import { rawGraph, rawModel, bytesField } from './protobuf.ts';

const identity = (): OnnxNode => node('Identity', { inputs: ['x'], outputs: ['y'] });
const intsTensor = (name: string, data: readonly number[], dims = [data.length]): OnnxTensor =>
  tensor(name, 'int64', { dims, data });
const bare = (fields: Partial<OnnxTensor>): OnnxTensor => ({
  name: 'w',
  dims: [1],
  dataType: 1,
  strings: [],
  externalData: [],
  ...fields,
});

function simple(nodes: readonly OnnxNode[], initializers: readonly OnnxTensor[] = []): OnnxModel {
  const made = nodes.some(({ outputs }) => outputs.includes('y')) ? [] : [identity()];
  return model(
    graph('g', {
      nodes: [...nodes, ...made],
      inputs: [valueInfo('x', 'float', [1])],
      outputs: [valueInfo('y', 'float', [1])],
      initializers,
    }),
    { opsets: { '': 17, 'com.microsoft': 1, mine: 1 } },
  );
}

const withWeights = (fields: Partial<OnnxTensor>): OnnxModel => simple([], [bare(fields)]);
const external = (
  entries: Readonly<Record<string, string>>,
  more: Partial<OnnxTensor> = {},
): OnnxTensor =>
  bare({
    dataLocation: 1,
    externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
    ...more,
  });
const beside =
  (...tensors: readonly OnnxTensor[]): (() => Record<string, string | Uint8Array>) =>
  () => ({
    'model.onnx': bytesOf(simple([], tensors)),
    'weights.bin': Buffer.alloc(64),
  });

function nested(depth: number, inner: OnnxNode): OnnxNode {
  let last = inner;
  for (let at = 0; at < depth; at += 1) {
    const body = graph(`b${at}`, {
      nodes: [last],
      inputs: [],
      outputs: [valueInfo('y', 'float', [1])],
    });
    last = node('If', { inputs: ['x'], outputs: ['y'] }, { then_branch: body });
  }
  return last;
}

const own = (name: string, nodes: readonly OnnxNode[]): OnnxFunction => ({
  name,
  domain: 'mine',
  inputs: ['x'],
  outputs: ['y'],
  opsetImports: [],
  attributes: [],
  nodes: [...nodes],
});
const call = (name: string, output = 'y'): OnnxNode =>
  node(name, { inputs: ['x'], outputs: [output], domain: 'mine' });
const withFunctions = (functions: readonly OnnxFunction[]): OnnxModel => ({
  ...simple([call(functions[0]?.name ?? '')]),
  functions: [...functions],
});
const chain = (length: number): OnnxFunction[] =>
  Array.from({ length }, (_, at) =>
    own(`F${at}`, [at === length - 1 ? identity() : call(`F${at + 1}`)]),
  );

/** One value x, of a hundred bytes, to a tensor of a hundred gigabytes. */
const bomb = (nodes: readonly OnnxNode[], initializers: readonly OnnxTensor[] = []): OnnxModel =>
  simple(nodes, initializers);
const makes = (
  opType: string,
  inputs: readonly string[],
  attributes: Parameters<typeof node>[2] = {},
): OnnxNode => node(opType, { inputs, outputs: ['huge'] }, attributes);
const huge = [100_000, 100_000];

const sparse = (
  dims: number[],
  indices: readonly number[],
  values: readonly number[],
  shape?: number[],
): OnnxModel => {
  const made = simple([]);
  made.graph?.sparseInitializers.push({
    values: tensor('s', 'float', { dims: [values.length], data: values }),
    indices: intsTensor('', indices, shape),
    dims,
  });
  return made;
};

const foreign = (opType: string, domain: string): OnnxNode =>
  node(opType, { inputs: ['x'], outputs: ['y'], domain });
const changed = (change: (made: OnnxModel) => void): OnnxModel => {
  const made = simple([]);
  change(made);
  return made;
};

const code: readonly HostileCase[] = [
  modelCase('an operator of an unknown domain', 'SR-ONNX-002', () =>
    simple([foreign('Exec', 'evil.corp')]),
  ),
  modelCase('a precompiled context', 'SR-ONNX-003', () =>
    simple([foreign('EPContext', 'com.microsoft')]),
  ),
  modelCase('a precompiled context three branches deep', 'SR-ONNX-003', () =>
    simple([nested(3, foreign('EPContext', 'com.microsoft'))]),
  ),
  modelCase('Python in a function that nobody calls', 'SR-ONNX-003', () => ({
    ...simple([]),
    functions: [own('F', [foreign('PyOp', '')])],
  })),
  modelCase('Python behind a domain of its own', 'SR-ONNX-003', () =>
    simple([foreign('PyOpaque', 'acme')]),
  ),
  modelCase('Python in a graph for training', 'SR-ONNX-003', () => ({
    ...simple([]),
    trainingInfo: [
      {
        algorithm: graph('t', {
          nodes: [foreign('PythonOp', 'com.microsoft')],
          inputs: [],
          outputs: [],
        }),
      },
    ],
  })),
  modelCase('a graph for training', 'SR-ONNX-020', () => ({
    ...simple([]),
    trainingInfo: [{ algorithm: graph('t', { nodes: [identity()], inputs: [], outputs: [] }) }],
  })),
  modelCase('a function in the place of an operator', 'SR-ONNX-011', () => ({
    ...simple([]),
    functions: [{ ...own('Relu', [identity()]), domain: '' }],
  })),
  modelCase('two functions of one name', 'SR-ONNX-015', () =>
    withFunctions([own('F', [identity()]), own('F', [identity()])]),
  ),
];

const escapes = {
  'a folder above': '../../etc/passwd',
  'a folder above, later': 'a/../../etc/passwd',
  'an absolute path': '/etc/passwd',
  'a Windows drive': 'C:/Windows/win.ini',
  'a share of a network': '\\\\server\\share\\w.bin',
  'a URL': 'file:///etc/passwd',
  'a name with a NUL': 'weights.bin\u0000.txt',
  'an empty name': '',
  'a file that is not there': 'missing.bin',
};
const outside: readonly HostileCase[] = [
  ...Object.entries(escapes).map(([name, location]) =>
    folderCase(`weights in ${name}`, 'SR-ONNX-004', beside(external({ location }))),
  ),
  modelCase('weights above the bundle in an attribute', 'SR-ONNX-004', () =>
    simple([
      node('Constant', { inputs: [], outputs: ['y'] }, { value: external({ location: '../w' }) }),
    ]),
  ),
  modelCase('weights above the bundle in a sparse tensor', 'SR-ONNX-004', () =>
    changed((made) =>
      made.graph?.sparseInitializers.push({
        values: external({ location: '../w' }),
        indices: intsTensor('', [0]),
        dims: [4],
      }),
    ),
  ),
  folderCase(
    'an offset beyond the end of the file',
    'SR-ONNX-005',
    beside(external({ location: 'weights.bin', offset: '4096' })),
  ),
  folderCase(
    'a length beyond the end of the file',
    'SR-ONNX-005',
    beside(external({ location: 'weights.bin', length: '65' }, { dims: [65], dataType: 2 })),
  ),
  folderCase(
    'a negative offset',
    'SR-ONNX-005',
    beside(external({ location: 'weights.bin', offset: '-8' })),
  ),
  folderCase(
    'an offset that is no number',
    'SR-ONNX-005',
    beside(external({ location: 'weights.bin', offset: '0x10' })),
  ),
  folderCase(
    'an offset of 10^30',
    'SR-ONNX-005',
    beside(external({ location: 'weights.bin', offset: `1${'0'.repeat(30)}` })),
  ),
  folderCase(
    'a length that is not that of the tensor',
    'SR-ONNX-005',
    beside(external({ location: 'weights.bin', length: '64' })),
  ),
  folderCase(
    'tensors that overlap in their file',
    'SR-ONNX-005',
    beside(
      external({ location: 'weights.bin', offset: '0' }, { dims: [4] }),
      external({ location: 'weights.bin', offset: '8' }, { dims: [4], name: 'v' }),
    ),
  ),
  folderCase(
    'two locations of one tensor',
    'SR-ONNX-005',
    beside(
      external(
        {},
        {
          externalData: [
            { key: 'location', value: 'weights.bin' },
            { key: 'location', value: '../w' },
          ],
        },
      ),
    ),
  ),
  folderCase(
    'weights both here and in a file',
    'SR-ONNX-005',
    beside(external({ location: 'weights.bin' }, { rawData: Buffer.alloc(4) })),
  ),
];

const sizes: readonly HostileCase[] = [
  modelCase('four bytes for 2^40 values', 'SR-ONNX-005', () =>
    withWeights({ dims: [2 ** 40], rawData: Buffer.alloc(4) }),
  ),
  modelCase('sizes whose product overflows', 'SR-ONNX-005', () =>
    withWeights({ dims: [2 ** 32, 2 ** 32], rawData: Buffer.alloc(4) }),
  ),
  modelCase('a negative size', 'SR-ONNX-005', () =>
    withWeights({ dims: [-1], rawData: Buffer.alloc(4) }),
  ),
  modelCase('a tensor without values', 'SR-ONNX-005', () => withWeights({ dims: [1000] })),
  modelCase('an element type that ONNX does not have', 'SR-ONNX-005', () =>
    withWeights({ dataType: 99, rawData: Buffer.alloc(4) }),
  ),
  modelCase('2^40 texts, of which one is there', 'SR-ONNX-005', () =>
    withWeights({ dims: [2 ** 40], dataType: 8, strings: [Buffer.from('a')] }),
  ),
  modelCase('sparse indices out of the tensor', 'SR-ONNX-017', () => sparse([4], [9], [1])),
  modelCase('sparse indices out of order', 'SR-ONNX-017', () => sparse([4], [2, 1], [1, 1])),
  modelCase('negative sparse indices', 'SR-ONNX-017', () => sparse([4], [-1], [1])),
  modelCase('sparse indices of another rank', 'SR-ONNX-017', () =>
    sparse([4, 4], [1, 1, 1], [1], [1, 3]),
  ),
  modelCase('a sparse tensor of 10^12 values', 'SR-ONNX-017', () => sparse([10 ** 12], [1], [1])),
  modelCase('ConstantOfShape of a hundred gigabytes', 'SR-ONNX-016', () =>
    bomb([makes('ConstantOfShape', ['shape'])], [intsTensor('shape', huge)]),
  ),
  modelCase('RandomNormal of a hundred gigabytes', 'SR-ONNX-016', () =>
    bomb([makes('RandomNormal', [], { shape: huge.map(BigInt) })]),
  ),
  modelCase('Expand to a hundred gigabytes', 'SR-ONNX-016', () =>
    bomb([makes('Expand', ['x', 'shape'])], [intsTensor('shape', huge)]),
  ),
  modelCase('Tile to a hundred gigabytes', 'SR-ONNX-016', () =>
    bomb([makes('Tile', ['x', 'shape'])], [intsTensor('shape', [10 ** 11])]),
  ),
  modelCase('Range to a hundred gigabytes', 'SR-ONNX-016', () =>
    bomb(
      [makes('Range', ['a', 'b', 'c'])],
      [intsTensor('a', [0], []), intsTensor('b', [10 ** 11], []), intsTensor('c', [1], [])],
    ),
  ),
  modelCase('Pad to a hundred gigabytes', 'SR-ONNX-016', () =>
    bomb([makes('Pad', ['x', 'pads'])], [intsTensor('pads', [0, 10 ** 11])]),
  ),
  modelCase('Resize to a hundred gigabytes', 'SR-ONNX-016', () =>
    bomb([makes('Resize', ['x', '', '', 'sizes'])], [intsTensor('sizes', huge)]),
  ),
  modelCase('OneHot of a hundred gigabytes', 'SR-ONNX-016', () =>
    bomb([makes('OneHot', ['x', 'depth', 'v'])], [intsTensor('depth', [10 ** 11], [])]),
  ),
  modelCase('an outer product of a hundred gigabytes', 'SR-ONNX-016', () =>
    bomb(
      [
        node('ConstantOfShape', { inputs: ['column'], outputs: ['c'] }),
        node('ConstantOfShape', { inputs: ['row'], outputs: ['r'] }),
        makes('Mul', ['c', 'r']),
      ],
      [intsTensor('column', [200_000, 1]), intsTensor('row', [1, 200_000])],
    ),
  ),
  modelCase('a size that is computed step by step', 'SR-ONNX-016', () =>
    bomb(
      [
        node('Mul', { inputs: ['a', 'a'], outputs: ['b'] }),
        node('Mul', { inputs: ['b', 'b'], outputs: ['c'] }),
        node('Concat', { inputs: ['c', 'a'], outputs: ['d'] }, { axis: 0n }),
        makes('ConstantOfShape', ['d']),
      ],
      [intsTensor('a', [400])],
    ),
  ),
  modelCase('a size from Constant nodes in a function', 'SR-ONNX-016', () =>
    withFunctions([
      own('F', [
        node('Constant', { inputs: [], outputs: ['shape'] }, { value_ints: huge.map(BigInt) }),
        makes('ConstantOfShape', ['shape']),
        identity(),
      ]),
    ]),
  ),
  modelCase('a size from outside of a branch', 'SR-ONNX-016', () =>
    bomb(
      [nested(2, { ...makes('ConstantOfShape', ['shape']), outputs: ['y'] })],
      [intsTensor('shape', huge)],
    ),
  ),
];

const shapes: readonly HostileCase[] = [
  modelCase('graphs nested 40 deep', 'SR-ONNX-006', () => simple([nested(40, identity())])),
  modelCase('a function that calls itself', 'SR-ONNX-006', () =>
    withFunctions([own('F', [call('F')])]),
  ),
  modelCase('functions that call each other', 'SR-ONNX-006', () =>
    withFunctions([own('F', [call('G')]), own('G', [call('F')])]),
  ),
  modelCase('a function that calls itself from a branch', 'SR-ONNX-006', () =>
    withFunctions([own('F', [nested(2, call('F'))])]),
  ),
  modelCase('functions that call each other 150 deep', 'SR-ONNX-006', () =>
    withFunctions(chain(150)),
  ),
  modelCase('functions that unfold to 2^40 nodes', 'SR-ONNX-007', () =>
    withFunctions(
      Array.from({ length: 40 }, (_, at) =>
        own(`F${at}`, at === 39 ? [identity()] : [call(`F${at + 1}`, 'z'), call(`F${at + 1}`)]),
      ),
    ),
  ),
  modelCase('10,001 functions', 'SR-ONNX-007', () =>
    withFunctions(Array.from({ length: 10_001 }, (_, at) => own(`F${at}`, []))),
  ),
  modelCase('a million nodes', 'SR-ONNX-007', () => {
    const one = bytesField(1, bytesField(4, 'Identity'));
    return rawModel(rawGraph(Buffer.concat(Array.from({ length: 1_000_000 }, () => one))));
  }),
  modelCase('twenty million attributes', 'SR-ONNX-007', () => {
    const attributes = Buffer.alloc(2 * 20_000_000);
    for (let at = 0; at < attributes.length; at += 2) attributes[at] = 0x2a;
    return rawModel(rawGraph(bytesField(1, attributes)));
  }),
  modelCase('a loop without an end', 'SR-ONNX-008', endlessModel),
  modelCase('an output that is a list of maps', 'SR-ONNX-009', zipMapModel),
  modelCase('a model without inputs and outputs', 'SR-ONNX-010', () =>
    model(graph('g', { nodes: [], inputs: [], outputs: [] }), { opsets: { '': 17 } }),
  ),
  modelCase('two initializers of one name', 'SR-ONNX-015', () =>
    simple([], [intsTensor('w', [1]), intsTensor('w', [2])]),
  ),
  modelCase('two outputs of one name', 'SR-ONNX-015', () =>
    changed((made) => made.graph?.outputs.push(valueInfo('y', 'float', [1]))),
  ),
  modelCase('a value that two nodes make', 'SR-ONNX-015', () =>
    simple([identity(), node('Neg', { inputs: ['x'], outputs: ['y'] })]),
  ),
  modelCase('a name of a megabyte', 'SR-ONNX-014', () =>
    simple([{ ...identity(), name: 'n'.repeat(1_000_000) }]),
  ),
  modelCase('an output whose name runs backwards', 'SR-ONNX-014', () =>
    changed((made) => made.graph?.outputs.push(valueInfo('score\u202egnp.exe', 'float', [1]))),
  ),
  modelCase('an operator that steers the terminal', 'SR-ONNX-014', () =>
    simple([node('\u001b[2J\u001b[31mVerified', { inputs: ['x'], outputs: ['q'] })]),
  ),
  modelCase('a producer with a line break', 'SR-ONNX-014', () => ({
    ...simple([]),
    producerName: 'pytorch\nSignature verified',
  })),
  modelCase('a program in the metadata', 'SR-ONNX-021', () => ({
    ...simple([]),
    metadata: [{ key: 'icon', value: 'TVqQAAMAAAAEAAAA' }],
  })),
  modelCase('metadata of a megabyte', 'SR-ONNX-021', () => ({
    ...simple([]),
    metadata: [{ key: 'blob', value: 'A'.repeat(1_000_000) }],
  })),
  modelCase('quantization of a tensor that is not there', 'SR-ONNX-022', () =>
    changed((made) => {
      if (made.graph !== undefined)
        made.graph.quantization = [
          { tensorName: 'ghost', parameters: [{ key: 'SCALE_TENSOR', value: 'phantom' }] },
        ];
    }),
  ),
  folderCase('a second model that is hostile, beside a good one', 'SR-ONNX-003', () => ({
    ...plainFiles,
    'spare/other.onnx': bytesOf(simple([foreign('PyOp', '')])),
  })),
];

export const graphCases: readonly HostileCase[] = [...code, ...outside, ...sizes, ...shapes];
