import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nodeHeight, type GraphEdge, type GraphNode } from '#shared/contract/graph.ts';
import { createScene, type Box } from '../../../renderer/features/models/graph/scene.ts';
import { findNodes, shapeWords, typeWords } from '../../../renderer/features/models/graph/words.ts';

function nodeAt(id: number, place: { x: number; y: number; width: number }): GraphNode {
  return {
    ...place,
    id,
    kind: 'operator',
    name: `n${id}`,
    op: 'Relu',
    domain: '',
    note: '',
    inputs: [],
    outputs: [],
    attributes: [],
    opens: [],
  };
}

const coordinate = fc.integer({ min: 0, max: 40_000 });
const boxes: fc.Arbitrary<Box> = fc
  .tuple(coordinate, coordinate, coordinate, coordinate)
  .map(([a, b, c, d]) => ({
    left: Math.min(a, b),
    right: Math.max(a, b),
    top: Math.min(c, d),
    bottom: Math.max(c, d),
  }));
const graphs = fc.record({
  places: fc.array(
    fc.record({
      x: coordinate,
      row: fc.integer({ min: 0, max: 300 }),
      width: fc.integer({ min: 1, max: 240 }),
    }),
    { minLength: 1, maxLength: 60 },
  ),
  lines: fc.array(fc.array(coordinate, { minLength: 4, maxLength: 8 }), { maxLength: 60 }),
});

describe('a scene', () => {
  test('finds what a look at everything finds', () => {
    fc.assert(
      fc.property(graphs, boxes, ({ places, lines }, box) => {
        const nodes = places
          .map(({ x, row, width }) => ({ x, y: row * 100, width }))
          .toSorted((a, b) => a.y - b.y || a.x - b.x)
          .map((place, id) => nodeAt(id, place));
        const edges = lines.map((line): GraphEdge => {
          const points = line.slice(0, line.length - (line.length % 2));
          return { from: 0, to: 0, output: 0, points };
        });
        const scene = createScene(nodes, edges);
        const touches = (xs: readonly number[], ys: readonly number[]): boolean =>
          Math.min(...xs) <= box.right &&
          Math.max(...xs) >= box.left &&
          Math.min(...ys) <= box.bottom &&
          Math.max(...ys) >= box.top;
        const seen = scene.nodesIn(box);
        for (const node of nodes) {
          const { x, y, width } = node;
          if (touches([x - width / 2, x + width / 2], [y - nodeHeight / 2, y + nodeHeight / 2]))
            expect(seen).toContain(node);
        }
        expect(new Set(seen).size).toBe(seen.length);
        const wanted = edges.filter(({ points }) =>
          touches(
            points.filter((_, at) => at % 2 === 0),
            points.filter((_, at) => at % 2 === 1),
          ),
        );
        const found = scene.edgesIn(box);
        expect(new Set(found)).toEqual(new Set(wanted));
        expect(found.length).toBe(wanted.length);
      }),
      { numRuns: 300 },
    );
  });

  test('knows the box under a point, and the ones beside it', () => {
    const scene = createScene(
      [
        nodeAt(0, { x: 50, y: 22, width: 80 }),
        nodeAt(1, { x: 150, y: 22, width: 80 }),
        nodeAt(2, { x: 50, y: 122, width: 80 }),
      ],
      [],
    );
    expect(scene.nodeAt(89, 43)?.id).toBe(0);
    expect(scene.nodeAt(100, 22)).toBeUndefined();
    expect(scene.nodeAt(50, 101)?.id).toBe(2);
    const [first, second] = scene.nodes;
    if (first === undefined || second === undefined) throw new Error('There are two.');
    expect(scene.beside(first, 'right')).toBe(second);
    expect(scene.beside(first, 'left')).toBeUndefined();
    expect(scene.beside(second, 'left')).toBe(first);
  });
});

test('a search takes every word, wherever it stands', () => {
  const nodes = [
    { ...nodeAt(0, { x: 0, y: 0, width: 1 }), op: 'Conv', name: 'stem' },
    {
      ...nodeAt(1, { x: 0, y: 0, width: 1 }),
      op: 'Conv',
      inputs: [{ name: 'head.weight', constant: null }],
    },
  ];
  expect(findNodes(nodes, 'CONV').map(({ id }) => id)).toEqual([0, 1]);
  expect(findNodes(nodes, ' conv  HEAD ').map(({ id }) => id)).toEqual([1]);
  expect(findNodes(nodes, 'gemm')).toEqual([]);
  expect(findNodes(nodes, '  ')).toEqual([]);
});

test('what is not known is said to be so', () => {
  expect(shapeWords({ type: 'float', shape: ['N', null, 3] })).toBe('N×?×3');
  expect(shapeWords({ type: 'float', shape: [] })).toBe('scalar');
  expect(shapeWords({ type: '', shape: null })).toBe('?');
  expect(typeWords({ name: 'v', type: '', shape: null, from: 'unknown' })).toBe('not known');
  expect(typeWords({ name: 'v', type: 'float', shape: null, from: 'inferred' })).toBe(
    'float, shape not known',
  );
});
