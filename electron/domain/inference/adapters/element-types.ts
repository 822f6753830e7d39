/** Element types of the values in a graph, as far as they follow from its inputs, constants and descriptions; by name. */
import {
  attributeOf,
  isStandard,
  tensorTypes,
  type OnnxGraph,
  type OnnxNode,
  type OnnxValueInfo,
} from '#domain/onnx/index.ts';
import { intOf } from './graph-edit.ts';

export type ElementTypes = ReadonlyMap<string, string>;

export function elementTypes(graph: OnnxGraph, outer: ElementTypes = new Map()): ElementTypes {
  const types = new Map(outer);
  const learn = (name: string | undefined, type: string | undefined): void => {
    if (name !== undefined && name !== '' && type !== undefined && type !== 'undefined')
      types.set(name, type);
  };
  const declare = ({ name, type }: OnnxValueInfo): void =>
    learn(name, type?.tensor === undefined ? undefined : tensorTypes[type.tensor.elemType ?? 0]);
  graph.inputs.forEach(declare);
  for (const { name, dataType } of graph.initializers) learn(name, tensorTypes[dataType ?? 0]);
  for (const node of graph.nodes)
    for (const [at, type] of outputTypes(node, (name) => types.get(name ?? '')).entries())
      learn(node.outputs[at], type);
  [...graph.valueInfo, ...graph.outputs].forEach(declare);
  return types;
}

type TypeOf = (name: string | undefined) => string | undefined;
type Rule = (node: OnnxNode, typeOf: TypeOf) => readonly (string | undefined)[];

const fixed =
  (...types: readonly string[]): Rule =>
  () =>
    types;
const first: Rule = ({ inputs, outputs }, typeOf) => outputs.map(() => typeOf(inputs[0]));
const like =
  (place: number): Rule =>
  ({ inputs, outputs }, typeOf) =>
    outputs.map(() => typeOf(inputs[place]));
const firstAnd =
  (second: string): Rule =>
  ({ inputs, outputs }, typeOf) =>
    outputs.map((_, at) => (at === 0 ? typeOf(inputs[0]) : second));
const named =
  (attribute: string, otherwise: Rule): Rule =>
  (node, typeOf) => {
    const number = intOf(node, attribute);
    return number === undefined || number === 0 ? otherwise(node, typeOf) : [tensorTypes[number]];
  };

const unknown: Rule = () => [];
const rules: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(
    'And Or Not Xor Equal Greater GreaterOrEqual Less LessOrEqual IsInf IsNaN'
      .split(' ')
      .map((name) => [name, fixed('bool')]),
  ),
  ...Object.fromEntries(
    'Shape Size NonZero ArgMax ArgMin NonMaxSuppression SequenceLength'
      .split(' ')
      .map((name) => [name, fixed('int64')]),
  ),
  ...Object.fromEntries(
    'If Loop Scan SequenceAt SequenceEmpty SequenceInsert SequenceConstruct SplitToSequence Optional OptionalGetElement OptionalHasElement ConcatFromSequence SequenceMap SequenceErase'
      .split(' ')
      .map((name) => [name, unknown]),
  ),
  Cast: named('to', unknown),
  BitCast: named('to', unknown),
  CastLike: like(1),
  Where: like(1),
  OneHot: like(2),
  TopK: firstAnd('int64'),
  MaxPool: firstAnd('int64'),
  Unique: firstAnd('int64'),
  Dropout: firstAnd('bool'),
  StringSplit: fixed('string', 'int64'),
  RegexFullMatch: fixed('bool'),
  TfIdfVectorizer: fixed('float'),
  QuantizeLinear: named('output_dtype', ({ inputs }, typeOf) => [typeOf(inputs[2]) ?? 'uint8']),
  DequantizeLinear: named('output_dtype', like(1)),
  DynamicQuantizeLinear: fixed('uint8', 'float', 'uint8'),
  MatMulInteger: fixed('int32'),
  ConvInteger: fixed('int32'),
  QLinearMatMul: like(7),
  QLinearConv: like(7),
  Constant(node) {
    const value = attributeOf(node, 'value')?.t;
    if (value !== undefined) return [tensorTypes[value.dataType ?? 0]];
    const name = node.attributes[0]?.name ?? '';
    return [/int/.test(name) ? 'int64' : /string/.test(name) ? 'string' : 'float'];
  },
  ConstantOfShape: (node) => [tensorTypes[attributeOf(node, 'value')?.t?.dataType ?? 1]],
  EyeLike: named('dtype', first),
  Bernoulli: named('dtype', first),
  RandomNormal: named('dtype', fixed('float')),
  RandomUniform: named('dtype', fixed('float')),
  RandomNormalLike: named('dtype', first),
  RandomUniformLike: named('dtype', first),
  Multinomial: named('dtype', fixed('int32')),
};

function outputTypes(node: OnnxNode, typeOf: TypeOf): readonly (string | undefined)[] {
  return isStandard(node) ? (rules[node.opType ?? ''] ?? first)(node, typeOf) : [];
}
