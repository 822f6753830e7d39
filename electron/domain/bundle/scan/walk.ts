/**
 * The walk over an ONNX graph before anything loads it: main graph, subgraphs, functions, training graphs, sparse and attribute
 * tensors. It proves nothing about what a graph computes (that is what the isolated process is for); it refuses what has no
 * place in a bundle at all: foreign code, data from outside, sizes that lie, graphs that unfold without end, and what two
 * readers could understand in two ways.
 */
import {
  heldAs,
  modelSignature,
  tensorTypes,
  type OnnxAttribute,
  type OnnxEntry,
  type OnnxFunction,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxType,
  type OnnxValueInfo,
} from '#domain/onnx/index.ts';
import { hidesText } from '#platform/printable.ts';
import { gateLimits } from '../limits.ts';
import { checkFields } from './fields.ts';
import { checkUnfolding, functionKey, keyOf } from './functions.ts';
import { createReport, named, type Report, type Seen } from './report.ts';
import { createScope, type Scope } from './sizes.ts';
import { createTensorWalk, type ExternalFile } from './tensors.ts';

const allowedDomains: ReadonlySet<string> = new Set([
  '',
  'ai.onnx',
  'ai.onnx.ml',
  'ai.onnx.training',
  'ai.onnx.preview.training',
  'com.microsoft',
  'com.microsoft.nchwc',
]);
const foreignCode: ReadonlySet<string> = new Set([
  'EPContext',
  'PyOp',
  'PythonOp',
  'PythonOpGrad',
  'TorchEmbedding',
  'ATen',
]);
const loops: ReadonlySet<string> = new Set(['Loop', 'Scan']);
const usableTypes: ReadonlySet<string> = new Set([
  'float',
  'double',
  'float16',
  'bfloat16',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'bool',
  'string',
  'float8e4m3fn',
  'float8e4m3fnuz',
  'float8e5m2',
  'float8e5m2fnuz',
  'float8e8m0',
  'float4e2m1',
  'int4',
  'uint4',
  'int2',
  'uint2',
]);

export interface Walked {
  readonly seen: readonly Seen[];
  readonly external: readonly ExternalFile[];
}

export function walkModel(model: OnnxModel): Walked {
  const { report, seen } = createReport();
  const tensors = createTensorWalk(report);
  const functionKeys = new Set(model.functions.map(functionKey));
  let nodes = 0;

  function checkNode(node: OnnxNode, scope: Scope, depth: number): void {
    const { domain = '', opType = '', overload } = node;
    checkFields('node', node, report);
    checkNames(
      node,
      [node.name, opType, domain, overload, ...node.inputs, ...node.outputs],
      report,
    );
    if (foreignCode.has(opType) || /^py(thon)?(op|[A-Z_]|$)/i.test(opType))
      report('SR-ONNX-003', `The graph has an operator ${named(opType)}.`);
    else if (!allowedDomains.has(domain) && !functionKeys.has(keyOf(domain, opType, overload)))
      report('SR-ONNX-002', `The operator ${named(opType)} is of the domain ${named(domain)}.`);
    if (loops.has(opType)) report('SR-ONNX-008', `The graph has a ${opType}.`);
    checkAttributes(node.attributes, scope, depth);
    scope.node(node);
  }

  function checkAttributes(list: readonly OnnxAttribute[], scope: Scope, depth: number): void {
    for (const attribute of list) {
      const { name, t, tensors: more, g, graphs, sparseTensor, sparseTensors } = attribute;
      checkFields('attribute', attribute, report);
      checkNames(attribute, [name], report);
      for (const tensor of t === undefined ? more : [t, ...more]) tensors.tensor(tensor);
      for (const sparse of sparseTensor === undefined
        ? sparseTensors
        : [sparseTensor, ...sparseTensors])
        tensors.sparse(sparse);
      for (const inner of g === undefined ? graphs : [g, ...graphs])
        checkGraph(inner, scope.inside(), depth + 1);
    }
  }

  function checkGraph(graph: OnnxGraph, scope: Scope, depth: number): void {
    if (depth > gateLimits.graphDepth) {
      report('SR-ONNX-006', `Graphs are nested more than ${gateLimits.graphDepth} deep.`);
      return;
    }
    checkFields('graph', graph, report);
    checkNames(graph, [graph.name], report);
    for (const tensor of graph.initializers) {
      checkNames(tensor, [tensor.name], report);
      tensors.tensor(tensor);
      scope.initializer(tensor);
    }
    graph.sparseInitializers.forEach(tensors.sparse);
    for (const value of [...graph.inputs, ...graph.outputs, ...graph.valueInfo])
      checkValue(value, report);
    nodes += graph.nodes.length;
    for (const node of graph.nodes) checkNode(node, scope, depth);
    checkUnique(graph, report);
    checkQuantization(graph, report);
  }

  function checkFunction(body: OnnxFunction): void {
    const { domain = '', name, inputs, outputs, attributes } = body;
    // The runtime prefers its own operator, so such a function only misleads whoever reads the graph.
    if (allowedDomains.has(domain))
      report('SR-ONNX-011', `The function ${named(name)} is in the domain ${named(domain)}.`);
    checkFields('function', body, report);
    checkNames(body, [name, domain, body.overload, ...inputs, ...outputs], report);
    const scope = createScope(report);
    checkAttributes(attributes, scope, 1);
    nodes += body.nodes.length;
    for (const node of body.nodes) checkNode(node, scope, 1);
    reportDoubles([...inputs, ...body.nodes.flatMap((node) => node.outputs)], 'value', report);
  }

  checkFields('model', model, report);
  checkNames(model, [model.producerName, model.producerVersion], report);
  for (const opset of model.opsetImports) {
    checkFields('opset', opset, report);
    checkNames(opset, [opset.domain], report);
  }
  if (model.graph !== undefined) checkGraph(model.graph, createScope(report), 1);
  if (model.functions.length > gateLimits.functions)
    report('SR-ONNX-007', `The model has ${model.functions.length} functions.`);
  model.functions.forEach(checkFunction);
  reportDoubles(model.functions.map(functionKey), 'function', report);
  for (const training of model.trainingInfo ?? []) {
    report('SR-ONNX-020', 'The model has graphs for training.');
    checkFields('training', training, report);
    for (const graph of [training.initialization, training.algorithm])
      if (graph !== undefined) checkGraph(graph, createScope(report), 1);
  }
  if (nodes > gateLimits.nodes) report('SR-ONNX-007', `The model has ${nodes} nodes.`);
  checkUnfolding(model, report);
  checkInterface(model, report);
  checkMetadata(model.metadata, report);
  return { external: tensors.externalFiles(), seen };
}

/** Texts that show as something else than they are; those that were passed over are too long to show at all. */
function checkNames(
  { elided }: { readonly elided?: Readonly<Record<string, number>> },
  names: readonly (string | undefined)[],
  report: Report,
): void {
  for (const name of names)
    if (name !== undefined && hidesText(name))
      report('SR-ONNX-014', `The name ${named(name)} has characters that cannot be seen.`);
  for (const field of ['name', 'opType', 'domain', 'overload', 'inputs', 'outputs', 'producerName'])
    if (elided?.[field] !== undefined)
      report('SR-ONNX-014', `A name in the model is ${elided[field]} bytes long.`);
}

function checkValue(value: OnnxValueInfo, report: Report): void {
  checkFields('value', value, report);
  checkNames(value, [value.name], report);
  if (value.type !== undefined) checkType(value.type, report);
}

function checkType(type: OnnxType, report: Report): void {
  checkFields('type', type, report);
  const { tensor, sequence, map, optional } = type;
  if ([tensor, sequence, map, optional].filter((kind) => kind !== undefined).length > 1)
    report('SR-ONNX-013', 'A value has two types at once.');
  for (const dim of tensor?.shape?.dims ?? []) {
    if (dim.value !== undefined && dim.name !== undefined)
      report('SR-ONNX-013', 'A size has both a number and a name.');
    if (dim.value !== undefined && dim.value < 0 && dim.value !== -1)
      report('SR-ONNX-005', 'An input or output has a negative size.');
    if (dim.name !== undefined && hidesText(dim.name))
      report('SR-ONNX-014', `The name ${named(dim.name)} has characters that cannot be seen.`);
  }
  for (const inner of [sequence?.elemType, map?.valueType, optional?.elemType])
    if (inner !== undefined) checkType(inner, report);
}

/** Every value of a graph is made once: by an input, an initializer or a node. */
function checkUnique(graph: OnnxGraph, report: Report): void {
  const initializers = graph.initializers.map(({ name }) => name ?? '');
  const constants = new Set(initializers);
  const inputs = graph.inputs.map(({ name }) => name ?? '');
  reportDoubles(initializers, 'initializer', report);
  reportDoubles(
    graph.outputs.map(({ name }) => name ?? ''),
    'output',
    report,
  );
  reportDoubles(
    [
      // Before IR version 4 initializers were listed as inputs too.
      ...inputs.filter((name) => !constants.has(name)),
      ...constants,
      ...graph.sparseInitializers.map(({ values }) => values?.name ?? ''),
      ...graph.nodes.flatMap(({ outputs }) => outputs),
    ],
    'value',
    report,
  );
  reportDoubles(inputs, 'input', report);
}

function reportDoubles(names: readonly string[], what: string, report: Report): void {
  const known = new Set<string>();
  for (const name of names) {
    if (name !== '' && known.has(name))
      report(
        'SR-ONNX-015',
        `Two of the kind ${what} are called ${named(name.replaceAll('\n', ' '))}.`,
      );
    known.add(name);
  }
}

function checkQuantization(graph: OnnxGraph, report: Report): void {
  if (graph.quantization === undefined || graph.quantization.length === 0) return;
  const values = new Set([
    ...graph.inputs.map(({ name }) => name),
    ...graph.initializers.map(({ name }) => name),
    ...graph.nodes.flatMap(({ outputs }) => outputs),
  ]);
  for (const annotation of graph.quantization) {
    checkFields('quantization', annotation, report);
    for (const name of [annotation.tensorName, ...annotation.parameters.map(({ value }) => value)])
      if (!values.has(name))
        report(
          'SR-ONNX-022',
          `Quantization is described for ${named(name)}, which the graph does not have.`,
        );
  }
}

function checkInterface(model: OnnxModel, report: Report): void {
  const { inputs, outputs } = modelSignature(model);
  const types = new Map(
    [...(model.graph?.inputs ?? []), ...(model.graph?.outputs ?? [])].map(({ name, type }) => [
      name ?? '',
      type,
    ]),
  );
  const nodes = model.graph?.nodes ?? [];
  const produced = new Map(
    nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)),
  );
  for (const { name, kind, type } of inputs) {
    // A map with known keys is a tensor for each of them.
    if (types.has(name) && !isUsable(types.get(name)))
      report('SR-ONNX-010', `The input ${named(name)} is of the kind ${kind}, of ${type}.`);
  }
  for (const { name, kind, type } of outputs) {
    if (produced.get(name)?.opType !== 'ZipMap' && !isUsable(types.get(name)))
      report('SR-ONNX-010', `The output ${named(name)} is of the kind ${kind}, of ${type}.`);
    else if (kind !== 'tensor' || heldAs(type) !== type)
      report('SR-ONNX-009', `The output ${named(name)} is of the kind ${kind}, of ${type}.`);
  }
  if (inputs.length === 0 || outputs.length === 0)
    report('SR-ONNX-010', 'The model has no inputs or no outputs.');
  if (inputs.length + outputs.length > gateLimits.columns)
    report('SR-ONNX-007', `The model has ${inputs.length + outputs.length} inputs and outputs.`);
}

/** Tensors, sequences of them, and optional ones of both. */
function isUsable(type: OnnxType | undefined): boolean {
  const present = type?.optional?.elemType ?? type;
  const tensor = (present?.sequence?.elemType ?? present)?.tensor;
  return usableTypes.has(tensorTypes[tensor?.elemType ?? 0] ?? '');
}

/** How programs and archives begin, as they are and in base64. */
// oxlint-disable-next-line no-control-regex -- the mark of a ZIP archive has them
const programs = /^(MZ|\u007fELF|PK\u0003\u0004|#!|TVqQ|TVpQ|f0VMRg|UEsDB|gASV)/;

function checkMetadata(metadata: readonly OnnxEntry[], report: Report): void {
  for (const entry of metadata) {
    checkFields('entry', entry, report);
    const { key, value = '', elided } = entry;
    if (hidesText(key ?? ''))
      report('SR-ONNX-014', `The name ${named(key)} has characters that cannot be seen.`);
    if (programs.test(value))
      report('SR-ONNX-021', `The entry ${named(key)} begins like a program or an archive.`);
    else if (elided !== undefined)
      report('SR-ONNX-021', `The entry ${named(key)} is longer than 64 KiB.`);
  }
}
