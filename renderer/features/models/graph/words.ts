/** Values, shapes and nodes of a graph in words. */
import type { GraphNode, GraphValue } from '#shared/contract/graph.ts';

/** `batch×3×32×32`; `?` for a size that is not known, and for a shape of which nothing is known. */
export function shapeWords({ type, shape }: Pick<GraphValue, 'type' | 'shape'>): string {
  if (shape === null) return type.includes(' ') ? type : '?';
  return shape.length === 0 ? 'scalar' : shape.map((size) => size ?? '?').join('×');
}

export function typeWords({ type, shape, from }: GraphValue): string {
  if (from === 'unknown') return 'not known';
  const sizes = shape === null ? 'shape not known' : shapeWords({ type, shape });
  return `${type === '' ? 'type not known' : type}, ${sizes}`;
}

export function titleOf({ kind, op, name }: GraphNode): string {
  if (kind === 'input') return `Input ${op}`;
  if (kind === 'output') return `Output ${op}`;
  if (kind === 'outer') return `${op}, from the graph around`;
  return name === '' ? op : `${op} ${name}`;
}

/** Every node that has all words of the query in its name, its operator or the names of its values; in the order of the drawing. */
export function findNodes(nodes: readonly GraphNode[], query: string): GraphNode[] {
  const words = query
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  if (words.length === 0) return [];
  return nodes.filter((node) => {
    const text = [
      node.op,
      node.name,
      node.domain,
      ...node.inputs.map(({ name }) => name),
      ...node.outputs.map(({ name }) => name),
    ]
      .join('\n')
      .toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
