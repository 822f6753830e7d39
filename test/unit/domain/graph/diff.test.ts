import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { alignSequences } from '#domain/graph/align.ts';
import { diffOutlines } from '#domain/graph/index.ts';
import { outlineOf } from '#domain/graph/outline.ts';
import { parseModel, writeModel, type OnnxModel, type OnnxNode } from '#domain/onnx/index.ts';
import {
  branchingModel,
  chainModel,
  meshModel,
  residualModel,
} from '../../../support/graph-models.ts';

function diff(from: OnnxModel, to: OnnxModel) {
  const [graph, weights] = diffOutlines(outlineOf(from, 'compare'), outlineOf(to, 'compare'));
  if (graph === undefined || weights === undefined) throw new Error('There are both areas.');
  return { graph, weights };
}
/** A copy that can be changed. */
const copy = (made: OnnxModel): OnnxModel => parseModel(writeModel(made));
const nodesOf = (made: OnnxModel): OnnxNode[] => made.graph?.nodes ?? [];

describe('the alignment of two sequences', () => {
  test('is a longest common one', () => {
    const letters = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 25 });
    fc.assert(
      fc.property(letters, letters, (from, to) => {
        const longest = Array.from({ length: from.length + 1 }, () =>
          Array.from({ length: to.length + 1 }, () => 0),
        );
        for (let a = from.length - 1; a >= 0; a -= 1)
          for (let b = to.length - 1; b >= 0; b -= 1) {
            const row = longest[a] ?? [];
            const below = longest[a + 1] ?? [];
            row[b] =
              from[a] === to[b]
                ? (below[b + 1] ?? 0) + 1
                : Math.max(below[b] ?? 0, row[b + 1] ?? 0);
          }
        const pairs = alignSequences(from, to);
        expect(pairs.length).toBe(longest[0]?.[0]);
        for (const [at, [a, b]] of pairs.entries()) {
          expect(from[a]).toBe(to[b]);
          const [lastA, lastB] = pairs[at - 1] ?? [-1, -1];
          expect(a > lastA && b > lastB).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('ends, when nothing is alike, and when everything stands the other way round', () => {
    const many = Array.from({ length: 20_000 }, (_, at) => `n${at}`);
    expect(
      alignSequences(
        many,
        many.map((name) => `other ${name}`),
      ),
    ).toEqual([]);
    expect(alignSequences(many, many.toReversed()).length).toBe(many.length);
  });
});

describe('the graphs and weights of two versions', () => {
  test('that are the same have no difference', () => {
    for (const make of [residualModel, branchingModel])
      expect(diff(make(), make())).toMatchObject({
        graph: { changes: [] },
        weights: { changes: [] },
      });
  });

  test('trained anew: weights differ by their digests, and the graph does not', () => {
    const { graph, weights } = diff(residualModel({ fill: 0.01 }), residualModel({ fill: 0.02 }));
    expect(graph).toMatchObject({ same: 27, changes: [] });
    expect(weights.changes.map(({ what }) => what)).toEqual([
      'stem.weight',
      ...[0, 1, 2, 3].flatMap((at) => [`block${at}.conv1.weight`, `block${at}.conv2.weight`]),
      'head.weight',
    ]);
    expect(weights.changes[0]?.from).toMatch(/^float 8×3×7×7, sha256:[0-9a-f]{8}…$/);
    expect(weights.same).toBe(10);
  });

  test('with a block more: only that block is new', () => {
    const { graph, weights } = diff(residualModel(), residualModel({ blocks: 5 }));
    expect(graph.changes.map(({ what, kind }) => [kind, what])).toEqual([
      // It follows the new block.
      ['changed', 'GlobalAveragePool:pooled'],
      ['added', 'Conv:block4.conv1'],
      ['added', 'Relu:block4.relu1'],
      ['added', 'Conv:block4.conv2'],
      ['added', 'Add:block4.sum'],
      ['added', 'Relu:block5'],
    ]);
    expect(graph.same).toBe(26);
    expect(weights.changes.map(({ kind }) => kind)).toEqual(['added', 'added', 'added', 'added']);
  });

  test('with other names for everything are the same graph, and weights are known by their values', () => {
    const renamed = copy(residualModel());
    const to = (name: string): string => (name === '' ? '' : `renamed/${name}`);
    for (const [at, node] of nodesOf(renamed).entries()) {
      node.name = `node_${at}`;
      node.inputs = node.inputs.map(to);
      node.outputs = node.outputs.map(to);
    }
    for (const value of [
      ...(renamed.graph?.inputs ?? []),
      ...(renamed.graph?.outputs ?? []),
      ...(renamed.graph?.initializers ?? []),
    ])
      value.name = to(value.name ?? '');
    const { graph, weights } = diff(residualModel(), renamed);
    expect(graph).toMatchObject({ same: 27, changes: [] });
    expect(weights.changes.length).toBe(20);
    expect(weights.changes.every(({ to: after }) => after?.endsWith(', the same values'))).toBe(
      true,
    );
  });

  test('an attribute, an operator and a wire that changed are told', () => {
    const changed = copy(residualModel());
    const nodes = nodesOf(changed);
    const named = (name: string): OnnxNode => {
      const found = nodes.find((node) => node.name === name);
      if (found === undefined) throw new Error(`There is no ${name}.`);
      return found;
    };
    const [, pads] = named('Conv:stem').attributes;
    if (pads !== undefined) pads.ints = [2n, 2n, 2n, 2n];
    named('Relu:stem.relu').opType = 'Gelu';
    named('Add:block2.sum').inputs[1] = 'block1';
    expect(diff(residualModel(), changed).graph.changes).toEqual([
      { what: 'Conv:stem', kind: 'changed', from: 'pads 3, 3, 3, 3', to: 'pads 2, 2, 2, 2' },
      { what: 'Relu:stem.relu', kind: 'changed', from: 'Relu', to: 'Gelu' },
      { what: 'Add:block2.sum', kind: 'changed', from: 'input 2: block2', to: 'input 2: block1' },
    ]);
  });

  test('what changed inside of a branch and of a function stands with its place', () => {
    const changed = copy(branchingModel());
    const [, , choice] = nodesOf(changed);
    const [negate] = choice?.attributes[1]?.g?.nodes ?? [];
    if (negate !== undefined) negate.opType = 'Abs';
    const [constant] = changed.functions[0]?.nodes ?? [];
    const [two] = constant?.attributes ?? [];
    if (two !== undefined) two.f = 3;
    expect(diff(branchingModel(), changed).graph.changes).toEqual([
      {
        what: 'example.org.Scaled: Constant:two',
        kind: 'changed',
        from: 'value_float 2',
        to: 'value_float 3',
      },
      { what: 'If:y.else_branch: Neg:negative', kind: 'changed', from: 'Neg', to: 'Abs' },
    ]);
  });

  test('large ones, and ones that have nothing in common, end', () => {
    const { graph } = diff(meshModel(20_000), chainModel(20_000));
    expect(graph.same).toBe(0);
    expect(graph.changes.length).toBeGreaterThan(20_000);
  });
});
