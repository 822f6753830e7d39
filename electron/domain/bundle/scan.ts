/**
 * The walk over an ONNX graph before anything loads it: main graph, subgraphs, functions, sparse and attribute tensors.
 * It proves nothing about what a graph computes (that is what the isolated process is for); it refuses what has no place in
 * a bundle at all: foreign code, data from outside, sizes that lie, graphs that unfold without end.
 */
import type { Finding } from '#shared/contract/bundles.ts';
import {
  modelSignature,
  tensorBytes,
  type OnnxAttribute,
  type OnnxFunction,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxSparseTensor,
  type OnnxTensor,
} from '#domain/onnx/index.ts';
import { gateLimits } from './limits.ts';
import { findingOf, type RuleId } from './rules.ts';

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
]);
/** Findings of one rule beyond this many say nothing new. */
const perRule = 20;

export interface ScanInput {
  readonly path: string;
  readonly model: OnnxModel;
  /** Sizes of all files of the bundle, for external data. */
  readonly sizeByPath: ReadonlyMap<string, number>;
}

export function scanModel({ path, model, sizeByPath }: ScanInput): Finding[] {
  const findings: Finding[] = [];
  const counts = new Map<RuleId, number>();
  const report = (ruleId: RuleId, message: string): void => {
    const count = (counts.get(ruleId) ?? 0) + 1;
    counts.set(ruleId, count);
    if (count <= perRule) findings.push(findingOf(ruleId, path, message));
  };
  const folder = path.includes('/') ? path.slice(0, path.lastIndexOf('/') + 1) : '';
  const functionKeys = new Set(model.functions.map(functionKey));
  let nodes = 0;

  function checkNodes(list: readonly OnnxNode[], depth: number): void {
    nodes += list.length;
    for (const node of list) {
      const domain = node.domain ?? '';
      const opType = node.opType ?? '';
      if (foreignCode.has(opType))
        report('SR-ONNX-003', `The graph has an operator ${named(opType)}.`);
      else if (!allowedDomains.has(domain) && !functionKeys.has(`${domain}\n${opType}`))
        report('SR-ONNX-002', `The operator ${named(opType)} is of the domain ${named(domain)}.`);
      if (loops.has(opType)) report('SR-ONNX-008', `The graph has a ${opType}.`);
      checkAttributes(node.attributes, depth);
    }
  }

  function checkAttributes(list: readonly OnnxAttribute[], depth: number): void {
    for (const { t, tensors, g, graphs, sparseTensor, sparseTensors } of list) {
      [...(t === undefined ? [] : [t]), ...tensors].forEach(checkTensor);
      [...(sparseTensor === undefined ? [] : [sparseTensor]), ...sparseTensors].forEach(
        checkSparse,
      );
      for (const inner of [...(g === undefined ? [] : [g]), ...graphs])
        checkGraph(inner, depth + 1);
    }
  }

  function checkGraph(graph: OnnxGraph, depth: number): void {
    if (depth > gateLimits.graphDepth) {
      report('SR-ONNX-006', `Graphs are nested more than ${gateLimits.graphDepth} deep.`);
      return;
    }
    graph.initializers.forEach(checkTensor);
    graph.sparseInitializers.forEach(checkSparse);
    checkNodes(graph.nodes, depth);
  }

  function checkSparse({ values, indices }: OnnxSparseTensor): void {
    for (const part of [values, indices]) if (part !== undefined) checkTensor(part);
  }

  function checkTensor(tensor: OnnxTensor): void {
    if (tensor.dims.some((dim) => dim < 0)) {
      report('SR-ONNX-005', 'A tensor has a negative size.');
      return;
    }
    const expected = tensorBytes(tensor);
    if (tensor.dataLocation === 1 || tensor.externalData.length > 0)
      checkExternal(tensor, expected);
    else if (tensor.rawData !== undefined && expected !== undefined) {
      const actual = tensor.elided?.['rawData'] ?? tensor.rawData.length;
      if (actual !== expected)
        report('SR-ONNX-005', `A tensor of ${expected} bytes comes with ${actual}.`);
    }
  }

  function checkExternal({ externalData }: OnnxTensor, expected: number | undefined): void {
    const entry = (key: string): string | undefined =>
      externalData.find((item) => item.key === key)?.value;
    const location = entry('location');
    const plain =
      location !== undefined &&
      location !== '' &&
      !/^[/\\]|\\|^[A-Za-z]:|\0/.test(location) &&
      !location.split('/').some((part) => part === '..' || part === '.' || part === '');
    const size = plain ? sizeByPath.get(folder + location) : undefined;
    if (size === undefined) {
      report('SR-ONNX-004', 'Weights are to be read from a file that is not in the bundle.');
      return;
    }
    const offset = Number(entry('offset') ?? 0);
    const length = Number(entry('length') ?? size - offset);
    if (
      !Number.isSafeInteger(offset) ||
      !Number.isSafeInteger(length) ||
      offset < 0 ||
      length < 0 ||
      offset + length > size
    ) {
      report('SR-ONNX-005', 'Weights are to be read from beyond the end of their file.');
    } else if (expected !== undefined && length !== expected) {
      report('SR-ONNX-005', `A tensor of ${expected} bytes comes with ${length} in its file.`);
    }
  }

  if (model.graph !== undefined) checkGraph(model.graph, 1);
  if (model.functions.length > gateLimits.functions)
    report('SR-ONNX-007', `The model has ${model.functions.length} functions.`);
  for (const { domain, name, nodes: body, attributes } of model.functions) {
    // The runtime prefers its own operator, so such a function only misleads whoever reads the graph.
    if (allowedDomains.has(domain ?? ''))
      report(
        'SR-ONNX-011',
        `The function ${named(name ?? '')} is in the domain ${named(domain ?? '')}.`,
      );
    checkNodes(body, 1);
    checkAttributes(attributes, 1);
  }
  if (nodes > gateLimits.nodes) report('SR-ONNX-007', `The model has ${nodes} nodes.`);
  checkUnfolding(model, report);
  checkInterface(model, report);
  return findings;
}

/** Functions are expanded at load: neither endlessly, nor to more nodes than the bound. */
function checkUnfolding(model: OnnxModel, report: (ruleId: RuleId, message: string) => void): void {
  const byKey = new Map(model.functions.map((body) => [functionKey(body), body]));
  const sizes = new Map<string, number>();
  const visiting = new Set<string>();
  let tooDeep = false;
  const unfolded = (nodes: readonly OnnxNode[]): number =>
    nodes.reduce((sum, node) => sum + sizeOf(`${node.domain ?? ''}\n${node.opType ?? ''}`), 0);
  const sizeOf = (key: string): number => {
    const known = sizes.get(key);
    const body = byKey.get(key);
    if (known !== undefined || body === undefined) return known ?? 1;
    if (visiting.has(key) || visiting.size > gateLimits.functionDepth) {
      tooDeep = true;
      return 1;
    }
    visiting.add(key);
    const size = unfolded(allNodes(body.nodes));
    visiting.delete(key);
    sizes.set(key, size);
    return size;
  };
  const total = unfolded(allNodes(model.graph?.nodes ?? []));
  if (tooDeep)
    report(
      'SR-ONNX-006',
      `Functions call themselves, or each other more than ${gateLimits.functionDepth} deep.`,
    );
  else if (total > gateLimits.nodes)
    report('SR-ONNX-007', `The graph unfolds to more than ${gateLimits.nodes} nodes.`);
}

/** Nodes of a graph and of the graphs in it, to the depth that the walk has accepted. */
function allNodes(nodes: readonly OnnxNode[], depth = 1): OnnxNode[] {
  if (depth > gateLimits.graphDepth) return [];
  return nodes.flatMap((node) => [
    node,
    ...node.attributes.flatMap(({ g, graphs }) =>
      [...(g === undefined ? [] : [g]), ...graphs].flatMap((graph) =>
        allNodes(graph.nodes, depth + 1),
      ),
    ),
  ]);
}

function checkInterface(model: OnnxModel, report: (ruleId: RuleId, message: string) => void): void {
  const { inputs, outputs } = modelSignature(model);
  for (const { name, kind, type } of inputs) {
    if (kind !== 'tensor' || !usableTypes.has(type))
      report('SR-ONNX-010', `The input ${named(name)} is a ${kind} of ${type}.`);
  }
  const produced = new Map(
    (model.graph?.nodes ?? []).flatMap((node) =>
      node.outputs.map((output) => [output, node] as const),
    ),
  );
  for (const { name, kind, type } of outputs) {
    const isZipMap = produced.get(name)?.opType === 'ZipMap';
    if (kind === 'tensor' ? type === 'bfloat16' || type === 'float16' : isZipMap)
      report('SR-ONNX-009', `The output ${named(name)} is a ${kind} of ${type}.`);
    else if (kind !== 'tensor' || !usableTypes.has(type))
      report('SR-ONNX-010', `The output ${named(name)} is a ${kind} of ${type}.`);
  }
  if (inputs.length === 0 || outputs.length === 0)
    report('SR-ONNX-010', 'The model has no inputs or no outputs.');
}

function functionKey({ domain, name }: OnnxFunction): string {
  return `${domain ?? ''}\n${name ?? ''}`;
}

/** Names come from the file: shown short and without control characters. */
function named(text: string): string {
  return text.replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '?').slice(0, 80) || '(empty)';
}
