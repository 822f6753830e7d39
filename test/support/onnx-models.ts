/** Small models for tests, written with the product's own codec. */
import {
  graph,
  model,
  node,
  tensor,
  valueInfo,
  writeModel,
  type OnnxModel,
  type OnnxNode,
} from '#domain/onnx/index.ts';

const opsets = { '': 17, 'ai.onnx.ml': 3 };

/** y = 2·a + 3·b + 1 over one matrix input [N, 2]. */
export function matrixModel(): OnnxModel {
  return model(
    graph('matrix', {
      nodes: [node('Gemm', { inputs: ['features', 'weights', 'bias'], outputs: ['score'] })],
      inputs: [valueInfo('features', 'float', ['N', 2])],
      outputs: [valueInfo('score', 'float', ['N', 1])],
      initializers: [
        tensor('weights', 'float', { dims: [2, 1], data: [2, 3] }),
        tensor('bias', 'float', { dims: [1], data: [1] }),
      ],
    }),
    { opsets },
  );
}

/** One input per column, as scikit-learn exports have them: float, double, int64, bool and string; several outputs. */
export function columnsModel(): OnnxModel {
  const { nodes } = { nodes: [] as OnnxNode[] };
  nodes.push(
    node('Cast', { inputs: ['weight'], outputs: ['weight_f'] }, { to: 1n }),
    node('Cast', { inputs: ['count'], outputs: ['count_f'] }, { to: 1n }),
    node('Cast', { inputs: ['active'], outputs: ['active_f'] }, { to: 1n }),
    node(
      'LabelEncoder',
      { inputs: ['color'], outputs: ['color_f'], domain: 'ai.onnx.ml' },
      { keys_strings: ['red', 'green'], values_floats: [10, 20], default_float: -1 },
    ),
    node('Sum', {
      inputs: ['age', 'weight_f', 'count_f', 'active_f', 'color_f'],
      outputs: ['total'],
    }),
    node('Identity', { inputs: ['count'], outputs: ['count_out'] }),
    node('Identity', { inputs: ['color'], outputs: ['color_out'] }),
    node('Not', { inputs: ['active'], outputs: ['inactive'] }),
    node('Concat', { inputs: ['age', 'weight_f'], outputs: ['pair'] }, { axis: 1n }),
  );
  const column = (
    name: string,
    type: 'float' | 'double' | 'int64' | 'bool' | 'string',
    width = 1,
  ) => valueInfo(name, type, [null, width]);
  return model(
    graph('columns', {
      nodes,
      inputs: [
        column('age', 'float'),
        column('weight', 'double'),
        column('count', 'int64'),
        column('active', 'bool'),
        column('color', 'string'),
      ],
      outputs: [
        column('total', 'float'),
        column('count_out', 'int64'),
        column('color_out', 'string'),
        column('inactive', 'bool'),
        column('pair', 'float', 2),
      ],
    }),
    { opsets },
  );
}

/** A linear classifier whose probabilities go through ZipMap, as skl2onnx writes it by default. */
export function zipMapModel(): OnnxModel {
  const main = graph('zipmap', {
    nodes: [
      node(
        'LinearClassifier',
        { inputs: ['x'], outputs: ['label', 'raw'], domain: 'ai.onnx.ml' },
        {
          coefficients: [1, 0, 0, 1],
          intercepts: [0, 0],
          classlabels_strings: ['no', 'yes'],
          post_transform: 'SOFTMAX',
          multi_class: 0n,
        },
      ),
      node(
        'ZipMap',
        { inputs: ['raw'], outputs: ['probability'], domain: 'ai.onnx.ml' },
        { classlabels_strings: ['no', 'yes'] },
      ),
    ],
    inputs: [valueInfo('x', 'float', [null, 2])],
    outputs: [valueInfo('label', 'string', [null])],
  });
  main.outputs.push({
    name: 'probability',
    type: {
      sequence: { elemType: { map: { keyType: 8, valueType: { tensor: { elemType: 1 } } } } },
    },
  });
  return model(main, { opsets });
}

/** Never ends: a loop without a condition over the largest trip count. */
export function endlessModel(): OnnxModel {
  const body = graph('body', {
    nodes: [
      node('Identity', { inputs: ['go'], outputs: ['go_out'] }),
      node('Add', { inputs: ['v', 'v'], outputs: ['v_out'] }),
    ],
    inputs: [
      valueInfo('i', 'int64', []),
      valueInfo('go', 'bool', []),
      valueInfo('v', 'float', [null, 1]),
    ],
    outputs: [valueInfo('go_out', 'bool', []), valueInfo('v_out', 'float', [null, 1])],
  });
  return model(
    graph('endless', {
      nodes: [node('Loop', { inputs: ['trips', 'start', 'x'], outputs: ['y'] }, { body })],
      inputs: [valueInfo('x', 'float', [null, 1])],
      outputs: [valueInfo('y', 'float', [null, 1])],
      initializers: [
        tensor('trips', 'int64', { dims: [], data: [9_223_372_036_854_775_807n] }),
        tensor('start', 'bool', { dims: [], data: [1] }),
      ],
    }),
    { opsets },
  );
}

/** y of x by one operator, over a column of floats. */
export function unaryModel(opType: string): OnnxModel {
  return model(
    graph('g', {
      nodes: [node(opType, { inputs: ['x'], outputs: ['y'] })],
      inputs: [valueInfo('x', 'float', [null, 1])],
      outputs: [valueInfo('y', 'float', [null, 1])],
    }),
    { opsets },
  );
}

export function bytesOf(value: OnnxModel): Uint8Array {
  return writeModel(value);
}
