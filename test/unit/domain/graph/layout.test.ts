import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { layoutGraph } from '#domain/graph/layout.ts';

const height = 44;
const lay = (widths: readonly number[], edges: readonly (readonly [number, number])[]) =>
  layoutGraph({ widths, edges: edges.map(([from, to]) => ({ from, to })) }, height);

describe('the layout of a graph', () => {
  test('whatever the graph is: no two boxes touch, edges of acyclic graphs run down, lines end at their boxes', () => {
    const graphs = fc.integer({ min: 1, max: 40 }).chain((count) =>
      fc.record({
        widths: fc.array(fc.integer({ min: 20, max: 240 }), { minLength: count, maxLength: count }),
        edges: fc.array(
          fc.tuple(fc.integer({ min: 0, max: count - 1 }), fc.integer({ min: 0, max: count - 1 })),
          { maxLength: 80 },
        ),
        isAcyclic: fc.boolean(),
      }),
    );
    fc.assert(
      fc.property(graphs, ({ widths, edges: drawn, isAcyclic }) => {
        const edges = isAcyclic ? drawn.filter(([from, to]) => from < to) : drawn;
        const { x, y, points, width, height: whole } = lay(widths, edges);
        for (const [a, own] of widths.entries()) {
          const [left, right] = [(x[a] ?? 0) - own / 2, (x[a] ?? 0) + own / 2];
          expect(left).toBeGreaterThanOrEqual(-0.1);
          expect(right).toBeLessThanOrEqual(width + 0.1);
          expect((y[a] ?? 0) + height / 2).toBeLessThanOrEqual(whole);
          for (const [b, other] of widths.entries())
            if (a < b && y[a] === y[b])
              expect(Math.abs((x[a] ?? 0) - (x[b] ?? 0))).toBeGreaterThan((own + other) / 2);
        }
        for (const [at, [from, to]] of edges.entries()) {
          if (isAcyclic) expect(y[from]).toBeLessThan(y[to] ?? 0);
          const line = points[at] ?? [];
          expect([line[0], line.at(-2)]).toEqual([x[from], x[to]]);
          expect(Math.abs((line[1] ?? 0) - (y[from] ?? 0))).toBe(height / 2);
          expect(Math.abs((line.at(-1) ?? 0) - (y[to] ?? 0))).toBe(height / 2);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('a chain is a vertical line, and what feeds one node alone stands right above it', () => {
    const chain = Array.from({ length: 9 }, (_, at) => [at, at + 1] as const);
    const { x, y } = lay(
      Array.from({ length: 11 }, () => 80),
      [...chain, [10, 9]],
    );
    expect(new Set(Array.from(x.slice(0, 9))).size).toBe(1);
    expect(y[10]).toBe(y[8]);
  });

  test('an edge over many layers goes around the boxes between', () => {
    const chain = Array.from({ length: 6 }, (_, at) => [at, at + 1] as const);
    const { x, y, points } = lay(
      Array.from({ length: 7 }, () => 80),
      [...chain, [0, 6]],
    );
    const line = points.at(-1) ?? [];
    for (let at = 2; at + 3 < line.length; at += 2)
      for (let box = 1; box < 6; box += 1)
        if (line[at + 1] === y[box])
          expect(Math.abs((line[at] ?? 0) - (x[box] ?? 0))).toBeGreaterThan(40);
    expect(line.length).toBeGreaterThan(4);
  });

  test('twenty thousand nodes, each fed from far away too, and all from one, have their places', () => {
    const count = 20_000;
    const edges = Array.from({ length: count - 1 }, (_, at) => [
      [at, at + 1] as const,
      [0, at + 1] as const,
      [Math.max(0, at - 900), at + 1] as const,
    ]).flat();
    const { points, height: whole } = lay(
      Array.from({ length: count }, () => 80),
      edges,
    );
    expect(whole).toBe((count - 1) * 100 + height);
    expect(points.reduce((sum, line) => sum + line.length, 0)).toBeLessThan(20 * count);
  });
});
