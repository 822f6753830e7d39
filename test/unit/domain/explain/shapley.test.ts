import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  attributionOf,
  exactCost,
  exactSamples,
  findAdditivePart,
  rankReasons,
  sampleShapley,
} from '#domain/explain/index.ts';
import type { Tree, TreePart } from '../../../../electron/domain/explain/trees.ts';
import { endlessModel } from '../../../support/onnx-models.ts';
import { threeWeights, twoTrees } from '../../../support/record-models.ts';
import { gameOf, shapleyByDefinition, type Model } from '../../../support/games.ts';

const number = fc.integer({ min: -4, max: 4 });
const rowOf = (players: number) => fc.array(number, { minLength: players, maxLength: players });
/** A record, a background and coefficients of a model with products of neighbours. */
const problem = fc.integer({ min: 1, max: 6 }).chain((players) =>
  fc.record({
    record: rowOf(players),
    background: fc.array(rowOf(players), { minLength: 1, maxLength: 5 }),
    weights: rowOf(players),
    products: rowOf(players),
  }),
);
const modelOf =
  (weights: readonly number[], products: readonly number[]): Model =>
  (row) => {
    let sum = 1;
    for (const [at, weight] of weights.entries())
      sum +=
        weight * (row[at] ?? 0) +
        (products[at] ?? 0) * (row[at] ?? 0) * (row[(at + 1) % weights.length] ?? 0);
    return sum;
  };
const total = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, value) => sum + value, 0);

describe('Shapley values by sampled orders', () => {
  test('agree with the definition within their own error, on a model with an interaction of three', async () => {
    const model: Model = (row) =>
      Math.tanh((row[0] ?? 0) * (row[1] ?? 0) - (row[2] ?? 0)) +
      ((row[3] ?? 0) > 0 && (row[4] ?? 0) > 1 && (row[5] ?? 0) < 0 ? 2 : 0) +
      0.3 * (row[6] ?? 0);
    const record = [1, 2, 0.5, 1, 2, -1, 3, 9];
    const background = Array.from({ length: 20 }, (_, row) =>
      record.map((__, at) => ((row * 7 + at * 3) % 5) - 2),
    );
    const exact = shapleyByDefinition(model, record, background);
    const sampled = await sampleShapley(gameOf(model, record, background), {
      permutations: 2000,
      seed: 1,
    });
    for (const [at, value] of exact.entries()) {
      const error = sampled.errors[at] ?? Number.NaN;
      expect(Math.abs((sampled.contributions[at] ?? 0) - value)).toBeLessThanOrEqual(
        4 * error + 1e-9,
      );
      expect(error).toBeLessThan(0.1);
    }
    // Nothing depends on the last column.
    expect(sampled.contributions[7]).toBe(0);
    expect(sampled.errors[7]).toBe(0);
  });

  test('are the definition itself where orders come in pairs of two players', async () => {
    const model: Model = (row) => (row[0] ?? 0) * (row[1] ?? 0);
    const background = [
      [1, 2],
      [0, -1],
      [3, 3],
    ];
    const sampled = await sampleShapley(gameOf(model, [2, 5], background), {
      permutations: 6,
      seed: 9,
    });
    const exact = shapleyByDefinition(model, [2, 5], background);
    expect([...sampled.contributions]).toEqual(exact.map((value) => expect.closeTo(value, 9)));
  });

  test('add up, whatever the number of orders; a column that is the same everywhere gets nothing', async () => {
    await fc.assert(
      fc.asyncProperty(problem, fc.integer({ min: 1, max: 40 }), async (given, permutations) => {
        const { record, background, weights, products } = given;
        const game = gameOf(modelOf(weights, products), record, background);
        const { contributions, base, value } = await sampleShapley(game, { permutations, seed: 3 });
        expect(total(contributions)).toBeCloseTo(value - base, 6);
        if (permutations / 2 >= background.length)
          expect(base).toBeCloseTo(total(game.backgroundValues) / background.length, 6);
        for (const [at, own] of record.entries())
          if (background.every((row) => row[at] === own)) expect(contributions[at]).toBe(0);
      }),
      { numRuns: 150 },
    );
  });

  test('are the same for the same seed, and take no more predictions than the orders need', async () => {
    const game = gameOf(
      modelOf([1, 2, 3, 4], [1, 1, 1, 1]),
      [1, 2, 3, 4],
      [
        [0, 0, 0, 0],
        [4, 3, 2, 1],
      ],
    );
    const first = await sampleShapley(game, { permutations: 200, seed: 5 });
    const second = await sampleShapley(game, { permutations: 200, seed: 5 });
    expect(second.contributions).toEqual(first.contributions);
    expect(first.predictions).toBe(200 * 3);
    expect(game.asked()).toBe(2 * 200 * 3);
  });

  test('refuse when a mix cannot be predicted, or there is nothing to compare with', async () => {
    const game = gameOf(
      (row) => ((row[0] ?? 0) === 1 && row[1] === 0 ? Number.NaN : 1),
      [1, 1, 1],
      [[0, 0, 0]],
    );
    await expect(sampleShapley(game, { permutations: 20, seed: 1 })).rejects.toThrow(
      expect.objectContaining({ code: 'unsupported' }),
    );
    await expect(
      sampleShapley(
        gameOf(() => 1, [1], []),
        { permutations: 20, seed: 1 },
      ),
    ).rejects.toThrow(expect.objectContaining({ code: 'unsupported' }));
  });
});

/** Trees of random splits on `players` elements. */
const treeOf = (elements: number) =>
  fc
    .array(
      fc.record({
        feature: fc.integer({ min: 0, max: elements - 1 }),
        threshold: number,
        mode: fc.constantFrom('LEQ' as const, 'LT' as const, 'GT' as const, 'EQ' as const),
        value: number,
        missingYes: fc.constantFrom(0, 1),
      }),
      { minLength: 1, maxLength: 15 },
    )
    .map((nodes): Tree => {
      // A heap: the children of node n are 2n + 1 and 2n + 2, as long as both are there.
      const isBranch = (at: number): boolean => 2 * at + 2 < nodes.length;
      return {
        feature: Int32Array.from(nodes, ({ feature }, at) => (isBranch(at) ? feature : -1)),
        threshold: Float64Array.from(nodes, ({ threshold }) => threshold),
        mode: nodes.map(({ mode }) => mode),
        members: [],
        missingYes: Uint8Array.from(nodes, ({ missingYes }) => missingYes),
        yes: Int32Array.from(nodes, (_, at) => (isBranch(at) ? 2 * at + 1 : -1)),
        no: Int32Array.from(nodes, (_, at) => (isBranch(at) ? 2 * at + 2 : -1)),
        value: Float64Array.from(nodes, ({ value }) => value),
      };
    });

const followed = (tree: Tree, row: ArrayLike<number>): number => {
  let node = 0;
  while ((tree.feature[node] ?? -1) >= 0) {
    const value = row[tree.feature[node] ?? 0] ?? 0;
    const threshold = tree.threshold[node] ?? 0;
    const holds = {
      LEQ: value <= threshold,
      LT: value < threshold,
      GT: value > threshold,
      EQ: value === threshold,
    }[tree.mode[node] as 'LEQ'];
    const yes = holds || (Number.isNaN(value) && tree.missingYes[node] === 1);
    node = (yes ? tree.yes : tree.no)[node] ?? -1;
  }
  return tree.value[node] ?? 0;
};

describe('exact Shapley values', () => {
  test('of trees are those of the definition, missing values included', () => {
    const given = fc.integer({ min: 1, max: 6 }).chain((players) => {
      const cell = fc.oneof({ weight: 9, arbitrary: number }, fc.constant(Number.NaN));
      const row = fc.array(cell, { minLength: players, maxLength: players });
      return fc.record({
        record: row,
        background: fc.array(row, { minLength: 1, maxLength: 4 }),
        trees: fc.array(treeOf(players), { minLength: 1, maxLength: 4 }),
      });
    });
    fc.assert(
      fc.property(given, ({ record, background, trees }) => {
        const players = record.length;
        const part: TreePart = { kind: 'trees', width: players, trees, intercept: 7, scale: 0.5 };
        const model: Model = (row) =>
          7 + 0.5 * trees.reduce((sum, tree) => sum + followed(tree, row), 0);
        const samples = exactSamples(
          part,
          { record, background: { width: players, values: background.flat() } },
          { owner: Int32Array.from(record, (_, at) => at), players },
        );
        const { contributions } = attributionOf(samples, {
          players,
          value: 0,
          base: 0,
          exact: true,
          predictions: 0,
        });
        expect([...contributions]).toEqual(
          shapleyByDefinition(model, record, background).map((value) => expect.closeTo(value, 9)),
        );
      }),
      { numRuns: 200 },
    );
  });

  test('of trees and lines hold when a column owns several elements', () => {
    const given = fc.record({
      record: rowOf(5),
      background: fc.array(rowOf(5), { minLength: 1, maxLength: 4 }),
      trees: fc.array(treeOf(5), { minLength: 1, maxLength: 3 }),
      weights: rowOf(5),
    });
    // Columns 0 and 2 have two elements each, column 1 has one.
    const owner = Int32Array.from([0, 0, 1, 2, 2]);
    fc.assert(
      fc.property(given, ({ record, background, trees, weights }) => {
        for (const part of [
          { kind: 'trees', width: 5, trees, intercept: 0, scale: 1 } as const,
          { kind: 'linear', width: 5, weights: Float64Array.from(weights), intercept: 2 } as const,
        ]) {
          const samples = exactSamples(
            part,
            { record, background: { width: 5, values: background.flat() } },
            { owner, players: 3 },
          );
          const means = [0, 1, 2].map(
            (player) =>
              background.reduce((sum, _, row) => sum + (samples[row * 3 + player] ?? 0), 0) /
              background.length,
          );
          // The same game with three players: a player's value is the position of whose elements are taken, 1 the record's.
          const worth = background.map((row) =>
            shapleyByDefinition(
              (sides) => {
                const mixed = record.map((value, at) =>
                  sides[owner[at] ?? 0] === 1 ? value : (row[at] ?? 0),
                );
                return part.kind === 'trees'
                  ? trees.reduce((sum, tree) => sum + followed(tree, mixed), 0)
                  : mixed.reduce((sum, value, at) => sum + value * (weights[at] ?? 0), 2);
              },
              [1, 1, 1],
              [[0, 0, 0]],
            ),
          );
          const expected = [0, 1, 2].map(
            (player) => total(worth.map((each) => each[player] ?? 0)) / background.length,
          );
          expect(means).toEqual(expected.map((value) => expect.closeTo(value, 9)));
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('reasons', () => {
  const attributionFrom = (rows: readonly (readonly number[])[]) =>
    attributionOf(Float64Array.from(rows.flat()), {
      players: rows[0]?.length ?? 0,
      value: 0,
      base: 0,
      exact: true,
      predictions: 0,
    });

  test('are what pushes to the adverse side, strongest first, and never what speaks for the person', () => {
    const attribution = attributionFrom([
      [3, -2, 1, 0],
      [3, -4, 1, 0],
    ]);
    const high = rankReasons(attribution, { direction: 1, most: 4, draws: 50, seed: 1 });
    expect(high.reasons.map(({ player, push }) => [player, push])).toEqual([
      [0, 3],
      [2, 1],
    ]);
    expect(high.sameSet).toBe(1);
    const low = rankReasons(attribution, { direction: -1, most: 4, draws: 50, seed: 1 });
    expect(low.reasons.map(({ player, push }) => [player, push])).toEqual([[1, 3]]);
  });

  test('that hang on which people are compared with are called unstable', () => {
    const rows = Array.from({ length: 20 }, (_, row) => (row % 2 === 0 ? [5, 2.1, 0] : [5, 0, 2]));
    const { reasons, sameSet } = rankReasons(attributionFrom(rows), {
      direction: 1,
      most: 2,
      draws: 400,
      seed: 2,
    });
    expect(reasons[0]).toMatchObject({ player: 0, stability: 1 });
    expect(reasons[1]?.stability).toBeGreaterThan(0.4);
    expect(reasons[1]?.stability).toBeLessThan(0.8);
    expect(sameSet).toBeLessThan(0.8);
  });
});

describe('the part of a graph that can be explained exactly', () => {
  const broken = (change: (attributes: Map<string, bigint[]>) => unknown) => {
    const model = twoTrees('regressor');
    const attributes = model.graph?.nodes[0]?.attributes ?? [];
    change(new Map(attributes.map(({ name, ints }) => [name ?? '', ints])));
    return findAdditivePart(model);
  };

  test('is one layer or one ensemble, and none of a graph with two or with a loop', () => {
    expect(findAdditivePart(twoTrees('regressor'))?.input).toBe('x');
    const two = twoTrees('regressor');
    two.graph?.nodes.push(...(threeWeights().graph?.nodes ?? []));
    expect(findAdditivePart(two)).toBeUndefined();
    expect(findAdditivePart(endlessModel())).toBeUndefined();
  });

  test('is not taken from trees that go round, miss a node or have lists of different lengths', () => {
    expect(broken(() => undefined)).toBeDefined();
    expect(broken((ints) => ints.get('nodes_truenodeids')?.splice(0, 1, 0n))).toBeUndefined();
    expect(broken((ints) => ints.get('nodes_falsenodeids')?.splice(1, 1, 77n))).toBeUndefined();
    expect(broken((ints) => ints.get('nodes_nodeids')?.pop())).toBeUndefined();
  });

  test('is not walked where it is too deep', () => {
    const depth = 5000;
    const chain: Tree = {
      feature: Int32Array.from({ length: 2 * depth + 1 }, (_, at) =>
        at % 2 === 0 && at < 2 * depth ? 0 : -1,
      ),
      threshold: new Float64Array(2 * depth + 1),
      mode: Array.from({ length: 2 * depth + 1 }, () => 'LEQ' as const),
      members: [],
      missingYes: new Uint8Array(2 * depth + 1),
      yes: Int32Array.from({ length: 2 * depth + 1 }, (_, at) => at + 1),
      no: Int32Array.from({ length: 2 * depth + 1 }, (_, at) => at + 2),
      value: new Float64Array(2 * depth + 1),
    };
    expect(exactCost({ kind: 'trees', width: 1, trees: [chain], intercept: 0, scale: 1 }, 1)).toBe(
      Number.POSITIVE_INFINITY,
    );
  });
});
