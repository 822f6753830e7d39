/** A graph prepared for drawing: what is in view is found without looking at the rest. */
import { nodeHeight, type GraphEdge, type GraphNode } from '#shared/contract/graph.ts';

/** In the units of the graph. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface Scene {
  readonly nodes: readonly GraphNode[];
  readonly bounds: Box;
  nodesIn(box: Box): GraphNode[];
  edgesIn(box: Box): GraphEdge[];
  nodeAt(x: number, y: number): GraphNode | undefined;
  /** The nearest node in the row above or below, or beside it. */
  beside(node: GraphNode, side: 'left' | 'right'): GraphNode | undefined;
}

interface Row {
  readonly y: number;
  /** From left to right. */
  readonly nodes: GraphNode[];
}

/** Height of the smallest buckets of edges; each level above has buckets twice as high. */
const bucketHeight = 1024;

/** `nodes` come from the top down and from left to right, as the core sends them. */
export function createScene(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): Scene {
  const rows: Row[] = [];
  const bounds = { left: 0, top: 0, right: 0, bottom: 0 };
  let widest = 0;
  for (const node of nodes) {
    const last = rows.at(-1);
    if (last?.y === node.y) last.nodes.push(node);
    else rows.push({ y: node.y, nodes: [node] });
    widest = Math.max(widest, node.width);
    bounds.left = Math.min(bounds.left, node.x - node.width / 2);
    bounds.right = Math.max(bounds.right, node.x + node.width / 2);
    bounds.bottom = Math.max(bounds.bottom, node.y + nodeHeight / 2);
  }
  const buckets = createBuckets(edges);

  function rowsIn(top: number, bottom: number): readonly Row[] {
    const start = behind(rows, ({ y }) => y < top - nodeHeight / 2);
    const end = behind(rows, ({ y }) => y <= bottom + nodeHeight / 2);
    return rows.slice(start, end);
  }
  function nodesIn({ left, top, right, bottom }: Box): GraphNode[] {
    return rowsIn(top, bottom).flatMap((row) => {
      const start = behind(row.nodes, ({ x }) => x < left - widest / 2);
      const end = behind(row.nodes, ({ x }) => x <= right + widest / 2);
      return row.nodes.slice(start, end);
    });
  }
  return {
    nodes,
    bounds,
    nodesIn,
    edgesIn: buckets.edgesIn,
    nodeAt: (x, y) =>
      nodesIn({ left: x, top: y, right: x, bottom: y }).find(
        (node) => Math.abs(node.x - x) <= node.width / 2 && Math.abs(node.y - y) <= nodeHeight / 2,
      ),
    beside({ id, y }, side) {
      const row = rows[behind(rows, (one) => one.y < y)]?.nodes ?? [];
      return row[row.findIndex((node) => node.id === id) + (side === 'left' ? -1 : 1)];
    },
  };
}

/** Index of the first item that is not before; those that are come first. */
function behind<T>(items: readonly T[], isBefore: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = items[middle];
    if (item !== undefined && isBefore(item)) low = middle + 1;
    else high = middle;
  }
  return low;
}

interface Placed {
  readonly edge: GraphEdge;
  readonly box: Box;
}

/** Each edge lies in the lowest level whose buckets are as high as it is, so in two of them at most. */
function createBuckets(edges: readonly GraphEdge[]): { edgesIn(box: Box): GraphEdge[] } {
  const levels: Map<number, Placed[]>[] = [];
  for (const edge of edges) {
    const box = boxOf(edge);
    const level = Math.max(0, Math.ceil(Math.log2((box.bottom - box.top) / bucketHeight)));
    while (levels.length <= level) levels.push(new Map());
    const height = bucketHeight * 2 ** level;
    for (let at = Math.floor(box.top / height); at <= Math.floor(box.bottom / height); at += 1) {
      const bucket = levels[level]?.get(at) ?? [];
      bucket.push({ edge, box });
      levels[level]?.set(at, bucket);
    }
  }
  return {
    edgesIn(view) {
      const found: GraphEdge[] = [];
      for (const [level, buckets] of levels.entries()) {
        const height = bucketHeight * 2 ** level;
        const first = Math.floor(view.top / height);
        for (let at = first; at <= Math.floor(view.bottom / height); at += 1)
          for (const { edge, box } of buckets.get(at) ?? []) {
            const isSeen =
              box.left <= view.right &&
              box.right >= view.left &&
              box.top <= view.bottom &&
              box.bottom >= view.top;
            // One that lies in two buckets is taken from the first that is looked at.
            if (isSeen && at === Math.max(first, Math.floor(box.top / height))) found.push(edge);
          }
      }
      return found;
    },
  };
}

function boxOf({ points }: GraphEdge): Box {
  const box = {
    left: Number.POSITIVE_INFINITY,
    top: Number.POSITIVE_INFINITY,
    right: Number.NEGATIVE_INFINITY,
    bottom: Number.NEGATIVE_INFINITY,
  };
  for (let at = 0; at + 1 < points.length; at += 2) {
    const [x = 0, y = 0] = [points[at], points[at + 1]];
    box.left = Math.min(box.left, x);
    box.right = Math.max(box.right, x);
    box.top = Math.min(box.top, y);
    box.bottom = Math.max(box.bottom, y);
  }
  return box;
}
