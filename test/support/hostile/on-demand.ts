/** Models that load and compute, and do harm when the input asks for it. */
import { graph, model, node, tensor, valueInfo, type OnnxModel } from '#domain/onnx/index.ts';

const opsets = { '': 17 };

/** y = a / b for whole numbers: on x86 the least number by -1 ends the process by SIGFPE. */
export function dividingModel(): OnnxModel {
  return model(
    graph('divide', {
      nodes: [node('Div', { inputs: ['a', 'b'], outputs: ['y'] })],
      inputs: [valueInfo('a', 'int32', [null]), valueInfo('b', 'int32', [null])],
      outputs: [valueInfo('y', 'int32', [null])],
    }),
    { opsets },
  );
}

/** y = the sum of `size` ones, all of which lie in memory at once. */
export function swellingModel(): OnnxModel {
  return model(
    graph('swell', {
      nodes: [
        node('Expand', { inputs: ['one', 'size'], outputs: ['ones'] }),
        node('ReduceSum', { inputs: ['ones'], outputs: ['y'] }, { keepdims: 1n }),
      ],
      inputs: [valueInfo('size', 'int64', [1])],
      outputs: [valueInfo('y', 'float', [1])],
      initializers: [tensor('one', 'float', { dims: [1], data: [1] })],
    }),
    { opsets },
  );
}

/** y = x + trips, one by one. */
export function loopingModel(): OnnxModel {
  const body = graph('body', {
    nodes: [
      node('Identity', { inputs: ['go'], outputs: ['go_out'] }),
      node('Add', { inputs: ['v', 'one'], outputs: ['v_out'] }),
    ],
    inputs: [
      valueInfo('i', 'int64', []),
      valueInfo('go', 'bool', []),
      valueInfo('v', 'float', [1]),
    ],
    outputs: [valueInfo('go_out', 'bool', []), valueInfo('v_out', 'float', [1])],
  });
  return model(
    graph('loop', {
      nodes: [node('Loop', { inputs: ['trips', 'start', 'x'], outputs: ['y'] }, { body })],
      inputs: [valueInfo('x', 'float', [1]), valueInfo('trips', 'int64', [])],
      outputs: [valueInfo('y', 'float', [1])],
      initializers: [
        tensor('start', 'bool', { dims: [], data: [1] }),
        tensor('one', 'float', { dims: [1], data: [1] }),
      ],
    }),
    { opsets },
  );
}
