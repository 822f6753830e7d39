/**
 * Maps at the border, as scikit-learn exports write them. The runtime's binding cannot hand them over, and their keys are known:
 * an output of ZipMap is the matrix that went into it, with the keys told aside; an input of DictVectorizer is one input for each
 * key, so that columns of a file are bound to it by name.
 */
import { AppError } from '#shared/errors.ts';
import {
  attributeOf,
  mapKeys,
  tensorTypes,
  type OnnxNode,
  type OnnxType,
  type OnnxValueInfo,
} from '#domain/onnx/index.ts';
import { type Adapter, node } from './graph-edit.ts';

export const unfoldMaps: Adapter = (model, border) => {
  const { graph } = model;
  if (graph === undefined) return model;
  const nodes = [...graph.nodes];
  const outputs = graph.outputs.map((output) => {
    const { name = '', type } = output;
    if (!isMap(type) && !isMap(type?.sequence?.elemType)) return output;
    const at = nodes.findIndex(
      (producer) => producer.opType === 'ZipMap' && producer.outputs[0] === name,
    );
    const zipMap = nodes[at];
    if (zipMap === undefined)
      throw new AppError(
        'unsupported',
        `The output ${name} is a map that no ZipMap makes, so its keys are not known.`,
      );
    const labels = keysOf(zipMap, 'classlabels_strings', 'classlabels_int64s');
    border.labelsByOutput.set(name, labels);
    nodes[at] = node('Identity', { inputs: [zipMap.inputs[0] ?? ''], outputs: [name] });
    return { name, type: tensorType('float') };
  });
  const inputs = graph.inputs.flatMap((input): OnnxValueInfo | OnnxValueInfo[] => {
    const { name = '', type } = input;
    if (!isMap(type)) return input;
    const known = mapKeys(graph, input);
    if (known === undefined)
      throw new AppError(
        'unsupported',
        `The input ${name} is a map that does not go into one DictVectorizer, so its keys are not known.`,
      );
    const { vectorizer, names } = known;
    const element = tensorTypes[type?.map?.valueType?.tensor?.elemType ?? 0] ?? 'float';
    nodes[graph.nodes.indexOf(vectorizer)] = node(
      'Concat',
      { inputs: names, outputs: vectorizer.outputs },
      { axis: 1n },
    );
    return names.map((key) => ({ name: key, type: tensorType(element, [undefined, 1]) }));
  });
  return { ...model, graph: { ...graph, nodes, inputs, outputs } };
};

function isMap(type: OnnxType | undefined): boolean {
  return type?.map !== undefined;
}

function tensorType(element: string, dims?: readonly (number | undefined)[]): OnnxType {
  return {
    tensor: {
      elemType: tensorTypes.indexOf(element),
      ...(dims === undefined
        ? {}
        : { shape: { dims: dims.map((value) => (value === undefined ? {} : { value })) } }),
    },
  };
}

function keysOf(one: OnnxNode, texts: string, numbers: string): string[] {
  const strings = attributeOf(one, texts)?.strings ?? [];
  return strings.length > 0
    ? strings.map((bytes) => Buffer.from(bytes).toString('utf8'))
    : (attributeOf(one, numbers)?.ints ?? []).map(String);
}
