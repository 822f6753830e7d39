/** Narrow floats and integers at the border, which the runtime's binding cannot hand over, are cast to what they are held as. */
import {
  heldAs,
  tensorTypes,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
} from '#domain/onnx/index.ts';
import { inner, renameValue, type Adapter, node } from './graph-edit.ts';

export const castNarrow: Adapter = (model, border) => {
  if (model.graph === undefined) return model;
  let graph: OnnxGraph = model.graph;
  const constants = new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
  const before: OnnxNode[] = [];
  const after: OnnxNode[] = [];
  const cast = (from: string, to: string, type: number): OnnxNode =>
    node('Cast', { inputs: [from], outputs: [to] }, { to: BigInt(type) });
  const fed = new Set(graph.inputs.map(({ name = '' }) => name));
  const outputs = graph.outputs.map((output) => {
    const { name = '' } = output;
    const type = narrowType(output);
    if (type === undefined) return output;
    if (type === 'float16') border.halves.add(name);
    // What goes through untouched is retyped on its way in.
    if (!fed.has(name) || constants.has(name)) {
      graph = renameValue(graph, name, inner(name, 'narrow'), true);
      graph = {
        ...graph,
        initializers: graph.initializers.map((tensor): OnnxTensor =>
          tensor.name === name ? { ...tensor, name: inner(name, 'narrow') } : tensor,
        ),
        inputs: graph.inputs.filter((input) => input.name !== name),
      };
      after.push(cast(inner(name, 'narrow'), name, tensorTypes.indexOf(heldAs(type))));
    }
    return retyped(output, heldAs(type));
  });
  const inputs = graph.inputs.map((input) => {
    const { name = '' } = input;
    const type = narrowType(input);
    if (type === undefined || constants.has(name)) return input;
    if (type === 'float16') border.halves.add(name);
    graph = renameValue(graph, name, inner(name, 'wide'), false);
    before.push(cast(name, inner(name, 'wide'), tensorTypes.indexOf(type)));
    return retyped(input, heldAs(type));
  });
  return {
    ...model,
    graph: { ...graph, inputs, outputs, nodes: [...before, ...graph.nodes, ...after] },
  };
};

function narrowType({ type }: OnnxGraph['inputs'][number]): string | undefined {
  const name = tensorTypes[type?.tensor?.elemType ?? 0] ?? '';
  return heldAs(name) === name ? undefined : name;
}

function retyped(value: OnnxGraph['inputs'][number], type: string): OnnxGraph['inputs'][number] {
  return {
    ...value,
    type: { tensor: { ...value.type?.tensor, elemType: tensorTypes.indexOf(type) } },
  };
}
