/** A hostile model: how it is made, and what becomes of it on its way from the gate through first contact to a child of its own. */
import {
  graph,
  model,
  node,
  tensor,
  tensorTypes,
  valueInfo,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
} from '#domain/onnx/index.ts';

/**
 * `gate`: refused before anything runs it. `load`: the runtime does not accept it. `row`: it loads, and refuses the blank row.
 * `crash`: it ends the process, or traps. `limit`: it runs into a limit of time or memory. `runs`: harmless after all.
 */
export type Verdict = 'gate' | 'load' | 'row' | 'crash' | 'limit' | 'runs';

export interface ModelCase {
  readonly name: string;
  readonly expected: Verdict;
  make(): OnnxModel | Uint8Array;
}

/** A case in one line. */
export type Row = readonly [name: string, expected: Verdict, make: () => OnnxModel];

export function hostile(
  name: string,
  expected: Verdict,
  make: () => OnnxModel | Uint8Array,
): ModelCase {
  return { name, expected, make };
}

export type Attributes = Parameters<typeof node>[2];

export const floats = (name: string, dims: readonly number[], data?: readonly number[]) =>
  tensor(name, 'float', { dims, data: data ?? filled(dims, 0.5) });
export const ints = (name: string, data: readonly (number | bigint)[], dims = [data.length]) =>
  tensor(name, 'int64', { dims, data });
export const scalar = (name: string, value: number | bigint) =>
  tensor(name, 'int64', { dims: [], data: [value] });
const filled = (dims: readonly number[], value: number): number[] =>
  Array.from({ length: dims.reduce((product, size) => product * size, 1) }, () => value);

export const greatest = 2n ** 63n - 1n;
export const least = -(2n ** 63n);

interface Shape {
  readonly domain?: string;
  readonly opset?: number;
  /** Of the input `x`. */
  readonly x?: readonly [Parameters<typeof valueInfo>[1], readonly (number | null)[]];
  readonly y?: string;
  readonly outputs?: readonly string[];
}

/** A value of which only the element type is said. */
const typed = (name: string, type: string) => ({
  name,
  type: { tensor: { elemType: tensorTypes.indexOf(type) } },
});

/** A model of these nodes, from `x`, float [1] unless said, to `y`. */
export function graphOf(
  nodes: readonly OnnxNode[],
  initializers: readonly OnnxTensor[] = [],
  { opset = 17, x = ['float', [1]], y = 'float' }: Shape = {},
): OnnxModel {
  return model(
    graph('g', {
      nodes,
      inputs: [valueInfo('x', ...x)],
      outputs: [typed('y', y)],
      initializers,
    }),
    { opsets: { '': opset, 'ai.onnx.ml': 3, 'com.microsoft': 1 }, irVersion: 10 },
  );
}

/** One operator on `x`; names of inputs, or constants. */
export function one(
  opType: string,
  inputs: readonly (string | OnnxTensor)[],
  attributes: Attributes = {},
  shape: Shape = {},
): OnnxModel {
  return graphOf(
    [
      node(
        opType,
        {
          inputs: inputs.map((input) => (typeof input === 'string' ? input : (input.name ?? ''))),
          outputs: shape.outputs ?? ['y'],
          ...(shape.domain === undefined ? {} : { domain: shape.domain }),
        },
        attributes,
      ),
    ],
    inputs.filter((input) => typeof input !== 'string'),
    shape,
  );
}

/** Body of a Loop over one value `v` of any shape. */
export function loopBody(
  step: readonly OnnxNode[],
  { initializers = [], scan = false }: { initializers?: OnnxTensor[]; scan?: boolean } = {},
): OnnxGraph {
  return graph('body', {
    nodes: [node('Identity', { inputs: ['go'], outputs: ['go_out'] }), ...step],
    inputs: [valueInfo('i', 'int64', []), valueInfo('go', 'bool', []), typed('v', 'float')],
    outputs: [
      valueInfo('go_out', 'bool', []),
      typed('v_out', 'float'),
      ...(scan ? [typed('kept', 'float')] : []),
    ],
    initializers,
  });
}

/** `trips` times the body, from `x` to `y`. */
export function loop(
  trips: bigint,
  body: OnnxGraph,
  outputs: readonly string[] = ['y'],
): OnnxModel {
  return graphOf(
    [node('Loop', { inputs: ['trips', 'start', 'x'], outputs }, { body })],
    [scalar('trips', trips), tensor('start', 'bool', { dims: [], data: [1] })],
  );
}
