/**
 * Models of operator sets 11 and 12 with sequences at their border become ones of 13, where a Loop can carry a sequence. The differences
 * are those of ONNX's Changelog.md: axes and sizes are inputs, and Softmax works along one axis and no longer on a matrix.
 */
import {
  attributeOf,
  isStandard,
  tensor,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
} from '#domain/onnx/index.ts';
import {
  attributesOf,
  inner,
  intOf,
  mapNodes,
  node,
  opsetOf,
  withOpset,
  withoutAttributes,
} from './graph-edit.ts';

const target = 13;

/** The model itself if it is not one of 11 or 12. */
export function raiseToOpset13(model: OnnxModel): OnnxModel {
  const opset = opsetOf(model.opsetImports);
  if (opset < 11 || opset >= target || model.graph === undefined) return model;
  const made: OnnxTensor[] = [];
  const changed = mapNodes(model, (one) => (isStandard(one) ? raised(one, made) : one));
  return withOpset(
    {
      ...changed,
      graph: {
        ...(changed.graph ?? model.graph),
        initializers: [...(changed.graph ?? model.graph).initializers, ...made],
      },
    },
    target,
  );
}

function raised(one: OnnxNode, made: OnnxTensor[]): OnnxNode | OnnxNode[] {
  switch (one.opType) {
    case 'Squeeze':
    case 'Unsqueeze':
    case 'ReduceSum':
      return asInput(one, 'axes', made);
    case 'Split':
      return asInput(one, 'split', made);
    case 'Dropout':
      return withoutAttributes(one, 'ratio');
    case 'Softmax':
    case 'LogSoftmax':
    case 'Hardmax':
      return onMatrix(one);
    default:
      return one;
  }
}

function asInput(one: OnnxNode, name: string, made: OnnxTensor[]): OnnxNode {
  const values = attributeOf(one, name)?.ints;
  if (values === undefined) return one;
  const constant = inner(one.outputs.find((output) => output !== '') ?? '', name);
  made.push(tensor(constant, 'int64', { dims: [values.length], data: values }));
  return { ...withoutAttributes(one, name), inputs: [...one.inputs, constant] };
}

function onMatrix(one: OnnxNode): OnnxNode[] {
  const [input = ''] = one.inputs;
  const [output = ''] = one.outputs;
  const at = (what: string): string => inner(output, what);
  const axis = BigInt(intOf(one, 'axis') ?? 1);
  return [
    node('Shape', { inputs: [input], outputs: [at('shape')] }),
    node('Flatten', { inputs: [input], outputs: [at('matrix')] }, { axis }),
    {
      ...withoutAttributes(one, 'axis'),
      inputs: [at('matrix')],
      outputs: [at('rows')],
      attributes: attributesOf({ axis: 1n }),
    },
    node('Reshape', { inputs: [at('rows'), at('shape')], outputs: [output] }),
  ];
}
