/** Functions of a model are expanded when it is loaded: neither endlessly, nor to more nodes than the bound. */
import type { OnnxFunction, OnnxModel, OnnxNode } from '#domain/onnx/index.ts';
import { gateLimits } from '../limits.ts';
import type { Report } from './report.ts';

/** What a node calls, and a function is called by. */
export function keyOf(domain: string | undefined, name: string | undefined, overload = ''): string {
  return `${domain ?? ''}\n${name ?? ''}\n${overload}`;
}

export function functionKey({ domain, name, overload }: OnnxFunction): string {
  return keyOf(domain, name, overload);
}

export function checkUnfolding(model: OnnxModel, report: Report): void {
  const byKey = new Map(model.functions.map((body) => [functionKey(body), body]));
  const sizes = new Map<string, number>();
  const visiting = new Set<string>();
  let tooDeep = false;
  const unfolded = (nodes: readonly OnnxNode[], depth = 1): number => {
    if (depth > gateLimits.graphDepth) return 0;
    let sum = 0;
    for (const { domain, opType, overload, attributes } of nodes) {
      sum += sizeOf(keyOf(domain, opType, overload));
      for (const { g, graphs } of attributes)
        for (const graph of g === undefined ? graphs : [g, ...graphs])
          sum += unfolded(graph.nodes, depth + 1);
    }
    return sum;
  };
  const sizeOf = (key: string): number => {
    const known = sizes.get(key);
    const body = byKey.get(key);
    if (known !== undefined || body === undefined) return known ?? 1;
    if (visiting.has(key) || visiting.size > gateLimits.functionDepth) {
      tooDeep = true;
      return 1;
    }
    visiting.add(key);
    const size = unfolded(body.nodes);
    visiting.delete(key);
    sizes.set(key, size);
    return size;
  };
  // Functions that nothing calls are looked at too: what is called may change with the runtime's version.
  const total = unfolded(model.graph?.nodes ?? []);
  for (const key of byKey.keys()) sizeOf(key);
  if (tooDeep)
    report(
      'SR-ONNX-006',
      `Functions call themselves, or each other more than ${gateLimits.functionDepth} deep.`,
    );
  else if (total > gateLimits.nodes)
    report('SR-ONNX-007', `The graph unfolds to more than ${gateLimits.nodes} nodes.`);
}
