/**
 * Sequences and optionals at the border, in the form that FORMAT.md states: a sequence `s` is its values one after another in `s`, the
 * number of dimensions of each of its tensors in `s:ranks`, and those dimensions one after another in `s:dims`. An optional `o` is
 * its element, and `o:present`. The graph packs and unpacks them itself, in a Loop.
 */
import { AppError } from '#shared/errors.ts';
import {
  isStandard,
  graph as makeGraph,
  heldAs,
  tensor,
  tensorTypes,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxType,
  type OnnxValueInfo,
} from '#domain/onnx/index.ts';

import {
  inner,
  mapNodes,
  opsetOf,
  renameValue,
  type Adapter,
  attributesOf,
  node,
  withOpset,
} from './graph-edit.ts';
import { raiseToOpset13 } from './opset-13.ts';

/** Of a sequence `s` and an optional `o`: names of the tensors that stand for what is not its values. */
export const packedParts = { ranks: ':ranks', dims: ':dims', present: ':present' } as const;

/** Loops that carry sequences came with this one. */
const leastOpset = 13;
const elementOf = (type: OnnxType | undefined): number => type?.tensor?.elemType ?? 0;
const int64 = tensorTypes.indexOf('int64');
const bool = tensorTypes.indexOf('bool');

export const packSequences: Adapter = (model, border) => {
  let { graph } = model;
  if (graph === undefined) return model;
  const isPacked = ({ type }: OnnxValueInfo): boolean =>
    type?.sequence !== undefined || type?.optional !== undefined;
  if (![...graph.inputs, ...graph.outputs].some(isPacked)) return model;
  const { model: raised, opset } = withLoopsAndBranches(model);
  graph = raised.graph ?? graph;
  const initializers: OnnxTensor[] = [...graph.initializers, ...constants];
  const before: OnnxNode[] = [];
  const after: OnnxNode[] = [];

  const inputs = graph.inputs.flatMap((input) => {
    const { name = '', type } = input;
    if (!isPacked(input)) return input;
    require(input, opset);
    graph = renameValue(graph as OnnxGraph, name, inner(name, 'packed'), false);
    const held = heldAs(tensorTypes[leafOf(type)] ?? '');
    border.optional.set(name, held);
    const made = unpacking(name, type, opset);
    before.push(...made.nodes);
    initializers.push(...made.initializers);
    if (type?.optional !== undefined && type.optional.elemType?.sequence !== undefined) {
      border.optional.set(name + packedParts.ranks, 'int64');
      border.optional.set(name + packedParts.dims, 'int64');
    }
    return partsOf(name, type);
  });
  const fed = new Set(graph.inputs.map(({ name = '' }) => name));
  const outputs = graph.outputs.flatMap((output) => {
    const { name = '', type } = output;
    if (!isPacked(output)) return output;
    require(output, opset);
    const source = inner(name, 'packed');
    if (fed.has(name))
      throw new AppError(
        'unsupported',
        `The output ${name} is an input that goes through untouched.`,
      );
    graph = renameValue(graph as OnnxGraph, name, source, true);
    const made = packing(name, source, type);
    after.push(...made.nodes);
    initializers.push(...made.initializers);
    return partsOf(name, type);
  });
  return {
    ...raised,
    graph: {
      ...graph,
      inputs,
      outputs,
      initializers,
      nodes: [...before, ...graph.nodes, ...after],
    },
  };
};

/** Loops can carry sequences from operator set 13 on. Optionals came with 15, branches that give one with 16; between them only RoiAlign has another default. */
function withLoopsAndBranches(model: OnnxModel): { model: OnnxModel; opset: number } {
  const opset = opsetOf(model.opsetImports);
  if (opset !== 15) {
    const at13 = raiseToOpset13(model);
    return { model: at13, opset: opsetOf(at13.opsetImports) };
  }
  const mode = { coordinate_transformation_mode: 'output_half_pixel' };
  const raised = mapNodes(model, (one) =>
    one.opType === 'RoiAlign' && isStandard(one)
      ? {
          ...one,
          attributes: [...one.attributes, ...attributesOf(mode)],
        }
      : one,
  );
  return { model: withOpset(raised, 16), opset: 16 };
}

function require({ name = '', type }: OnnxValueInfo, opset: number): void {
  const leaf = tensorTypes[leafOf(type)] ?? 'undefined';
  if (leaf === 'undefined' || leaf.startsWith('complex'))
    throw new AppError(
      'unsupported',
      `${name} is a sequence or an optional of what is no tensor of a type that can be handed over.`,
    );
  if (opset < leastOpset)
    throw new AppError(
      'unsupported',
      `${name} is a sequence in a model of operator set ${opset}; they can be handed over from operator set ${leastOpset} on.`,
    );
}

/** The element type at the bottom of a sequence, an optional, or an optional sequence; 0 for deeper ones. */
function leafOf(type: OnnxType | undefined): number {
  const element = type?.optional?.elemType ?? type;
  return elementOf(element?.sequence?.elemType ?? element);
}

function partsOf(name: string, type: OnnxType | undefined): OnnxValueInfo[] {
  const isSequence = (type?.optional?.elemType ?? type)?.sequence !== undefined;
  return [
    valueOf(name, leafOf(type), isSequence ? [undefined] : undefined),
    ...(isSequence
      ? [
          valueOf(name + packedParts.ranks, int64, [undefined]),
          valueOf(name + packedParts.dims, int64, [undefined]),
        ]
      : []),
    ...(type?.optional === undefined ? [] : [valueOf(name + packedParts.present, bool, [])]),
  ];
}

/** Without `dims` a tensor of any number of dimensions. */
function valueOf(
  name: string,
  elemType: number,
  dims: readonly (number | undefined)[] | undefined,
): OnnxValueInfo {
  return {
    name,
    type: {
      tensor: {
        elemType,
        ...(dims === undefined
          ? {}
          : { shape: { dims: dims.map((value) => (value === undefined ? {} : { value })) } }),
      },
    },
  };
}

const constant = {
  zero: inner('zero', 'constant'),
  one: inner('one', 'constant'),
  minusOne: inner('minus-one', 'constant'),
  none: inner('none', 'constant'),
} as const;
const constants: readonly OnnxTensor[] = [
  tensor(constant.zero, 'int64', { dims: [1], data: [0] }),
  tensor(constant.one, 'int64', { dims: [1], data: [1] }),
  tensor(constant.minusOne, 'int64', { dims: [1], data: [-1] }),
  tensor(constant.none, 'int64', { dims: [0], data: [] }),
];

interface Made {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
}

function emptyTensor(name: string, dataType: number): OnnxTensor {
  return { name, dims: [0], dataType, strings: [], externalData: [] };
}

function unpacking(name: string, type: OnnxType | undefined, opset: number): Made {
  const target = inner(name, 'packed');
  const element = type?.optional?.elemType;
  if (element === undefined)
    return { nodes: sequenceFrom(name, target, leafOf(type), opset), initializers: [] };
  const value = element.sequence === undefined ? name : inner(name, 'sequence');
  const branch = (label: string, nodes: readonly OnnxNode[]): OnnxGraph =>
    makeGraph(label, {
      nodes,
      inputs: [],
      outputs: [{ name: inner(name, label), type: type ?? {} }],
    });
  const choice = node(
    'If',
    { inputs: [name + packedParts.present], outputs: [target] },
    {
      then_branch: branch('there', [
        node('Optional', { inputs: [value], outputs: [inner(name, 'there')] }),
      ]),
      else_branch: branch('missing', [
        node('Optional', { inputs: [], outputs: [inner(name, 'missing')] }, { type: element }),
      ]),
    },
  );
  return {
    nodes: [...(value === name ? [] : sequenceFrom(name, value, leafOf(type), opset)), choice],
    initializers: [],
  };
}

/** A Loop over the ranks, which cuts the dimensions and the values of each tensor off the rows of all of them. */
function sequenceFrom(name: string, target: string, element: number, opset: number): OnnxNode[] {
  const at = (what: string): string => inner(name, what);
  const scalars = (what: string): OnnxValueInfo => valueOf(at(what), int64, [1]);
  const list: OnnxType = { sequence: { elemType: { tensor: { elemType: element } } } };
  const body = makeGraph(at('unpack'), {
    inputs: [
      valueOf(at('turn'), int64, []),
      valueOf(at('go'), bool, []),
      scalars('dim-from'),
      scalars('value-from'),
      { name: at('list'), type: list },
    ],
    outputs: [
      valueOf(at('go-on'), bool, []),
      scalars('dim-to'),
      scalars('value-to'),
      { name: at('longer'), type: list },
    ],
    nodes: [
      node('Identity', { inputs: [at('go')], outputs: [at('go-on')] }),
      node('Reshape', { inputs: [at('turn'), constant.one], outputs: [at('turn-1')] }),
      node('Gather', { inputs: [name + packedParts.ranks, at('turn-1')], outputs: [at('rank')] }),
      node('Add', { inputs: [at('dim-from'), at('rank')], outputs: [at('dim-to')] }),
      node('Slice', {
        inputs: [name + packedParts.dims, at('dim-from'), at('dim-to')],
        outputs: [at('shape')],
      }),
      // The product of no dimensions is one.
      node('Concat', { inputs: [constant.one, at('shape')], outputs: [at('sizes')] }, { axis: 0n }),
      node('ReduceProd', { inputs: [at('sizes')], outputs: [at('size')] }, { keepdims: 1n }),
      node('Add', { inputs: [at('value-from'), at('size')], outputs: [at('value-to')] }),
      node('Slice', { inputs: [name, at('value-from'), at('value-to')], outputs: [at('values')] }),
      node(
        'Reshape',
        { inputs: [at('values'), at('shape')], outputs: [at('tensor')] },
        opset < 14 ? {} : { allowzero: 1n },
      ),
      node('SequenceInsert', { inputs: [at('list'), at('tensor')], outputs: [at('longer')] }),
    ],
  });
  return [
    node('SequenceEmpty', { inputs: [], outputs: [at('start')] }, { dtype: BigInt(element) }),
    node('Size', { inputs: [name + packedParts.ranks], outputs: [at('count')] }),
    node(
      'Loop',
      {
        inputs: [at('count'), '', constant.zero, constant.zero, at('start')],
        outputs: [at('dim-end'), at('value-end'), target],
      },
      { body },
    ),
  ];
}

function packing(name: string, source: string, type: OnnxType | undefined): Made {
  const optional = type?.optional?.elemType;
  const element = leafOf(type);
  const isSequence = (optional ?? type)?.sequence !== undefined;
  const empty = emptyTensor(inner(name, 'empty'), element);
  if (optional === undefined)
    return { nodes: sequenceInto(name, source, empty), initializers: [empty] };
  // A branch gives what is there, the other one nothing of the same type.
  const value = isSequence ? inner(name, 'sequence') : name;
  const out = (label: string): OnnxValueInfo => ({
    name: inner(name, label),
    type: isSequence ? optional : { tensor: { elemType: element } },
  });
  const none = isSequence
    ? node(
        'SequenceEmpty',
        { inputs: [], outputs: [inner(name, 'nothing')] },
        { dtype: BigInt(element) },
      )
    : node('Identity', { inputs: [empty.name ?? ''], outputs: [inner(name, 'nothing')] });
  return {
    initializers: [empty],
    nodes: [
      node('OptionalHasElement', { inputs: [source], outputs: [name + packedParts.present] }),
      node(
        'If',
        { inputs: [name + packedParts.present], outputs: [value] },
        {
          then_branch: makeGraph('then', {
            inputs: [],
            outputs: [out('something')],
            nodes: [
              node('OptionalGetElement', { inputs: [source], outputs: [inner(name, 'something')] }),
            ],
          }),
          else_branch: makeGraph('else', { inputs: [], outputs: [out('nothing')], nodes: [none] }),
        },
      ),
      ...(isSequence ? sequenceInto(name, value, empty) : []),
    ],
  };
}

/** A Loop over the sequence, which appends values, rank and dimensions of each tensor. */
function sequenceInto(name: string, source: string, empty: OnnxTensor): OnnxNode[] {
  const at = (what: string): string => inner(name, `out-${what}`);
  const row = (what: string, element: number): OnnxValueInfo =>
    valueOf(at(what), element, [undefined]);
  const element = empty.dataType ?? 0;
  const append = (what: string, more: string): OnnxNode =>
    node('Concat', { inputs: [at(what), more], outputs: [at(`${what}-more`)] }, { axis: 0n });
  const body = makeGraph(at('pack'), {
    inputs: [
      valueOf(at('turn'), int64, []),
      valueOf(at('go'), bool, []),
      row('values', element),
      row('ranks', int64),
      row('dims', int64),
    ],
    outputs: [
      valueOf(at('go-on'), bool, []),
      row('values-more', element),
      row('ranks-more', int64),
      row('dims-more', int64),
    ],
    nodes: [
      node('Identity', { inputs: [at('go')], outputs: [at('go-on')] }),
      node('SequenceAt', { inputs: [source, at('turn')], outputs: [at('tensor')] }),
      node('Shape', { inputs: [at('tensor')], outputs: [at('shape')] }),
      node('Shape', { inputs: [at('shape')], outputs: [at('rank')] }),
      node('Reshape', { inputs: [at('tensor'), constant.minusOne], outputs: [at('flat')] }),
      append('values', at('flat')),
      append('ranks', at('rank')),
      append('dims', at('shape')),
    ],
  });
  return [
    node('SequenceLength', { inputs: [source], outputs: [at('count')] }),
    node(
      'Loop',
      {
        inputs: [at('count'), '', empty.name ?? '', constant.none, constant.none],
        outputs: [name, name + packedParts.ranks, name + packedParts.dims],
      },
      { body },
    ),
  ];
}
