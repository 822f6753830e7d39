/**
 * Operators that the runtime has, but not for these element types, are computed in a wider one: the values go in and come out by Cast, and
 * every result is rounded to the type that the model says. Which operators these are the runtime tells itself when it
 * refuses the model, and it is not the same for its two builds.
 */
import {
  isStandard,
  tensorTypes,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
} from '#domain/onnx/index.ts';
import { elementTypes, type ElementTypes } from './element-types.ts';
import type { Lacking } from '../load-errors.ts';
import { inner, inSubgraphs, node } from './graph-edit.ts';

/** What each type is computed in, first try to last; without loss, so there is nothing for 64-bit integers and doubles. */
const steps: readonly Readonly<Record<string, string>>[] = [
  {
    int8: 'int32',
    int16: 'int32',
    uint8: 'int32',
    uint16: 'int32',
    int4: 'int32',
    uint4: 'int32',
    int2: 'int32',
    uint2: 'int32',
    uint32: 'int64',
    bool: 'int32',
    float16: 'float',
    bfloat16: 'float',
    float8e4m3fn: 'float',
    float8e4m3fnuz: 'float',
    float8e5m2: 'float',
    float8e5m2fnuz: 'float',
    float8e8m0: 'float',
  },
  { int8: 'int64', int16: 'int64', int32: 'int64', uint8: 'int64', uint16: 'int64' },
  {
    int8: 'float',
    int16: 'float',
    uint8: 'float',
    uint16: 'float',
    int32: 'double',
    uint32: 'double',
  },
  { int8: 'uint32', int16: 'uint32', uint8: 'uint32', uint16: 'uint32' },
];

/** Operators that ONNX defines by others, so that the runtime may lack one that the model does not name. */
const composed: ReadonlySet<string> = new Set(
  'AffineGrid Attention Celu CenterCropPad Clip Elu Gelu GreaterOrEqual GroupNormalization HardSigmoid HardSwish LayerNormalization LeakyRelu LessOrEqual LogSoftmax MeanVarianceNormalization Mish PRelu RMSNormalization Range ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceSumSquare Relu RotaryEmbedding Selu Shrink Softmax Softplus Softsign ThresholdedRelu'.split(
    ' ',
  ),
);

/** Of quantized values only the scales, and what is not yet quantized. */
const widenedInputs: Readonly<Record<string, readonly number[]>> = {
  DequantizeLinear: [1],
  QuantizeLinear: [0, 1],
};

/** The exponent of a power may be rounded, so it may be of any type. */
const exponents: Readonly<Record<string, string>> = { uint32: 'int64', uint64: 'double' };

/**
 * The model with one more step for an operator that the runtime still lacks; `levels` says how far each is, from 1. Undefined when
 * there is no further step.
 */
export function widenFurther(
  model: OnnxModel,
  levels: Map<string, number>,
  operator: string,
): OnnxModel | undefined {
  for (let level = (levels.get(operator) ?? 0) + 1; level <= steps.length; level += 1) {
    levels.set(operator, level);
    if (widenOperators(model, new Map([[operator, level]])) !== undefined)
      return widenOperators(model, levels);
  }
  return undefined;
}

/** For a person: the operator, its operator set, and the element types that it has in this model. */
export function lackingSentence({ operator, opset, isKnown }: Lacking, model: OnnxModel): string {
  if (!isKnown) return `The runtime does not know the operator ${operator}.`;
  const found = new Set<string>();
  const look = (graph: OnnxGraph, outer: ElementTypes): void => {
    const types = elementTypes(graph, outer);
    for (const one of graph.nodes) {
      if (one.opType === operator)
        for (const name of one.inputs) found.add(types.get(name) ?? 'unknown');
      inSubgraphs(one, (nested) => {
        look(nested, types);
        return nested;
      });
    }
  };
  if (model.graph !== undefined) look(model.graph, new Map());
  const types = [...found].filter((type) => type !== 'unknown').join(', ');
  return `The runtime has no operator ${operator} of operator set ${opset}${types === '' ? ' for the types that it has here' : ` for ${types}`}.`;
}

/** `levels`: how far to go for each operator, from 1. Undefined when nothing changes. */
function widenOperators(
  model: OnnxModel,
  levels: ReadonlyMap<string, number>,
): OnnxModel | undefined {
  if (model.graph === undefined) return undefined;
  let count = 0;
  const present = operatorsOf(model.graph);
  const hidden = [...levels].filter(([name]) => !present.has(name)).map(([, level]) => level);
  const levelOf = (name: string): number | undefined =>
    levels.get(name) ?? (hidden.length > 0 && composed.has(name) ? Math.max(...hidden) : undefined);
  const inGraph = (graph: OnnxGraph, outer: ElementTypes): OnnxGraph => {
    const types = elementTypes(graph, outer);
    return {
      ...graph,
      nodes: graph.nodes.flatMap((one) => {
        const changed = inSubgraphs(one, (nested) => inGraph(nested, types));
        const level = isStandard(one) && !hasSubgraphs(one) ? levelOf(one.opType ?? '') : undefined;
        const wide = level === undefined ? undefined : widened(changed, level, types);
        if (wide !== undefined) count += 1;
        return wide ?? [changed];
      }),
    };
  };
  const graph = inGraph(model.graph, new Map());
  return count === 0 ? undefined : { ...model, graph };
}

function operatorsOf(graph: OnnxGraph): Set<string> {
  const names = new Set<string>();
  for (const one of graph.nodes) {
    names.add(one.opType ?? '');
    inSubgraphs(one, (nested) => {
      for (const name of operatorsOf(nested)) names.add(name);
      return nested;
    });
  }
  return names;
}

function hasSubgraphs({ attributes }: OnnxNode): boolean {
  return attributes.some(({ g, graphs }) => g !== undefined || graphs.length > 0);
}

function widened(one: OnnxNode, level: number, types: ElementTypes): OnnxNode[] | undefined {
  const wider = steps[level - 1] ?? {};
  const sources = new Set<string>();
  const [label = ''] = one.outputs.filter((name) => name !== '');
  const cast = (from: string, to: string, type: string): OnnxNode =>
    node('Cast', { inputs: [from], outputs: [to] }, { to: BigInt(tensorTypes.indexOf(type)) });
  const before: OnnxNode[] = [];
  const places = widenedInputs[one.opType ?? ''];
  const inputs = one.inputs.map((name, place) => {
    if (places?.includes(place) === false) return name;
    const type = types.get(name) ?? '';
    const exponent = one.opType === 'Pow' && place === 1 ? exponents[type] : undefined;
    const target = exponent ?? wider[type];
    if (target === undefined) return name;
    if (exponent === undefined) sources.add(type);
    before.push(cast(name, inner(label, `in${place}`), target));
    return inner(label, `in${place}`);
  });
  if (before.length === 0) return undefined;
  const after: OnnxNode[] = [];
  const outputs = one.outputs.map((name, place) => {
    const type = types.get(name) ?? '';
    if (!sources.has(type)) return name;
    after.push(cast(inner(label, `out${place}`), name, type));
    return inner(label, `out${place}`);
  });
  return [...before, { ...one, inputs, outputs }, ...after];
}
