/** The graph of the sample: one input per column, preprocessing, trees, a probability and a decision. And the same in plain code. */
import {
  graph,
  model,
  node,
  tensor,
  valueInfo,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
} from '#domain/onnx/index.ts';
import { columns, type Applicant } from './applicants.ts';
import type { Ensemble, Tree } from './boosting.ts';

export const threshold = 0.35;

/** What an empty number is replaced by, inside of the graph. */
const imputed: Readonly<Record<string, number>> = {
  monthly_income: 2400,
  savings: 2000,
  months_since_late: 120,
};

const numeric = columns.filter(({ type }) => type !== 'string').map(({ name }) => name);
const categorical = columns.flatMap(({ name, categories }) =>
  categories === undefined ? [] : [{ name, categories }],
);

/** Numbers and booleans, the monthly burden, then one column per category: float32, in the graph's order. */
export function applicantToFeatures(applicant: Applicant): Float32Array {
  const number = (name: string): number => {
    const value = applicant[name];
    return Math.fround(
      value === null || value === undefined ? (imputed[name] ?? 0) : Number(value),
    );
  };
  const instalment = Math.fround(number('loan_amount') / number('term_months'));
  const burden = Math.fround(instalment / number('monthly_income'));
  const oneHot = categorical.flatMap(({ name, categories }) =>
    categories.map((category) => (applicant[name] === category ? 1 : 0)),
  );
  return Float32Array.from([...numeric.map(number), burden, ...oneHot]);
}

export function buildCreditModel(ensemble: Ensemble): OnnxModel {
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  const features: string[] = [];
  for (const { name, type } of columns) {
    if (type === 'string') continue;
    let current = name;
    if (type !== 'float') {
      nodes.push(node('Cast', { inputs: [name], outputs: [`${name}_number`] }, { to: 1n }));
      current = `${name}_number`;
    }
    const replacement = imputed[name];
    if (replacement !== undefined) {
      initializers.push(tensor(`${name}_median`, 'float', { dims: [1], data: [replacement] }));
      nodes.push(
        node('IsNaN', { inputs: [current], outputs: [`${name}_is_missing`] }),
        node('Where', {
          inputs: [`${name}_is_missing`, `${name}_median`, current],
          outputs: [`${name}_imputed`],
        }),
      );
      current = `${name}_imputed`;
    }
    features.push(current);
  }
  const featureOf = (name: string): string => features[numeric.indexOf(name)] ?? name;
  nodes.push(
    node('Div', {
      inputs: [featureOf('loan_amount'), featureOf('term_months')],
      outputs: ['instalment'],
    }),
    node('Div', { inputs: ['instalment', featureOf('monthly_income')], outputs: ['burden'] }),
  );
  features.push('burden');
  initializers.push(tensor('one_hot_shape', 'int64', { dims: [2], data: [0n, -1n] }));
  for (const { name, categories } of categorical) {
    nodes.push(
      node(
        'OneHotEncoder',
        { inputs: [name], outputs: [`${name}_one_hot`], domain: 'ai.onnx.ml' },
        { cats_strings: categories, zeros: 1n },
      ),
      node('Reshape', {
        inputs: [`${name}_one_hot`, 'one_hot_shape'],
        outputs: [`${name}_columns`],
      }),
    );
    features.push(`${name}_columns`);
  }
  initializers.push(
    tensor('threshold', 'float', { dims: [1], data: [threshold] }),
    tensor('review', 'string', { dims: [1], data: ['review'] }),
    tensor('approve', 'string', { dims: [1], data: ['approve'] }),
  );
  nodes.push(
    node('Concat', { inputs: features, outputs: ['features'] }, { axis: 1n }),
    node(
      'TreeEnsembleRegressor',
      { inputs: ['features'], outputs: ['log_odds'], domain: 'ai.onnx.ml' },
      treeAttributes(ensemble),
    ),
    node('Sigmoid', { inputs: ['log_odds'], outputs: ['probability'] }),
    node('GreaterOrEqual', { inputs: ['probability', 'threshold'], outputs: ['is_risky'] }),
    node('Where', { inputs: ['is_risky', 'review', 'approve'], outputs: ['decision'] }),
  );
  const built = model(
    graph('credit-risk', {
      nodes,
      initializers,
      inputs: columns.map(({ name, type }) => valueInfo(name, type, ['N', 1])),
      outputs: [
        valueInfo('probability', 'float', ['N', 1]),
        valueInfo('decision', 'string', ['N', 1]),
      ],
    }),
    { opsets: { '': 17, 'ai.onnx.ml': 3 }, producer: 'strongroom-sample', irVersion: 8 },
  );
  built.metadata.push({
    key: 'purpose',
    value: 'Sample of Strongroom, trained on synthetic data. Not for decisions about people.',
  });
  return built;
}

function treeAttributes({
  base,
  trees,
}: Ensemble): Record<string, bigint | string | number[] | bigint[] | string[]> {
  const treeIds: bigint[] = [];
  const nodeIds: bigint[] = [];
  const featureIds: bigint[] = [];
  const values: number[] = [];
  const modes: string[] = [];
  const trueIds: bigint[] = [];
  const falseIds: bigint[] = [];
  const targets: { tree: bigint; node: bigint; weight: number }[] = [];
  for (const [treeId, tree] of trees.entries()) {
    let next = 0n;
    const add = (part: Tree): bigint => {
      const id = next;
      next += 1n;
      const position = treeIds.length;
      const isLeaf = !('feature' in part);
      treeIds.push(BigInt(treeId));
      nodeIds.push(id);
      featureIds.push(isLeaf ? 0n : BigInt(part.feature));
      values.push(isLeaf ? 0 : part.threshold);
      modes.push(isLeaf ? 'LEAF' : 'BRANCH_LEQ');
      trueIds.push(0n);
      falseIds.push(0n);
      if (isLeaf) targets.push({ tree: BigInt(treeId), node: id, weight: part.value });
      else {
        trueIds[position] = add(part.left);
        falseIds[position] = add(part.right);
      }
      return id;
    };
    add(tree);
  }
  return {
    n_targets: 1n,
    aggregate_function: 'SUM',
    post_transform: 'NONE',
    base_values: [base],
    nodes_treeids: treeIds,
    nodes_nodeids: nodeIds,
    nodes_featureids: featureIds,
    nodes_values: values,
    nodes_modes: modes,
    nodes_truenodeids: trueIds,
    nodes_falsenodeids: falseIds,
    target_treeids: targets.map(({ tree }) => tree),
    target_nodeids: targets.map((target) => target.node),
    target_ids: targets.map(() => 0n),
    target_weights: targets.map(({ weight }) => weight),
  };
}
