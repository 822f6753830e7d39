/**
 * ConvInteger with a zero point for each output channel, which the runtime has for one of all channels only. The sum over
 * `x · (w − z)` is that over `x · w` less z times that over `x`, and the latter is a convolution with ones: exact in `int32`.
 */
import { tensor, tensorTypes, type OnnxNode } from '#domain/onnx/index.ts';
import { inner, node, type Adapter } from './graph-edit.ts';
import { mapInScope, type Scope } from './scope.ts';

export const convolveByChannel: Adapter = (model) =>
  mapInScope(model, (one, scope) => (one.opType === 'ConvInteger' ? byChannel(one, scope) : one));

function byChannel(one: OnnxNode, { dims }: Scope): OnnxNode | OnnxNode[] {
  const [x = '', w = '', xZero = '', wZero = ''] = one.inputs;
  const [y = ''] = one.outputs;
  const isOne = dims.get(wZero)?.every((size) => size === 1) === true;
  if (wZero === '' || isOne) return one;
  const at = (what: string): string => inner(y, what);
  const make = (
    opType: string,
    inputs: readonly string[],
    output: string,
    attributes: Parameters<typeof node>[2] = {},
  ): OnnxNode => node(opType, { inputs, outputs: [output] }, attributes);
  const int64s = (name: string, ...data: number[]): OnnxNode =>
    make('Constant', [], at(name), {
      value: tensor(name, 'int64', { dims: [data.length], data }),
    });
  // There is one of each name.
  const { name: _, ...unnamed } = one;
  return [
    { ...one, inputs: [x, w, xZero], outputs: [at('products')] },
    make('Shape', [w], at('sizes')),
    make('ConstantOfShape', [at('sizes')], at('ones'), {
      value: tensor('one', 'uint8', { dims: [1], data: [1] }),
    }),
    { ...unnamed, inputs: [x, at('ones'), xZero], outputs: [at('sums')] },
    // In rows for each channel, because the number of dimensions is not known.
    int64s('rows', 0, 0, -1),
    make('Reshape', [at('sums'), at('rows')], at('flat')),
    make('Cast', [wZero], at('zeros'), { to: BigInt(tensorTypes.indexOf('int32')) }),
    int64s('column', -1, 1),
    make('Reshape', [at('zeros'), at('column')], at('zero')),
    make('Mul', [at('flat'), at('zero')], at('scaled')),
    make('Shape', [at('products')], at('shape')),
    make('Reshape', [at('scaled'), at('shape')], at('excess')),
    make('Sub', [at('products'), at('excess')], y),
  ];
}
