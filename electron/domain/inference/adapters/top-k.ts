/**
 * TopK of `uint64`, which the runtime does not have and no wider type holds: found among the `int64` that lie in the same order, which
 * are the same bits with the first one turned, and then taken from the values themselves.
 */
import { attributeOf, tensor, tensorTypes, type OnnxNode } from '#domain/onnx/index.ts';
import { inner, node, type Adapter } from './graph-edit.ts';
import { mapInScope } from './scope.ts';

export const topOfUnsigned: Adapter = (model) =>
  mapInScope(model, (one, { types, opset }) =>
    // BitwiseXor came with operator set 18.
    one.opType === 'TopK' && opset >= 18 && types.get(one.inputs[0] ?? '') === 'uint64'
      ? inSignedOrder(one)
      : one,
  );

function inSignedOrder(one: OnnxNode): OnnxNode[] {
  const [x = '', k = ''] = one.inputs;
  const [values = '', indices = ''] = one.outputs;
  const at = (what: string): string => inner(values === '' ? indices : values, what);
  const places = indices === '' ? at('places') : indices;
  const top = tensor('top', 'int64', { dims: [], data: [-(2n ** 63n)] });
  const axis = attributeOf(one, 'axis')?.i ?? -1n;
  return [
    node('Constant', { inputs: [], outputs: [at('top')] }, { value: top }),
    node(
      'Cast',
      { inputs: [x], outputs: [at('bits')] },
      { to: BigInt(tensorTypes.indexOf('int64')) },
    ),
    node('BitwiseXor', { inputs: [at('bits'), at('top')], outputs: [at('order')] }),
    { ...one, inputs: [at('order'), k], outputs: [at('found'), places] },
    ...(values === ''
      ? []
      : [node('GatherElements', { inputs: [x, places], outputs: [values] }, { axis })]),
  ];
}
