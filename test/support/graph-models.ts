/** Models with graphs of the shapes that people look at: residual blocks, attention, branches and loops, and far too many nodes. */
import {
  graph,
  model,
  node,
  tensor,
  valueInfo,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
} from '#domain/onnx/index.ts';

const opsets = { '': 17 };

/** Zeros, or `fill` repeated. */
function weights(name: string, dims: readonly number[], fill = 0): OnnxTensor {
  const count = dims.reduce((product, dim) => product * dim, 1);
  return tensor(name, 'float', { dims, data: Array.from({ length: count }, () => fill) });
}

function shape(name: string, values: readonly number[]): OnnxTensor {
  return tensor(name, 'int64', { dims: [values.length], data: values.map(BigInt) });
}

/** A small ResNet: 3×32×32 pictures, residual blocks, ten classes. */
export function residualModel(
  options: { readonly blocks?: number; readonly channels?: number; readonly fill?: number } = {},
): OnnxModel {
  const { blocks = 4, channels = 8, fill = 0.01 } = options;
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  const convolve = (input: string, output: string, from: number, kernel: number): void => {
    const pad = BigInt((kernel - 1) / 2);
    initializers.push(
      weights(`${output}.weight`, [channels, from, kernel, kernel], fill),
      weights(`${output}.bias`, [channels]),
    );
    nodes.push(
      node(
        'Conv',
        { inputs: [input, `${output}.weight`, `${output}.bias`], outputs: [output] },
        { kernel_shape: [BigInt(kernel), BigInt(kernel)], pads: [pad, pad, pad, pad] },
      ),
    );
  };
  convolve('image', 'stem', 3, 7);
  nodes.push(
    node('Relu', { inputs: ['stem'], outputs: ['stem.relu'] }),
    node(
      'MaxPool',
      { inputs: ['stem.relu'], outputs: ['block0'] },
      { kernel_shape: [2n, 2n], strides: [2n, 2n] },
    ),
  );
  for (let at = 0; at < blocks; at += 1) {
    const name = `block${at}`;
    convolve(name, `${name}.conv1`, channels, 3);
    nodes.push(node('Relu', { inputs: [`${name}.conv1`], outputs: [`${name}.relu1`] }));
    convolve(`${name}.relu1`, `${name}.conv2`, channels, 3);
    nodes.push(
      node('Add', { inputs: [`${name}.conv2`, name], outputs: [`${name}.sum`] }),
      node('Relu', { inputs: [`${name}.sum`], outputs: [`block${at + 1}`] }),
    );
  }
  initializers.push(weights('head.weight', [channels, 10], fill), weights('head.bias', [10]));
  nodes.push(
    node('GlobalAveragePool', { inputs: [`block${blocks}`], outputs: ['pooled'] }),
    node('Flatten', { inputs: ['pooled'], outputs: ['flat'] }, { axis: 1n }),
    node('Gemm', { inputs: ['flat', 'head.weight', 'head.bias'], outputs: ['logits'] }),
    node('Softmax', { inputs: ['logits'], outputs: ['probabilities'] }, { axis: 1n }),
  );
  return model(
    graph('resnet', {
      nodes,
      inputs: [valueInfo('image', 'float', ['batch', 3, 32, 32])],
      outputs: [valueInfo('probabilities', 'float', ['batch', 10])],
      initializers,
    }),
    { opsets },
  );
}

/** An encoder as PyTorch exports it: attention with shapes computed in the graph. */
export function transformerModel(
  options: { readonly layers?: number; readonly width?: number } = {},
): OnnxModel {
  const { layers = 2, width = 16 } = options;
  const heads = 4;
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [
    weights('embedding', [100, width]),
    shape('heads', [0, 0, heads, width / heads]),
    shape('merged', [0, 0, width]),
    weights('scale', []),
  ];
  const linear = (input: string, output: string, sizes: readonly [number, number]): void => {
    initializers.push(weights(`${output}.W`, sizes), weights(`${output}.b`, [sizes[1]]));
    nodes.push(
      node('MatMul', { inputs: [input, `${output}.W`], outputs: [`${output}.product`] }),
      node('Add', { inputs: [`${output}.product`, `${output}.b`], outputs: [output] }),
    );
  };
  const normalize = (input: string, output: string): void => {
    initializers.push(weights(`${output}.gamma`, [width]), weights(`${output}.beta`, [width]));
    nodes.push(
      node('LayerNormalization', {
        inputs: [input, `${output}.gamma`, `${output}.beta`],
        outputs: [output],
      }),
    );
  };
  nodes.push(node('Gather', { inputs: ['embedding', 'tokens'], outputs: ['h0'] }));
  for (let at = 0; at < layers; at += 1) {
    const name = `layer${at}`;
    for (const part of ['q', 'k', 'v']) {
      linear(`h${at}`, `${name}.${part}`, [width, width]);
      nodes.push(
        node('Reshape', {
          inputs: [`${name}.${part}`, 'heads'],
          outputs: [`${name}.${part}.split`],
        }),
        node(
          'Transpose',
          { inputs: [`${name}.${part}.split`], outputs: [`${name}.${part}.heads`] },
          { perm: part === 'k' ? [0n, 2n, 3n, 1n] : [0n, 2n, 1n, 3n] },
        ),
      );
    }
    nodes.push(
      node('MatMul', {
        inputs: [`${name}.q.heads`, `${name}.k.heads`],
        outputs: [`${name}.scores`],
      }),
      node('Mul', { inputs: [`${name}.scores`, 'scale'], outputs: [`${name}.scaled`] }),
      node('Softmax', { inputs: [`${name}.scaled`], outputs: [`${name}.attention`] }),
      node('MatMul', {
        inputs: [`${name}.attention`, `${name}.v.heads`],
        outputs: [`${name}.context`],
      }),
      node(
        'Transpose',
        { inputs: [`${name}.context`], outputs: [`${name}.joined`] },
        { perm: [0n, 2n, 1n, 3n] },
      ),
      node('Reshape', { inputs: [`${name}.joined`, 'merged'], outputs: [`${name}.flat`] }),
    );
    linear(`${name}.flat`, `${name}.out`, [width, width]);
    nodes.push(node('Add', { inputs: [`h${at}`, `${name}.out`], outputs: [`${name}.residual`] }));
    normalize(`${name}.residual`, `${name}.norm1`);
    linear(`${name}.norm1`, `${name}.up`, [width, 4 * width]);
    nodes.push(node('Relu', { inputs: [`${name}.up`], outputs: [`${name}.active`] }));
    linear(`${name}.active`, `${name}.down`, [4 * width, width]);
    nodes.push(
      node('Add', { inputs: [`${name}.norm1`, `${name}.down`], outputs: [`${name}.residual2`] }),
    );
    normalize(`${name}.residual2`, `h${at + 1}`);
  }
  linear(`h${layers}`, 'logits', [width, 2]);
  return model(
    graph('encoder', {
      nodes,
      inputs: [valueInfo('tokens', 'int64', ['batch', 'sequence'])],
      outputs: [valueInfo('logits', 'float', ['batch', 'sequence', 2])],
      initializers,
    }),
    { opsets },
  );
}

/** Rows of operators, each fed by two of the row above and now and then by one far away. */
export function meshModel(count: number, across = 40): OnnxModel {
  const nodes: OnnxNode[] = [];
  const name = (at: number): string => (at < 0 ? 'x' : `v${at}`);
  for (let at = 0; at < count; at += 1) {
    const above = at - across;
    const inputs = [name(above), name(at % across === 0 ? above : above - 1)];
    if (at % 97 === 0) inputs.push(name(Math.max(-1, at - across * 25)));
    nodes.push(node(at % 3 === 0 ? 'Sum' : 'Max', { inputs, outputs: [name(at)] }));
  }
  return model(
    graph('mesh', {
      nodes,
      inputs: [valueInfo('x', 'float', ['N', 4])],
      outputs: [valueInfo(name(count - 1), 'float', ['N', 4])],
    }),
    { opsets },
  );
}

/** One operator after the other. */
export function chainModel(count: number): OnnxModel {
  const name = (at: number): string => (at === 0 ? 'x' : `v${at}`);
  return model(
    graph('chain', {
      nodes: Array.from({ length: count }, (_, at) =>
        node(at % 2 === 0 ? 'Relu' : 'Neg', { inputs: [name(at)], outputs: [name(at + 1)] }),
      ),
      inputs: [valueInfo('x', 'float', ['N', 4])],
      outputs: [valueInfo(name(count), 'float', ['N', 4])],
    }),
    { opsets },
  );
}

/** A function of the model, called in both branches of an If, one of which takes a value from outside. */
export function branchingModel(): OnnxModel {
  const branch = (name: string, nodes: readonly OnnxNode[]) =>
    graph(name, { nodes, inputs: [], outputs: [valueInfo(`${name}.y`, 'float', ['N', 2])] });
  const call = (inputs: readonly string[], output: string): OnnxNode =>
    node('Scaled', { inputs, outputs: [output], domain: 'example.org' });
  const made = model(
    graph('branching', {
      nodes: [
        node('ReduceMax', { inputs: ['x'], outputs: ['largest'] }, { keepdims: 0n }),
        node('Greater', { inputs: ['largest', 'limit'], outputs: ['is-large'] }),
        node(
          'If',
          { inputs: ['is-large'], outputs: ['y'] },
          {
            then_branch: branch('large', [call(['x'], 'large.y')]),
            else_branch: branch('small', [
              node('Neg', { inputs: ['x'], outputs: ['negative'] }),
              call(['negative'], 'small.y'),
            ]),
          },
        ),
      ],
      inputs: [valueInfo('x', 'float', ['N', 2])],
      outputs: [valueInfo('y', 'float', ['N', 2])],
      initializers: [tensor('limit', 'float', { dims: [], data: [10] })],
    }),
    { opsets: { ...opsets, 'example.org': 1 } },
  );
  made.functions.push({
    name: 'Scaled',
    domain: 'example.org',
    inputs: ['value'],
    outputs: ['scaled'],
    nodes: [
      node('Constant', { inputs: [], outputs: ['two'] }, { value_float: 2 }),
      node('Mul', { inputs: ['value', 'two'], outputs: ['scaled'] }),
    ],
    opsetImports: [{ domain: '', version: 17 }],
    attributes: [],
  });
  return made;
}
