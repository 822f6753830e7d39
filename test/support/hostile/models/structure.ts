/** Models whose structure is hostile: circles, names, claims and sheer size. */
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
import { bytesOf } from '../../onnx-models.ts';
import { floats, graphOf, hostile, one, type ModelCase } from './model-case.ts';

const identity = (from: string, to: string): OnnxNode =>
  node('Identity', { inputs: [from], outputs: [to] });
const plain = (change: Partial<OnnxModel> = {}): OnnxModel => ({
  ...graphOf([identity('x', 'y')]),
  ...change,
});
const weights = (change: Partial<OnnxTensor>): OnnxModel =>
  graphOf(
    [node('Add', { inputs: ['x', 'w'], outputs: ['y'] })],
    [{ ...floats('w', [1]), ...change }],
  );
const elsewhere = (location: string): OnnxModel => {
  const { rawData: _, ...rest } = floats('w', [1]);
  return graphOf(
    [node('Add', { inputs: ['x', 'w'], outputs: ['y'] })],
    [{ ...rest, dataLocation: 1, externalData: [{ key: 'location', value: location }] }],
  );
};

const call = (name: string, from = 'x', to = 'y'): OnnxNode =>
  node(name, { inputs: [from], outputs: [to], domain: 'mine' });
const own = (name: string, nodes: readonly OnnxNode[]): OnnxFunction => ({
  name,
  domain: 'mine',
  inputs: ['x'],
  outputs: ['y'],
  opsetImports: [
    { domain: '', version: 17 },
    { domain: 'mine', version: 1 },
  ],
  attributes: [],
  nodes: [...nodes],
});
/** Each function calls the one before it twice. */
const nestedFunctions = (depth: number, first = own('F0', [identity('x', 'y')])): OnnxModel => ({
  ...model(
    graph('g', {
      nodes: [call(`F${depth}`)],
      inputs: [valueInfo('x', 'float', [1])],
      outputs: [valueInfo('y', 'float', [1])],
    }),
    { opsets: { '': 17, mine: 1 } },
  ),
  functions: [
    first,
    ...Array.from({ length: depth }, (_, at) =>
      own(`F${at + 1}`, [call(`F${at}`, 'x', 'm'), call(`F${at}`, 'm', 'y')]),
    ),
  ],
});

/** Two branches in each of two branches, and so on. */
function branches(depth: number, isWide: boolean): OnnxModel {
  let last = [identity('x', 'y')];
  for (let at = 0; at < depth; at += 1) {
    const outputs = [valueInfo('y', 'float', [1])];
    const then_branch = graph(`b${at}`, { nodes: last, inputs: [], outputs });
    const else_branch = isWide
      ? then_branch
      : graph(`e${at}`, { nodes: [identity('x', 'y')], inputs: [], outputs });
    last = [node('If', { inputs: ['c'], outputs: ['y'] }, { then_branch, else_branch })];
  }
  return graphOf(last, [tensor('c', 'bool', { dims: [], data: [1] })]);
}

const long = 'n'.repeat(10_000_000);

export const structureCases: readonly ModelCase[] = [
  hostile('nodes in a circle', 'load', () =>
    graphOf([
      node('Add', { inputs: ['x', 'b'], outputs: ['a'] }),
      identity('a', 'b'),
      identity('b', 'y'),
    ]),
  ),
  hostile('a node that feeds itself', 'load', () =>
    graphOf([node('Add', { inputs: ['x', 'y'], outputs: ['y'] })]),
  ),
  hostile('a value that is made twice', 'gate', () =>
    graphOf([identity('x', 'y'), node('Neg', { inputs: ['x'], outputs: ['y'] })]),
  ),
  hostile('an output that nobody makes', 'load', () => graphOf([identity('x', 'z')])),
  hostile('an input that is made anew', 'gate', () =>
    graphOf([identity('x', 'x'), identity('x', 'y')]),
  ),
  hostile('an input that nobody has', 'load', () => graphOf([identity('nothing', 'y')])),
  hostile('an operator that nobody knows', 'load', () => one('NoSuchOperator', ['x'])),
  hostile('an attribute of another type', 'load', () => one('Softmax', ['x'], { axis: 'last' })),
  hostile('no operator set at all', 'gate', () => plain({ opsetImports: [] })),
  hostile('an operator set of the year 3000', 'load', () =>
    plain({ opsetImports: [{ domain: '', version: 9999 }] }),
  ),
  hostile('an operator set below nothing', 'runs', () =>
    plain({ opsetImports: [{ domain: '', version: -1 }] }),
  ),
  hostile('an IR version that does not exist', 'load', () => plain({ irVersion: 2 ** 31 })),
  hostile('a constant with fewer bytes than its shape', 'gate', () => weights({ dims: [1000] })),
  hostile('a constant of 2^62 numbers', 'gate', () => weights({ dims: [2 ** 31, 2 ** 31] })),
  hostile('a constant with a size below nothing', 'gate', () => weights({ dims: [-1] })),
  hostile('a constant of a type that is none', 'gate', () => weights({ dataType: 999 })),
  hostile('weights at an address in memory', 'load', () => elsewhere('*/_ORT_MEM_ADDR_/*')),
  hostile('weights in a device', 'gate', () => elsewhere('/dev/zero')),
  hostile('functions that call each other two to the thirty times', 'gate', () =>
    nestedFunctions(30),
  ),
  hostile('functions that call each other a thousand times', 'runs', () => nestedFunctions(10)),
  hostile('a function that calls itself', 'gate', () =>
    nestedFunctions(0, own('F0', [call('F0')])),
  ),
  hostile('branches in branches, twice as many with each of ten', 'runs', () => branches(10, true)),
  hostile('branches in branches, 60 deep', 'gate', () => branches(60, false)),
  hostile('a chain of five thousand nodes', 'runs', () =>
    graphOf([
      ...Array.from({ length: 5000 }, (_, at) =>
        node('Neg', { inputs: [at === 0 ? 'x' : `n${at}`], outputs: [`n${at + 1}`] }),
      ),
      identity('n5000', 'y'),
    ]),
  ),
  hostile('a sum of a hundred thousand inputs', 'runs', () =>
    one(
      'Sum',
      Array.from({ length: 100_000 }, () => 'x'),
    ),
  ),
  hostile('a name of ten million letters', 'gate', () =>
    graphOf([identity('x', long), identity(long, 'y')]),
  ),
  hostile('an input called __proto__', 'runs', () => {
    const made = graphOf([identity('__proto__', 'y')]);
    made.graph?.inputs.splice(0, 1, valueInfo('__proto__', 'float', [1]));
    return made;
  }),
  hostile('ten thousand inputs', 'gate', () => {
    const made = plain();
    for (let at = 0; at < 10_000; at += 1)
      made.graph?.inputs.push(valueInfo(`i${at}`, 'float', [1]));
    return made;
  }),
  hostile('a model that ends in the middle', 'gate', () => bytesOf(plain()).subarray(0, 30)),
];
