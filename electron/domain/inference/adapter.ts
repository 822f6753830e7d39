/**
 * Makes a graph fit for the runtime's binding without changing what it computes: maps from ZipMap become plain tensors with
 * their labels told aside, narrow floats and 4-bit integers at the border are cast, tensors of sequences are refused by name.
 */
import { AppError } from '#shared/errors.ts';
import {
  node,
  tensorTypes,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
} from '#domain/onnx/index.ts';

/** Types that the binding cannot hand over, and what to cast them to. */
const castTo: Readonly<Record<string, 'float' | 'int32'>> = {
  float16: 'float',
  bfloat16: 'float',
  float8e4m3fn: 'float',
  float8e4m3fnuz: 'float',
  float8e5m2: 'float',
  float8e5m2fnuz: 'float',
  uint4: 'int32',
  int4: 'int32',
};

export interface AdaptedModel {
  readonly model: OnnxModel;
  /** Class labels of outputs that were maps. */
  readonly labelsByOutput: ReadonlyMap<string, readonly string[]>;
  /**
   * Inputs and outputs that were half floats. The runtime drops the casts that stand for them, so their values have to be
   * rounded where they are handed over.
   */
  readonly halves: ReadonlySet<string>;
}

export function adaptModel(original: OnnxModel): AdaptedModel {
  const graph = original.graph;
  if (graph === undefined) throw new AppError('corrupt', 'The model has no graph.');
  const labelsByOutput = new Map<string, readonly string[]>();
  const halves = new Set(
    [...graph.inputs, ...graph.outputs]
      .filter(({ type }) => tensorTypes[type?.tensor?.elemType ?? 0] === 'float16')
      .map(({ name }) => name ?? ''),
  );
  const nodes = [...graph.nodes];
  const outputs = graph.outputs.map((output) => {
    const name = output.name ?? '';
    const at = nodes.findIndex(
      (producer) => producer.opType === 'ZipMap' && producer.outputs[0] === name,
    );
    const zipMap = nodes[at];
    if (zipMap !== undefined) {
      labelsByOutput.set(name, zipMapLabels(zipMap));
      nodes[at] = node('Identity', { inputs: [zipMap.inputs[0] ?? ''], outputs: [name] });
      return { name, type: { tensor: { elemType: tensorTypes.indexOf('float') } } };
    }
    const tensorType = output.type?.tensor;
    if (tensorType === undefined)
      throw new AppError(
        'unsupported',
        `The output ${name} is neither a tensor nor a map of class labels, and cannot be written into a table.`,
      );
    const target = castTo[tensorTypes[tensorType.elemType ?? 0] ?? ''];
    if (target === undefined) return output;
    rename(nodes, graph, name, 'outputs');
    nodes.push(
      node(
        'Cast',
        { inputs: [`${name}${innerSuffix}`], outputs: [name] },
        { to: BigInt(tensorTypes.indexOf(target)) },
      ),
    );
    return {
      ...output,
      type: { tensor: { ...tensorType, elemType: tensorTypes.indexOf(target) } },
    };
  });
  const constants = new Set(graph.initializers.map(({ name }) => name));
  const casts: OnnxNode[] = [];
  const inputs = graph.inputs.map((input) => {
    const name = input.name ?? '';
    const tensorType = input.type?.tensor;
    const source = tensorTypes[tensorType?.elemType ?? 0] ?? '';
    const target = castTo[source];
    if (tensorType === undefined || target === undefined || constants.has(name)) return input;
    rename(nodes, graph, name, 'inputs');
    casts.push(
      node(
        'Cast',
        { inputs: [name], outputs: [`${name}${innerSuffix}`] },
        { to: BigInt(tensorType.elemType ?? 0) },
      ),
    );
    return { ...input, type: { tensor: { ...tensorType, elemType: tensorTypes.indexOf(target) } } };
  });
  return {
    model: { ...original, graph: { ...graph, nodes: [...casts, ...nodes], inputs, outputs } },
    labelsByOutput,
    halves,
  };
}

const innerSuffix = ':before-cast';

/** Every use of the name inside of the graph becomes another; subgraphs may use it too. */
function rename(
  nodes: OnnxNode[],
  graph: OnnxGraph,
  name: string,
  side: 'inputs' | 'outputs',
): void {
  const renamed = (names: readonly string[]): string[] =>
    names.map((each) => (each === name ? `${name}${innerSuffix}` : each));
  const inNode = (each: OnnxNode): OnnxNode => ({
    ...each,
    inputs: renamed(each.inputs),
    outputs: side === 'outputs' ? renamed(each.outputs) : each.outputs,
    attributes: each.attributes.map((attribute) => ({
      ...attribute,
      ...(attribute.g === undefined ? {} : { g: inGraph(attribute.g) }),
      graphs: attribute.graphs.map(inGraph),
    })),
  });
  const inGraph = (inner: OnnxGraph): OnnxGraph => ({ ...inner, nodes: inner.nodes.map(inNode) });
  for (const [at, each] of nodes.entries()) nodes[at] = inNode(each);
  if (side === 'outputs' && graph.initializers.some((tensor) => tensor.name === name)) {
    throw new AppError(
      'unsupported',
      `The output ${name} is a constant of a type that cannot be written.`,
    );
  }
}

function zipMapLabels({ attributes }: OnnxNode): string[] {
  const strings = attributes.find(({ name }) => name === 'classlabels_strings')?.strings ?? [];
  const ints = attributes.find(({ name }) => name === 'classlabels_int64s')?.ints ?? [];
  return strings.length > 0
    ? strings.map((bytes) => Buffer.from(bytes).toString('utf8'))
    : ints.map(String);
}
