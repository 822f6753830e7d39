/** Models of three kinds with weights by chance, each from a matrix `x` to one number `y` per row. */
import {
  graph,
  model,
  node,
  tensor,
  valueInfo,
  writeModel,
  type OnnxNode,
  type OnnxTensor,
} from '#domain/onnx/index.ts';

export interface ScoringModel {
  readonly name: string;
  readonly title: string;
  readonly bytes: Uint8Array;
  readonly width: number;
  readonly type: 'float' | 'int64';
}

/** The linear congruential generator of "Numerical Recipes": the same numbers on every run. */
export function createRandom(start = 12_345): () => number {
  let state = start;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const random = createRandom(7);
const weight = (scale: number): number => (random() + random() + random() - 1.5) * scale;

function weights(name: string, dims: readonly number[], scale: number): OnnxTensor {
  const length = dims.reduce((product, size) => product * size, 1);
  return tensor(name, 'float', { dims, data: Array.from({ length }, () => weight(scale)) });
}

/** 200 trees of depth 6, as gradient boosting makes them. */
export function treeEnsemble(width = 30, trees = 200, depth = 6): ScoringModel {
  const columns = {
    nodes_treeids: [] as bigint[],
    nodes_nodeids: [] as bigint[],
    nodes_featureids: [] as bigint[],
    nodes_modes: [] as string[],
    nodes_values: [] as number[],
    nodes_truenodeids: [] as bigint[],
    nodes_falsenodeids: [] as bigint[],
    target_treeids: [] as bigint[],
    target_nodeids: [] as bigint[],
    target_ids: [] as bigint[],
    target_weights: [] as number[],
  };
  const inner = 2 ** depth - 1;
  for (let tree = 0; tree < trees; tree += 1)
    for (let at = 0; at < 2 * inner + 1; at += 1) {
      const isLeaf = at >= inner;
      columns.nodes_treeids.push(BigInt(tree));
      columns.nodes_nodeids.push(BigInt(at));
      columns.nodes_featureids.push(BigInt(isLeaf ? 0 : Math.floor(random() * width)));
      columns.nodes_modes.push(isLeaf ? 'LEAF' : 'BRANCH_LEQ');
      columns.nodes_values.push(isLeaf ? 0 : (random() - 0.5) * 5);
      columns.nodes_truenodeids.push(BigInt(isLeaf ? 0 : 2 * at + 1));
      columns.nodes_falsenodeids.push(BigInt(isLeaf ? 0 : 2 * at + 2));
      if (!isLeaf) continue;
      columns.target_treeids.push(BigInt(tree));
      columns.target_nodeids.push(BigInt(at));
      columns.target_ids.push(0n);
      columns.target_weights.push(weight(0.1));
    }
  const ensemble = node(
    'TreeEnsembleRegressor',
    { inputs: ['x'], outputs: ['y'], domain: 'ai.onnx.ml' },
    { ...columns, n_targets: 1n, aggregate_function: 'SUM', post_transform: 'NONE' },
  );
  return finished('trees', `${trees} trees of depth ${depth}`, { width, nodes: [ensemble] });
}

export function perceptron(sizes: readonly number[] = [30, 64, 32, 1]): ScoringModel {
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  let last = 'x';
  for (const [at, size] of sizes.slice(1).entries()) {
    const from = sizes[at] ?? 1;
    const isLast = at === sizes.length - 2;
    initializers.push(weights(`w${at}`, [from, size], 1 / Math.sqrt(from)));
    initializers.push(weights(`b${at}`, [size], 0.1));
    nodes.push(node('Gemm', { inputs: [last, `w${at}`, `b${at}`], outputs: [`h${at}`] }));
    last = isLast ? 'y' : `a${at}`;
    nodes.push(node(isLast ? 'Sigmoid' : 'Relu', { inputs: [`h${at}`], outputs: [last] }));
  }
  const width = sizes[0] ?? 1;
  return finished('mlp', `perceptron ${sizes.join('-')}`, { width, nodes, initializers });
}

/** Token ids, embedding, layers of attention and feed-forward, mean over the tokens, one number. */
export function transformer(width = 32, size = 64, layers = 2): ScoringModel {
  const heads = 4;
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [
    weights('embedding', [1000, size], 1),
    weights('place', [width, size], 0.3),
    tensor('split', 'int64', {
      dims: [4],
      data: [0n, BigInt(width), BigInt(heads), BigInt(size / heads)],
    }),
    tensor('joined', 'int64', { dims: [3], data: [0n, BigInt(width), BigInt(size)] }),
    tensor('root', 'float', { dims: [], data: [Math.sqrt(size / heads)] }),
    tensor('ones', 'float', { dims: [size], data: Array.from({ length: size }, () => 1) }),
    tensor('zeros', 'float', { dims: [size], data: Array.from({ length: size }, () => 0) }),
  ];
  const matrix = (name: string, from: number, to: number): string => {
    initializers.push(weights(name, [from, to], 1 / Math.sqrt(from)));
    return name;
  };
  let count = 0;
  const add = (op: string, inputs: readonly string[], attributes = {}): string => {
    const output = `t${(count += 1)}`;
    nodes.push(node(op, { inputs: [...inputs], outputs: [output] }, attributes));
    return output;
  };
  let state = add('Add', [add('Gather', ['embedding', 'x']), 'place']);
  for (let layer = 0; layer < layers; layer += 1) {
    const part = (name: string, perm: readonly bigint[]): string =>
      add(
        'Transpose',
        [add('Reshape', [add('MatMul', [state, matrix(`${name}${layer}`, size, size)]), 'split'])],
        { perm },
      );
    const query = part('q', [0n, 2n, 1n, 3n]);
    const key = part('k', [0n, 2n, 3n, 1n]);
    const value = part('v', [0n, 2n, 1n, 3n]);
    const scores = add('Softmax', [add('Div', [add('MatMul', [query, key]), 'root'])], {
      axis: -1n,
    });
    const mixed = add('Reshape', [
      add('Transpose', [add('MatMul', [scores, value])], { perm: [0n, 2n, 1n, 3n] }),
      'joined',
    ]);
    const attended = add('Add', [state, add('MatMul', [mixed, matrix(`o${layer}`, size, size)])]);
    const normal = add('LayerNormalization', [attended, 'ones', 'zeros'], { axis: -1n });
    const wide = add('Relu', [add('MatMul', [normal, matrix(`f${layer}`, size, 4 * size)])]);
    const fed = add('Add', [normal, add('MatMul', [wide, matrix(`g${layer}`, 4 * size, size)])]);
    state = add('LayerNormalization', [fed, 'ones', 'zeros'], { axis: -1n });
  }
  const mean = add('ReduceMean', [state], { axes: [1n], keepdims: 0n });
  nodes.push(node('MatMul', { inputs: [mean, matrix('head', size, 1)], outputs: ['y'] }));
  return finished('transformer', `transformer, ${width} tokens, ${layers} layers of ${size}`, {
    width,
    type: 'int64',
    nodes,
    initializers,
  });
}

function finished(
  name: string,
  title: string,
  made: {
    readonly width: number;
    readonly type?: 'float' | 'int64';
    readonly nodes: OnnxNode[];
    readonly initializers?: OnnxTensor[];
  },
): ScoringModel {
  const { width, type = 'float', nodes, initializers = [] } = made;
  const main = graph(name, {
    nodes,
    initializers,
    inputs: [valueInfo('x', type, ['N', width])],
    outputs: [valueInfo('y', 'float', ['N', 1])],
  });
  const bytes = writeModel(model(main, { opsets: { '': 17, 'ai.onnx.ml': 3 } }));
  return { name, title, bytes, width, type };
}
