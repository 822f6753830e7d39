/**
 * The number of dimensions as the size of a shape. While it works out the sizes of other values, the runtime takes it for the product of
 * that shape's numbers, and the WebAssembly build refuses the model for the contradiction; the shape of a shape it reads rightly.
 */
import { inner, node, type Adapter } from './graph-edit.ts';
import { mapInScope } from './scope.ts';

export const countDimensions: Adapter = (model) =>
  mapInScope(model, (one, { makers }) => {
    const [shape = ''] = one.inputs;
    const [output = ''] = one.outputs;
    if (one.opType !== 'Size' || makers.get(shape)?.opType !== 'Shape') return one;
    return [
      node('Shape', { inputs: [shape], outputs: [inner(output, 'count')] }),
      node('Squeeze', { inputs: [inner(output, 'count')], outputs: [output] }),
    ];
  });
