/** One graph of a model, fetched page by page from the top; what has come is shown while the rest comes. */
import { useEffect, useMemo, useState } from 'react';
import type { GraphEdge, GraphNode, GraphValue } from '#shared/contract/graph.ts';
import type { AppError } from '#shared/errors.ts';
import { client } from '../../../app/client.ts';
import { toAppError } from '../../../app/store.ts';
import { createScene, type Scene } from './scene.ts';

export interface LoadedGraph {
  readonly scene: Scene;
  readonly valueByName: ReadonlyMap<string, GraphValue>;
  /** Ids of the nodes above and below each node. */
  readonly above: ReadonlyMap<number, readonly number[]>;
  readonly below: ReadonlyMap<number, readonly number[]>;
  readonly isWhole: boolean;
}

interface Loading {
  readonly key: string;
  readonly nodes: GraphNode[];
  readonly edges: GraphEdge[];
  readonly pages: number;
  readonly isWhole: boolean;
  readonly error?: AppError;
}

export interface GraphOf {
  readonly version: string;
  readonly path: string;
  readonly part: number;
}

export function useGraph({ version, path, part }: GraphOf): {
  readonly graph: LoadedGraph | undefined;
  readonly error: AppError | undefined;
} {
  const key = JSON.stringify([version, path, part]);
  const [loading, setLoading] = useState<Loading>(() => nothing(key));
  useEffect(() => {
    let current = true;
    const { nodes, edges } = nothing(key);
    const fetchPage = async (page: number): Promise<void> => {
      const got = await client.models.graph({ version, path, part, page });
      if (!current) return;
      nodes.push(...got.nodes);
      edges.push(...got.edges);
      const isWhole = got.next === null;
      // The first page at once and then all of it: making the index of a large graph anew for each page would cost more.
      if (page === 0 || isWhole)
        setLoading({ key, nodes: [...nodes], edges: [...edges], pages: page + 1, isWhole });
      if (got.next !== null) await fetchPage(got.next);
    };
    fetchPage(0).catch((error: unknown) => {
      if (current) setLoading({ ...nothing(key), error: toAppError(error) });
    });
    return () => {
      current = false;
    };
  }, [key, version, path, part]);
  const graph = useMemo(
    () => (loading.key === key && loading.pages > 0 ? prepare(loading) : undefined),
    [loading, key],
  );
  return { graph, error: loading.key === key ? loading.error : undefined };
}

function nothing(key: string): Loading {
  return { key, nodes: [], edges: [], pages: 0, isWhole: false };
}

function prepare({ nodes, edges, isWhole }: Loading): LoadedGraph {
  const valueByName = new Map<string, GraphValue>();
  for (const { outputs } of nodes)
    for (const value of outputs) if (value.name !== '') valueByName.set(value.name, value);
  const above = new Map<number, number[]>();
  const below = new Map<number, number[]>();
  const push = (map: Map<number, number[]>, at: number, other: number): void => {
    const list = map.get(at);
    if (list === undefined) map.set(at, [other]);
    // Edges come sorted, so that the same two stand next to each other.
    else if (list.at(-1) !== other) list.push(other);
  };
  for (const { from, to } of edges)
    if (from < nodes.length && to < nodes.length) {
      push(below, from, to);
      push(above, to, from);
    }
  const drawable = edges.filter(({ from, to }) => from < nodes.length && to < nodes.length);
  return { scene: createScene(nodes, drawable), valueByName, above, below, isWhole };
}
