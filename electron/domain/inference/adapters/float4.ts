/**
 * float4e2m1, which the runtime has no operators for: its sixteen values are carried as floats. What casts or quantizes to it rounds to one
 * of them, half to even, and what is beyond 6 becomes 6, as ONNX's Cast does; NaN, which it has not, becomes zero.
 */
import { AppError } from '#shared/errors.ts';
import {
  tensor,
  tensorToData,
  tensorTypes,
  type AttributeValue,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
  type OnnxType,
  type OnnxValueInfo,
} from '#domain/onnx/index.ts';
import { elementTypes, type ElementTypes } from './element-types.ts';
import { inner, inSubgraphs, intOf, withoutAttributes, type Adapter, node } from './graph-edit.ts';

const narrow = tensorTypes.indexOf('float4e2m1');
const float = tensorTypes.indexOf('float');
const int8 = tensorTypes.indexOf('int8');

export const carryFloat4: Adapter = (model) => {
  const { graph } = model;
  if (graph === undefined || !mentions(graph)) return model;
  const inputs = graph.inputs.filter(({ type }) => type?.tensor?.elemType === narrow);
  const wide = inGraph(graph, new Map());
  // What is fed may be any number.
  const nodes = inputs.flatMap(({ name = '' }) => rounded(name, inner(name, 'float4')));
  const fed = new Map(inputs.map(({ name = '' }) => [name, inner(name, 'float4')]));
  const renamed = (names: readonly string[]): string[] =>
    names.map((name) => fed.get(name) ?? name);
  const rename = (one: OnnxNode): OnnxNode => ({
    ...inSubgraphs(one, (nested) => ({ ...nested, nodes: nested.nodes.map(rename) })),
    inputs: renamed(one.inputs),
  });
  return {
    ...model,
    graph: {
      ...wide,
      nodes: [...nodes, ...wide.nodes.map(rename)],
      initializers: [...wide.initializers, ...constants],
    },
  };
};

/** Whether the type is anywhere in the graph. */
function mentions(graph: OnnxGraph): boolean {
  const isNarrow = (one: OnnxTensor | undefined): boolean => one?.dataType === narrow;
  return (
    [...graph.inputs, ...graph.outputs, ...graph.valueInfo].some(
      ({ type }) => type?.tensor?.elemType === narrow,
    ) ||
    graph.initializers.some(isNarrow) ||
    graph.nodes.some(({ attributes }) =>
      attributes.some(
        ({ name, i, t, g, graphs }) =>
          isNarrow(t) ||
          ((name === 'to' || name === 'output_dtype') && i === BigInt(narrow)) ||
          [...(g === undefined ? [] : [g]), ...graphs].some(mentions),
      ),
    )
  );
}

function inGraph(graph: OnnxGraph, outer: ElementTypes): OnnxGraph {
  const types = elementTypes(graph, outer);
  return {
    ...graph,
    inputs: graph.inputs.map(wideValue),
    outputs: graph.outputs.map(wideValue),
    valueInfo: graph.valueInfo.map(wideValue),
    initializers: graph.initializers.map(wideTensor),
    nodes: graph.nodes.flatMap((one) =>
      wideNode(
        inSubgraphs(one, (nested) => inGraph(nested, types)),
        types,
      ),
    ),
  };
}

function wideValue(value: OnnxValueInfo): OnnxValueInfo {
  const wideType = (type: OnnxType): OnnxType =>
    type.tensor?.elemType === narrow
      ? { ...type, tensor: { ...type.tensor, elemType: float } }
      : type;
  return value.type === undefined ? value : { ...value, type: wideType(value.type) };
}

function wideTensor(one: OnnxTensor): OnnxTensor {
  if (one.dataType !== narrow) return one;
  const { dims, data } = tensorToData(one);
  const { buffer, byteOffset, byteLength } = data as Float32Array;
  return {
    name: one.name ?? '',
    dims: [...dims],
    dataType: float,
    rawData: new Uint8Array(buffer, byteOffset, byteLength),
    strings: [],
    externalData: [],
  };
}

function wideNode(one: OnnxNode, types: ElementTypes): OnnxNode[] {
  const [output = ''] = one.outputs;
  const [first = '', second = ''] = one.inputs;
  const attributes = one.attributes.map((each): OnnxAttribute =>
    each.t === undefined ? each : { ...each, t: wideTensor(each.t) },
  );
  const plain = { ...one, attributes };
  switch (one.opType) {
    case 'Cast':
      return intOf(one, 'to') === narrow ? rounded(first, output) : [plain];
    case 'CastLike':
      return types.get(second) === 'float4e2m1' ? rounded(first, output) : [plain];
    case 'QuantizeLinear':
      return types.get(output) === 'float4e2m1' ? quantized(one) : [plain];
    case 'DequantizeLinear':
      return types.get(first) === 'float4e2m1' ? dequantized(one) : [plain];
    case 'BitCast':
      if ([types.get(first), types.get(output)].includes('float4e2m1'))
        throw new AppError('unsupported', 'The operator BitCast is not supported for float4e2m1.');
      return [plain];
    default:
      return [plain];
  }
}

const constant = Object.fromEntries(
  ['0', '0.5', '2', '4', '6'].map((value) => [value, inner(value, 'float4')]),
) as Readonly<Record<'0' | '0.5' | '2' | '4' | '6', string>>;
const constants = Object.entries(constant).map(([value, name]) =>
  tensor(name, 'float', { dims: [], data: [Number(value)] }),
);

/** Steps of a half below 2, of one below 4, of two above. */
function rounded(from: string, to: string): OnnxNode[] {
  const at = (what: string): string => inner(to, what);
  const make = (
    operator: string,
    inputs: readonly string[],
    result: string,
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): OnnxNode => node(operator, { inputs, outputs: [result] }, attributes);
  return [
    make('Cast', [from], at('float'), { to: BigInt(float) }),
    make('Abs', [at('float')], at('size')),
    make('Min', [at('size'), constant['6']], at('least')),
    make('Mul', [at('least'), constant['2']], at('doubled')),
    make('Round', [at('doubled')], at('halves')),
    make('Mul', [at('halves'), constant['0.5']], at('low')),
    make('Round', [at('least')], at('middle')),
    make('Mul', [at('least'), constant['0.5']], at('halved')),
    make('Round', [at('halved')], at('pairs')),
    make('Mul', [at('pairs'), constant['2']], at('high')),
    make('Less', [at('least'), constant['4']], at('below-4')),
    make('Where', [at('below-4'), at('middle'), at('high')], at('upper')),
    make('Less', [at('least'), constant['2']], at('below-2')),
    make('Where', [at('below-2'), at('low'), at('upper')], at('rounded')),
    make('Sign', [at('float')], at('sign')),
    make('Mul', [at('sign'), at('rounded')], at('signed')),
    make('IsNaN', [at('float')], at('nan')),
    make('Where', [at('nan'), constant['0'], at('signed')], to),
  ];
}

/** Twice a value is a small integer, and integers the runtime dequantizes, by axis and by block too. */
function dequantized(one: OnnxNode): OnnxNode[] {
  const [output = ''] = one.outputs;
  const [values = '', scale = ''] = one.inputs;
  const at = (what: string): string => inner(output, what);
  const target = intOf(one, 'output_dtype');
  const plain = withoutAttributes(one, 'output_dtype');
  return [
    node('Mul', { inputs: [values, constant['2']], outputs: [at('doubled')] }),
    cast(at('doubled'), at('codes'), int8),
    cast(scale, at('scale'), float),
    node('Mul', { inputs: [at('scale'), constant['0.5']], outputs: [at('half-scale')] }),
    { ...plain, inputs: [at('codes'), at('half-scale')], outputs: [at('result')] },
    target === undefined || target === 0
      ? node('CastLike', { inputs: [at('result'), scale], outputs: [output] })
      : cast(at('result'), output, target),
  ];
}

/** The scale of each value is what a one of it is dequantized to. */
function quantized(one: OnnxNode): OnnxNode[] {
  const [output = ''] = one.outputs;
  const [values = '', scale = ''] = one.inputs;
  const at = (what: string): string => inner(output, what);
  const layout = one.attributes.filter(({ name }) => name === 'axis' || name === 'block_size');
  const ones: OnnxTensor = { ...emptyByte, rawData: Uint8Array.of(1) };
  return [
    cast(values, at('values'), float),
    cast(scale, at('scale'), float),
    node('Shape', { inputs: [values], outputs: [at('shape')] }),
    node('ConstantOfShape', { inputs: [at('shape')], outputs: [at('ones')] }, { value: ones }),
    {
      ...node('DequantizeLinear', { inputs: [at('ones'), at('scale')], outputs: [at('scales')] }),
      attributes: layout,
    },
    node('Div', { inputs: [at('values'), at('scales')], outputs: [at('ratios')] }),
    ...rounded(at('ratios'), output),
  ];
}

const emptyByte: OnnxTensor = {
  name: 'one',
  dims: [1],
  dataType: int8,
  strings: [],
  externalData: [],
};

function cast(from: string, to: string, type: number): OnnxNode {
  return node('Cast', { inputs: [from], outputs: [to] }, { to: BigInt(type) });
}
