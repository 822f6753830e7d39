/**
 * Gradient-boosted regression trees for a binary outcome (logistic loss, Newton steps, 32 bins per feature), small enough to
 * read. Features are float32 and splits are `x <= threshold`, as ONNX's TreeEnsembleRegressor has them.
 */

export interface TreeNode {
  readonly feature: number;
  readonly threshold: number;
  readonly left: Tree;
  readonly right: Tree;
}
export interface TreeLeaf {
  readonly value: number;
}
export type Tree = TreeNode | TreeLeaf;

export interface Ensemble {
  /** Log-odds before any tree. */
  readonly base: number;
  readonly trees: readonly Tree[];
}

export interface BoostingOptions {
  readonly trees: number;
  readonly depth: number;
  readonly learningRate: number;
  readonly minimumRows: number;
  readonly regularisation: number;
}

const bins = 32;

export function trainBoosting(
  rows: readonly Float32Array[],
  labels: readonly boolean[],
  options: BoostingOptions,
): Ensemble {
  const width = rows[0]?.length ?? 0;
  const edges = Array.from({ length: width }, (_, feature) =>
    binEdges(rows.map((row) => row[feature] ?? 0)),
  );
  const binned = edges.map((ofFeature, feature) =>
    Uint8Array.from(rows, (row) => binOf(ofFeature, row[feature] ?? 0)),
  );
  const share = labels.filter(Boolean).length / labels.length;
  const base = Math.log(share / (1 - share));
  const scores = new Float64Array(rows.length).fill(base);
  const trees: Tree[] = [];
  for (let round = 0; round < options.trees; round += 1) {
    const gradients = new Float64Array(rows.length);
    const hessians = new Float64Array(rows.length);
    for (let at = 0; at < rows.length; at += 1) {
      const probability = 1 / (1 + Math.exp(-(scores[at] ?? 0)));
      gradients[at] = (labels[at] === true ? 1 : 0) - probability;
      hessians[at] = probability * (1 - probability);
    }
    const tree = grow(
      { members: Uint32Array.from(rows.keys()), depth: options.depth },
      { binned, edges, gradients, hessians, options },
    );
    trees.push(tree);
    for (const [at, row] of rows.entries()) scores[at] = (scores[at] ?? 0) + evaluate(tree, row);
  }
  return { base, trees };
}

export function evaluate(tree: Tree, row: Float32Array): number {
  let at = tree;
  while ('feature' in at) at = (row[at.feature] ?? 0) <= at.threshold ? at.left : at.right;
  return at.value;
}

/** Log-odds, summed in float32 as the runtime does. */
export function predictLogit({ base, trees }: Ensemble, row: Float32Array): number {
  return trees.reduce((sum, tree) => Math.fround(sum + evaluate(tree, row)), Math.fround(base));
}

interface Training {
  readonly binned: readonly Uint8Array[];
  readonly edges: readonly (readonly number[])[];
  readonly gradients: Float64Array;
  readonly hessians: Float64Array;
  readonly options: BoostingOptions;
}

function grow(
  node: { readonly members: Uint32Array; readonly depth: number },
  training: Training,
): Tree {
  const { members, depth } = node;
  const { gradients, hessians, options, binned, edges } = training;
  let gradient = 0;
  let hessian = 0;
  for (const at of members) {
    gradient += gradients[at] ?? 0;
    hessian += hessians[at] ?? 0;
  }
  const leaf: TreeLeaf = {
    value: Math.fround((options.learningRate * gradient) / (hessian + options.regularisation)),
  };
  if (depth === 0 || members.length < 2 * options.minimumRows) return leaf;
  const parent = (gradient * gradient) / (hessian + options.regularisation);
  let best: { gain: number; feature: number; bin: number } | undefined;
  for (const [feature, ofFeature] of binned.entries()) {
    const sums = new Float64Array(bins);
    const weights = new Float64Array(bins);
    const counts = new Uint32Array(bins);
    for (const at of members) {
      const bin = ofFeature[at] ?? 0;
      sums[bin] = (sums[bin] ?? 0) + (gradients[at] ?? 0);
      weights[bin] = (weights[bin] ?? 0) + (hessians[at] ?? 0);
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
    let leftGradient = 0;
    let leftHessian = 0;
    let leftCount = 0;
    for (let bin = 0; bin < (edges[feature]?.length ?? 0); bin += 1) {
      leftGradient += sums[bin] ?? 0;
      leftHessian += weights[bin] ?? 0;
      leftCount += counts[bin] ?? 0;
      if (leftCount < options.minimumRows || members.length - leftCount < options.minimumRows)
        continue;
      const rightGradient = gradient - leftGradient;
      const gain =
        (leftGradient * leftGradient) / (leftHessian + options.regularisation) +
        (rightGradient * rightGradient) / (hessian - leftHessian + options.regularisation) -
        parent;
      if (gain > (best?.gain ?? 1e-6)) best = { gain, feature, bin };
    }
  }
  if (best === undefined) return leaf;
  const { feature, bin } = best;
  const goesLeft = (at: number): boolean => (binned[feature]?.[at] ?? 0) <= bin;
  return {
    feature,
    threshold: edges[feature]?.[bin] ?? 0,
    left: grow({ members: members.filter(goesLeft), depth: depth - 1 }, training),
    right: grow({ members: members.filter((at) => !goesLeft(at)), depth: depth - 1 }, training),
  };
}

/** Up to 31 thresholds between values, at even ranks. */
function binEdges(values: readonly number[]): number[] {
  const sorted = values.toSorted((a, b) => a - b);
  const found = new Set<number>();
  for (let step = 1; step < bins; step += 1) {
    const at = Math.floor((step / bins) * sorted.length);
    const here = sorted[at] ?? 0;
    const below = sorted.slice(0, at).findLast((value) => value < here);
    if (below !== undefined) found.add(Math.fround((below + here) / 2));
  }
  return [...found].sort((a, b) => a - b);
}

function binOf(edges: readonly number[], value: number): number {
  let bin = 0;
  while (bin < edges.length && value > (edges[bin] ?? 0)) bin += 1;
  return bin;
}
