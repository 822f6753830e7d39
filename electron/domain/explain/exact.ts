/**
 * Exact interventional Shapley values of linear layers and of ensembles of trees, with columns as players: a column may own
 * several elements of the vector. Trees follow "independent" TreeSHAP (Lundberg et al. 2020, algorithm 3; Laberge and Pequignot
 * 2022): for one background row, a leaf counts only where the record and the row part, and its Shapley weights are known.
 */
import type { LinearPart } from './additive.ts';
import { goesYes, type Tree, type TreePart } from './trees.ts';

export type ScorePart = LinearPart | TreePart;

/** Vectors of elements that a part takes, rows × width, row-major. */
export interface Elements {
  readonly width: number;
  readonly values: ArrayLike<number>;
}

/** Scores of rows of elements. */
export function scoresOf(part: ScorePart, { width, values }: Elements): Float64Array {
  const rows = width === 0 ? 0 : values.length / width;
  return Float64Array.from({ length: rows }, (_, row) => {
    const first = row * width;
    let sum = 0;
    if (part.kind === 'linear') {
      for (const [at, weight] of part.weights.entries()) sum += weight * (values[first + at] ?? 0);
      return part.intercept + sum;
    }
    for (const tree of part.trees) sum += tree.value[leafOf(tree, values, first)] ?? 0;
    return part.intercept + part.scale * sum;
  });
}

/**
 * Contributions against each background row, rows × players, row-major; those of a row add up to score(record) − score(row).
 * `owner` names the player of each element; −1 for elements that are the same everywhere.
 */
export function exactSamples(
  part: ScorePart,
  rows: { readonly record: ArrayLike<number>; readonly background: Elements },
  context: { readonly owner: Int32Array; readonly players: number },
): Float64Array {
  const { width, values } = rows.background;
  const count = values.length / width;
  const samples = new Float64Array(count * context.players);
  if (part.kind === 'linear') {
    for (let row = 0; row < count; row += 1) {
      for (const [element, weight] of part.weights.entries()) {
        const player = context.owner[element] ?? -1;
        if (player < 0) continue;
        const at = row * context.players + player;
        const difference = (rows.record[element] ?? 0) - (values[row * width + element] ?? 0);
        samples[at] = (samples[at] ?? 0) + weight * difference;
      }
    }
    return samples;
  }
  const depth = Math.min(context.players, deepest(part.trees));
  const weights = leafWeights(depth);
  for (let row = 0; row < count; row += 1) {
    const walk = createWalk({
      ...context,
      record: rows.record,
      background: values,
      first: row * width,
      weights,
      into: samples,
      at: row * context.players,
      scale: part.scale,
    });
    for (const tree of part.trees) walk(tree);
  }
  return samples;
}

/** Nodes that all walks may come to, at most; infinite for trees so deep that a walk has no room on the stack. */
export function exactCost(part: ScorePart, backgroundRows: number): number {
  if (part.kind === 'trees' && deepest(part.trees) > deepestWalk) return Number.POSITIVE_INFINITY;
  const size =
    part.kind === 'linear'
      ? part.weights.length
      : part.trees.reduce((sum, { feature }) => sum + feature.length, 0);
  return size * backgroundRows;
}

const deepestWalk = 1000;

function leafOf(tree: Tree, values: ArrayLike<number>, first: number): number {
  let node = 0;
  for (let feature = tree.feature[0] ?? -1; feature >= 0; feature = tree.feature[node] ?? -1)
    node = (goesYes(tree, node, values[first + feature] ?? 0) ? tree.yes : tree.no)[node] ?? -1;
  return node;
}

interface WalkContext {
  readonly owner: Int32Array;
  readonly players: number;
  readonly record: ArrayLike<number>;
  readonly background: ArrayLike<number>;
  readonly first: number;
  readonly weights: LeafWeights;
  readonly into: Float64Array;
  readonly at: number;
  readonly scale: number;
}

/** For one background row: adds what the leaves of a tree give to whom. */
function createWalk(context: WalkContext): (tree: Tree) => void {
  const { owner, record, background, first, weights, into, at, scale } = context;
  /** Which side a player is on, on the way to the present node: 1 the record's, 2 the row's. */
  const side = new Uint8Array(context.players);
  const withRecord: number[] = [];
  const withRow: number[] = [];
  const take = (player: number, value: number): void => {
    into[at + player] = (into[at + player] ?? 0) + value;
  };
  const visit = (tree: Tree, node: number): void => {
    const feature = tree.feature[node] ?? -1;
    if (feature < 0) {
      const value = scale * (tree.value[node] ?? 0);
      const [joined, stayed] = [withRecord.length, withRow.length];
      if (joined > 0) {
        const weight = weights.joined(joined, stayed);
        for (const player of withRecord) take(player, weight * value);
      }
      if (stayed > 0) {
        const weight = weights.stayed(joined, stayed);
        for (const player of withRow) take(player, -weight * value);
      }
      return;
    }
    const ofRecord = childOf(tree, node, record[feature] ?? 0);
    const ofRow = childOf(tree, node, background[first + feature] ?? 0);
    const player = owner[feature] ?? -1;
    if (ofRecord === ofRow || player < 0) return visit(tree, ofRecord);
    const decided = side[player] ?? 0;
    if (decided !== 0) return visit(tree, decided === 1 ? ofRecord : ofRow);
    side[player] = 1;
    withRecord.push(player);
    visit(tree, ofRecord);
    withRecord.pop();
    side[player] = 2;
    withRow.push(player);
    visit(tree, ofRow);
    withRow.pop();
    side[player] = 0;
  };
  return (tree) => visit(tree, 0);
}

function childOf(tree: Tree, node: number, value: number): number {
  return (goesYes(tree, node, value) ? tree.yes : tree.no)[node] ?? -1;
}

interface LeafWeights {
  /** (a − 1)! b! / (a + b)! for each of the a players that must be the record's. */
  joined(a: number, b: number): number;
  /** a! (b − 1)! / (a + b)! for each of the b players that must be the row's. */
  stayed(a: number, b: number): number;
}

function leafWeights(most: number): LeafWeights {
  const logFactorial = new Float64Array(2 * most + 2);
  for (let n = 1; n < logFactorial.length; n += 1)
    logFactorial[n] = (logFactorial[n - 1] ?? 0) + Math.log(n);
  const size = most + 1;
  const table = new Float64Array(size * size);
  for (let a = 1; a < size; a += 1)
    for (let b = 0; a + b <= 2 * most && b < size; b += 1)
      table[a * size + b] = Math.exp(
        (logFactorial[a - 1] ?? 0) + (logFactorial[b] ?? 0) - (logFactorial[a + b] ?? 0),
      );
  return {
    joined: (a, b) => table[a * size + b] ?? 0,
    stayed: (a, b) => table[b * size + a] ?? 0,
  };
}

function deepest(trees: readonly Tree[]): number {
  let most = 0;
  for (const { feature, yes, no } of trees) {
    const depth = new Int32Array(feature.length);
    for (let node = 0; node < feature.length; node += 1) {
      if ((feature[node] ?? -1) < 0) continue;
      const below = (depth[node] ?? 0) + 1;
      most = Math.max(most, below);
      depth[yes[node] ?? 0] = below;
      depth[no[node] ?? 0] = below;
    }
  }
  return most;
}
