/**
 * The part of a graph whose Shapley values can be computed exactly: one linear layer or one ensemble of trees, on a vector of
 * elements. What comes before and after it is not read but tried: see exact.ts.
 */
import { attributeOf, type OnnxGraph, type OnnxModel, type OnnxNode } from '#domain/onnx/index.ts';
import { constantNumbers, readTrees, type TreePart } from './trees.ts';

/** score(elements) = intercept + weights · elements */
export interface LinearPart {
  readonly kind: 'linear';
  readonly width: number;
  readonly weights: Float64Array;
  readonly intercept: number;
}

export interface AdditivePart {
  /** Name of the tensor [rows, elements] that the part takes. */
  readonly input: string;
  /** One for each score that it gives. */
  readonly scores: readonly (LinearPart | TreePart)[];
}

const mostWeights = 1_000_000;
const mostScores = 64;

/** Undefined when the graph has no such part, or more than one. */
export function findAdditivePart(model: OnnxModel): AdditivePart | undefined {
  const graph = model.graph;
  if (graph === undefined || model.functions.length > 0) return undefined;
  const found = graph.nodes.filter(
    ({ opType, domain, attributes }) =>
      (domain === 'ai.onnx.ml' &&
        /^(LinearRegressor|LinearClassifier|TreeEnsemble.*|SVM.*)$/.test(opType ?? '')) ||
      ((domain ?? '') === '' && (opType === 'Gemm' || opType === 'MatMul')) ||
      attributes.some(({ g, graphs }) => g !== undefined || graphs.length > 0),
  );
  const [node] = found;
  if (node === undefined || found.length > 1) return undefined;
  switch (node.opType) {
    case 'LinearRegressor':
      return linearOf(node, 'targets');
    case 'LinearClassifier':
      return linearOf(node, undefined);
    case 'Gemm':
    case 'MatMul':
      return layerOf(graph, node);
    case 'TreeEnsembleRegressor':
    case 'TreeEnsembleClassifier':
    case 'TreeEnsemble': {
      const scores = readTrees(node);
      return scores === undefined ? undefined : { input: node.inputs[0] ?? '', scores };
    }
    default:
      return undefined;
  }
}

/** coefficients [targets × width], intercepts [targets]. A classifier of two classes may have one row for both. */
function linearOf(node: OnnxNode, countedBy: string | undefined): AdditivePart | undefined {
  const coefficients = attributeOf(node, 'coefficients')?.floats ?? [];
  const intercepts = attributeOf(node, 'intercepts')?.floats ?? [];
  const counted = countedBy === undefined ? undefined : attributeOf(node, countedBy)?.i;
  const targets = counted === undefined ? Math.max(1, intercepts.length) : Number(counted);
  const width = coefficients.length / targets;
  if (!Number.isInteger(width) || width < 1 || targets > mostScores) return undefined;
  return {
    input: node.inputs[0] ?? '',
    scores: Array.from({ length: targets }, (_, target) => ({
      kind: 'linear' as const,
      width,
      weights: Float64Array.from(coefficients.slice(target * width, (target + 1) * width)),
      intercept: intercepts[target] ?? 0,
    })),
  };
}

/** Gemm, or MatMul with an Add after it, with constant weights [width × targets]. */
function layerOf(graph: OnnxGraph, node: OnnxNode): AdditivePart | undefined {
  const [input = '', weightName, biasName] = node.inputs;
  const constant = (name: string | undefined) =>
    graph.initializers.find((each) => each.name === name);
  const weights = constant(weightName);
  const numbers = weights === undefined ? undefined : constantNumbers(weights);
  if (weights === undefined || numbers === undefined || numbers.length > mostWeights)
    return undefined;
  if (weights.dims.length !== 2 || Number(attributeOf(node, 'transA')?.i ?? 0) === 1)
    return undefined;
  const isTransposed = Number(attributeOf(node, 'transB')?.i ?? 0) === 1;
  const [first = 0, second = 0] = weights.dims;
  const [width, targets] = isTransposed ? [second, first] : [first, second];
  if (targets < 1 || targets > mostScores || numbers.length !== width * targets) return undefined;
  const alpha = attributeOf(node, 'alpha')?.f ?? 1;
  const beta = attributeOf(node, 'beta')?.f ?? 1;
  const added = graph.nodes.find(
    ({ opType, inputs }) => opType === 'Add' && inputs.includes(node.outputs[0] ?? ''),
  );
  const bias = constant(
    node.opType === 'Gemm' ? biasName : added?.inputs.find((name) => name !== node.outputs[0]),
  );
  const biases = bias === undefined ? undefined : constantNumbers(bias);
  return {
    input,
    scores: Array.from({ length: targets }, (_, target) => ({
      kind: 'linear' as const,
      width,
      weights: Float64Array.from(
        { length: width },
        (_, at) =>
          alpha * (numbers[isTransposed ? target * width + at : at * targets + target] ?? 0),
      ),
      intercept: beta * (biases?.[biases.length === 1 ? 0 : target] ?? 0),
    })),
  };
}
