/** The part of a graph that comes before a tensor, as a model of its own, so that the tensor can be had for any rows. */
import { node, valueInfo, type OnnxModel } from '#domain/onnx/index.ts';

/** What the output of the front is called. */
export const frontOutput = 'strongroom:elements';

/** Undefined when the graph takes the tensor from outside: then there is nothing before it. */
export function frontOf(model: OnnxModel, tensor: string): OnnxModel | undefined {
  const graph = model.graph;
  if (graph === undefined || graph.inputs.some(({ name }) => name === tensor)) return undefined;
  const makerOf = new Map(
    graph.nodes.flatMap((each) => each.outputs.map((output) => [output, each] as const)),
  );
  const needed = new Set<string>();
  const waiting = [tensor];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (needed.has(name)) continue;
    needed.add(name);
    waiting.push(...(makerOf.get(name)?.inputs ?? []));
  }
  return {
    ...model,
    graph: {
      ...graph,
      nodes: [
        ...graph.nodes.filter(({ outputs }) => outputs.some((output) => needed.has(output))),
        node('Cast', { inputs: [tensor], outputs: [frontOutput] }, { to: 11n }),
      ],
      // All inputs stay, used or not, so that it is fed like the model itself.
      outputs: [valueInfo(frontOutput, 'double', [null, null])],
      initializers: graph.initializers.filter(
        ({ name }) => needed.has(name ?? '') || graph.inputs.some((input) => input.name === name),
      ),
    },
  };
}
