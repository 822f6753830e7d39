/** Attention from operator set 24 takes a mask that is shorter than keys and values; the runtime wants it filled up, which says the same. */
import { tensor, type OnnxNode } from '#domain/onnx/index.ts';
import { inner, node, type Adapter } from './graph-edit.ts';
import { mapInScope, type Scope } from './scope.ts';

export const fillMask: Adapter = (model) =>
  mapInScope(model, (one, scope) =>
    one.opType === 'Attention' && scope.opset >= 24 ? withFullMask(one, scope) : one,
  );

function withFullMask(one: OnnxNode, { types, dims }: Scope): OnnxNode | OnnxNode[] {
  const [, key = '', , mask = '', past = ''] = one.inputs;
  const type = types.get(mask);
  const length = dims.get(key)?.at(-2);
  const isFull = past === '' && length !== undefined && dims.get(mask)?.at(-1) === length;
  if (mask === '' || type === undefined || isFull) return one;
  const [output = ''] = one.outputs.filter((name) => name !== '');
  const at = (what: string): string => inner(output, what);
  const make = (
    opType: string,
    inputs: readonly string[],
    what: string,
    attributes: Parameters<typeof node>[2] = {},
  ): OnnxNode => node(opType, { inputs, outputs: [at(what)] }, attributes);
  // With three dimensions or four, the last but one counts keys.
  const count = { start: -2n, end: -1n };
  return [
    make('Constant', [], 'none', { value: tensor('none', 'int64', { dims: [1], data: [0] }) }),
    make('Constant', [], 'last', { value: tensor('last', 'int64', { dims: [1], data: [-1] }) }),
    make('Constant', [], 'masked', {
      value:
        type === 'bool'
          ? tensor('masked', 'bool', { dims: [], data: [0] })
          : tensor('masked', 'float', { dims: [], data: [-Infinity] }),
    }),
    make('CastLike', [at('masked'), mask], 'fill'),
    make('Shape', [key], 'new', count),
    ...(past === ''
      ? [make('Identity', [at('new')], 'total')]
      : [make('Shape', [past], 'old', count), make('Add', [at('new'), at('old')], 'total')]),
    make('Shape', [mask], 'given', { start: -1n }),
    make('Sub', [at('total'), at('given')], 'missing'),
    // A mask that is too long is for the runtime to refuse.
    make('Max', [at('missing'), at('none')], 'after'),
    make('Concat', [at('none'), at('after')], 'pads', { axis: 0n }),
    make('Pad', [mask, at('pads'), at('fill'), at('last')], 'mask'),
    { ...one, inputs: one.inputs.map((name, place) => (place === 3 ? at('mask') : name)) },
  ];
}
