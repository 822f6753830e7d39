/** Ensembles of trees of ai.onnx.ml, read into flat arrays: TreeEnsembleRegressor and -Classifier (1 to 3) and TreeEnsemble (5). */
import { attributeOf, tensorToData, type OnnxNode, type OnnxTensor } from '#domain/onnx/index.ts';

/** Nodes by position, the root first; each child stands after its parent, so no walk goes round. */
export interface Tree {
  /** Element that a node looks at; -1 for a leaf. */
  readonly feature: Int32Array;
  readonly threshold: Float64Array;
  readonly mode: readonly Mode[];
  /** Members of a `MEMBER` node. */
  readonly members: readonly (ReadonlySet<number> | undefined)[];
  /** Whether a missing value takes the branch of `yes`. */
  readonly missingYes: Uint8Array;
  readonly yes: Int32Array;
  readonly no: Int32Array;
  /** Of a leaf. */
  readonly value: Float64Array;
}

/** score(elements) = intercept + scale × sum of the leaves that the elements come to */
export interface TreePart {
  readonly kind: 'trees';
  /** Elements that the trees look at; there may be more. */
  readonly width: number;
  readonly trees: readonly Tree[];
  readonly intercept: number;
  readonly scale: number;
}

const modes = ['LEQ', 'LT', 'GTE', 'GT', 'EQ', 'NEQ', 'MEMBER'] as const;
type Mode = (typeof modes)[number];

const mostNodes = 2_000_000;
const mostScores = 64;

export function goesYes(tree: Tree, node: number, value: number): boolean {
  if (Number.isNaN(value) && tree.missingYes[node] === 1) return true;
  const threshold = tree.threshold[node] ?? 0;
  switch (tree.mode[node]) {
    case 'LEQ':
      return value <= threshold;
    case 'LT':
      return value < threshold;
    case 'GTE':
      return value >= threshold;
    case 'GT':
      return value > threshold;
    case 'EQ':
      return value === threshold;
    case 'NEQ':
      return value !== threshold;
    default:
      return tree.members[node]?.has(value) === true;
  }
}

/** One part for each target or class. Undefined for what is not a sum or a mean of leaves, and for trees that go round. */
export function readTrees(node: OnnxNode): TreePart[] | undefined {
  const raw = node.opType === 'TreeEnsemble' ? newEncoding(node) : oldEncoding(node);
  if (raw === undefined || raw.targets < 1 || raw.targets > mostScores) return undefined;
  const shapes = raw.roots.map((root) => placesFrom(root, raw));
  if (shapes.some((places) => places === undefined)) return undefined;
  const width = 1 + raw.feature.reduce((most, feature) => Math.max(most, feature), -1);
  return Array.from({ length: raw.targets }, (_, target) => ({
    kind: 'trees' as const,
    width,
    trees: shapes.map((places) => flatten(places ?? [], raw, target)),
    intercept: raw.base[target] ?? 0,
    scale: raw.isMean ? 1 / Math.max(1, raw.roots.length) : 1,
  }));
}

/** Nodes as the file has them: ids into these lists; a node without `yes` is a leaf. */
interface RawTrees {
  readonly roots: readonly number[];
  readonly feature: readonly number[];
  readonly threshold: ArrayLike<number>;
  readonly mode: readonly (Mode | undefined)[];
  readonly members: readonly (ReadonlySet<number> | undefined)[];
  readonly missingYes: readonly boolean[];
  readonly yes: readonly (number | undefined)[];
  readonly no: readonly (number | undefined)[];
  /** Leaf values by node and target. */
  readonly votes: ReadonlyMap<number, ReadonlyMap<number, number>>;
  readonly targets: number;
  readonly base: ArrayLike<number>;
  readonly isMean: boolean;
}

/** Breadth first. Undefined when a node is met twice or is missing. */
function placesFrom(root: number, raw: RawTrees): number[] | undefined {
  const places = [root];
  const seen = new Set(places);
  for (let at = 0; at < places.length; at += 1) {
    const id = places[at] ?? 0;
    if (raw.mode[id] === undefined) continue;
    for (const child of [raw.yes[id], raw.no[id]]) {
      if (child === undefined || seen.has(child)) return undefined;
      seen.add(child);
      places.push(child);
    }
  }
  return places;
}

function flatten(places: readonly number[], raw: RawTrees, target: number): Tree {
  const positionOf = new Map(places.map((id, at) => [id, at]));
  const isLeaf = (id: number): boolean => raw.mode[id] === undefined;
  const childOf = (id: number, side: RawTrees['yes']): number =>
    isLeaf(id) ? -1 : (positionOf.get(side[id] ?? -1) ?? -1);
  return {
    feature: Int32Array.from(places, (id) => (isLeaf(id) ? -1 : (raw.feature[id] ?? 0))),
    threshold: Float64Array.from(places, (id) => raw.threshold[id] ?? 0),
    mode: places.map((id) => raw.mode[id] ?? 'LEQ'),
    members: places.map((id) => raw.members[id]),
    missingYes: Uint8Array.from(places, (id) => (raw.missingYes[id] === true ? 1 : 0)),
    yes: Int32Array.from(places, (id) => childOf(id, raw.yes)),
    no: Int32Array.from(places, (id) => childOf(id, raw.no)),
    value: Float64Array.from(places, (id) => raw.votes.get(id)?.get(target) ?? 0),
  };
}

/** Attributes `nodes_*` for all nodes, leaves too, by tree and node id; votes apart. */
function oldEncoding(node: OnnxNode): RawTrees | undefined {
  const ints = (name: string): number[] => (attributeOf(node, name)?.ints ?? []).map(Number);
  const floats = (name: string): ArrayLike<number> => {
    const doubles = attributeOf(node, `${name}_as_tensor`)?.t;
    return (
      (doubles === undefined ? undefined : constantNumbers(doubles)) ??
      attributeOf(node, name)?.floats ??
      []
    );
  };
  const prefix = node.opType === 'TreeEnsembleClassifier' ? 'class' : 'target';
  const treeIds = ints('nodes_treeids');
  const nodeIds = ints('nodes_nodeids');
  const names = (attributeOf(node, 'nodes_modes')?.strings ?? []).map((text) =>
    Buffer.from(text)
      .toString('latin1')
      .replace(/^BRANCH_/, ''),
  );
  const aggregate = textOf(node, 'aggregate_function') ?? 'SUM';
  if (
    treeIds.length > mostNodes ||
    nodeIds.length !== treeIds.length ||
    names.length !== treeIds.length
  )
    return undefined;
  if (aggregate !== 'SUM' && aggregate !== 'AVERAGE') return undefined;
  if (names.some((name) => name !== 'LEAF' && !isMode(name))) return undefined;
  const idOf = new Map(treeIds.map((tree, at) => [`${tree}:${nodeIds[at]}`, at]));
  const child = (list: readonly number[]) =>
    treeIds.map((tree, at) => idOf.get(`${tree}:${list[at]}`));
  const missing = ints('nodes_missing_value_tracks_true');
  const votes = new Map<number, Map<number, number>>();
  const weights = floats(`${prefix}_weights`);
  const targetIds = ints(`${prefix}_ids`);
  const voters = ints(`${prefix}_nodeids`);
  for (const [at, tree] of ints(`${prefix}_treeids`).entries()) {
    const id = idOf.get(`${tree}:${voters[at]}`);
    if (id === undefined) return undefined;
    const ofNode = votes.get(id) ?? new Map<number, number>();
    const target = targetIds[at] ?? 0;
    ofNode.set(target, (ofNode.get(target) ?? 0) + (weights[at] ?? 0));
    votes.set(id, ofNode);
  }
  const roots = new Map<number, number>();
  for (const [at, tree] of treeIds.entries()) if (!roots.has(tree)) roots.set(tree, at);
  return {
    roots: [...roots.values()],
    feature: ints('nodes_featureids'),
    threshold: floats('nodes_values'),
    mode: names.map((name) => (isMode(name) ? name : undefined)),
    members: [],
    missingYes: missing.map((value) => value === 1),
    yes: child(ints('nodes_truenodeids')),
    no: child(ints('nodes_falsenodeids')),
    votes,
    targets: 1 + targetIds.reduce((most, id) => Math.max(most, id), 0),
    base: floats('base_values'),
    isMean: aggregate === 'AVERAGE',
  };
}

/** `nodes_*` for branches and `leaf_*` for leaves, children by position, of leaves where `nodes_trueleafs` says so. */
function newEncoding(node: OnnxNode): RawTrees | undefined {
  const ints = (name: string): number[] => (attributeOf(node, name)?.ints ?? []).map(Number);
  const numbers = (name: string): Float64Array | undefined => {
    const tensor = attributeOf(node, name)?.t;
    return tensor === undefined ? undefined : constantNumbers(tensor);
  };
  const codes = numbers('nodes_modes');
  const splits = numbers('nodes_splits');
  const weights = numbers('leaf_weights');
  const aggregate = Number(attributeOf(node, 'aggregate_function')?.i ?? 1n);
  if (codes === undefined || splits === undefined || weights === undefined) return undefined;
  if (codes.length > mostNodes || weights.length > mostNodes || aggregate > 1) return undefined;
  const branchModes = [...codes].map((code) => modes[code]);
  if (branchModes.includes(undefined)) return undefined;
  const branches = branchModes.length;
  const leafTargets = ints('leaf_targetids');
  const trueLeafs = ints('nodes_trueleafs');
  const falseLeafs = ints('nodes_falseleafs');
  const place = (leafs: readonly number[]) => (id: number, at: number) =>
    leafs[at] === 1 ? branches + id : id;
  const yes = ints('nodes_truenodeids').map(place(trueLeafs));
  const no = ints('nodes_falsenodeids').map(place(falseLeafs));
  const members = membersOf(branchModes, numbers('membership_values'));
  const votes = new Map<number, Map<number, number>>();
  for (const [at, weight] of weights.entries())
    votes.set(branches + at, new Map([[leafTargets[at] ?? 0, weight]]));
  return {
    // A tree of one leaf is written as a branch with that leaf on both sides.
    roots: ints('tree_roots').map((root) => (yes[root] === no[root] ? (yes[root] ?? root) : root)),
    feature: ints('nodes_featureids'),
    threshold: splits,
    mode: branchModes,
    members,
    missingYes: ints('nodes_missing_value_tracks_true').map((value) => value === 1),
    yes,
    no,
    votes,
    targets: Number(attributeOf(node, 'n_targets')?.i ?? 1n),
    base: [],
    isMean: aggregate === 0,
  };
}

/** The sets of all `MEMBER` nodes in their order, each ended by a NaN. */
function membersOf(
  branchModes: readonly (Mode | undefined)[],
  values: Float64Array | undefined,
): (ReadonlySet<number> | undefined)[] {
  let at = 0;
  return branchModes.map((mode) => {
    if (mode !== 'MEMBER') return undefined;
    const members = new Set<number>();
    for (
      let value = values?.[at++];
      value !== undefined && !Number.isNaN(value);
      value = values?.[at++]
    )
      members.add(value);
    return members;
  });
}

function isMode(name: string): name is Mode {
  return (modes as readonly string[]).includes(name);
}

function textOf(node: OnnxNode, name: string): string | undefined {
  const bytes = attributeOf(node, name)?.s;
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('latin1');
}

/** Values of a constant that stands in the model itself; undefined for texts and for what lies in another file. */
export function constantNumbers(tensor: OnnxTensor): Float64Array | undefined {
  if (tensor.externalData.length > 0) return undefined;
  const { type, data } = tensorToData(tensor);
  return type === 'string' ? undefined : Float64Array.from(data as ArrayLike<number>, Number);
}
