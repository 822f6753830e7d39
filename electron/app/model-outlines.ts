/** Outlines of stored models: read when somebody looks, the last few kept for as long as the vault is open. */
import { z } from 'zod';
import { AppError } from '#shared/errors.ts';
import {
  graphEdge,
  graphNode,
  graphPageNodes,
  type GraphEdge,
  type GraphNode,
} from '#shared/contract/graph.ts';
import { readOutline, type UnreadOutline } from '#domain/graph/index.ts';
import type { ResolvedVersion, StoredFile } from '#domain/registry/index.ts';
import type { OpenVault } from '#domain/vault/index.ts';
import { requireFiles, storedFile } from './model-access.ts';

export interface ModelOutlines {
  /** Of the model of the version, or of another one among its files. */
  of(
    version: ResolvedVersion,
    path: string | undefined,
    signal: AbortSignal,
  ): Promise<UnreadOutline>;
}

/** A large one takes some tens of megabytes. */
const kept = 2;

export function createModelOutlines(vault: OpenVault): ModelOutlines {
  /** By the content of the file, the one last asked for at the end. */
  const outlines = new Map<string, Promise<UnreadOutline>>();
  return {
    of(version, path, signal) {
      requireFiles(version);
      const { objectId, sha256 } = modelFile(version, path);
      const outline = outlines.get(sha256) ?? readObject(vault, objectId, { use: 'view', signal });
      outlines.delete(sha256);
      outlines.set(sha256, outline);
      for (const oldest of outlines.keys()) if (outlines.size > kept) outlines.delete(oldest);
      // What failed is tried again the next time.
      outline.catch(() => {
        if (outlines.get(sha256) === outline) outlines.delete(sha256);
      });
      return outline;
    },
  };
}

/** The outline of an object of the vault that is a model. Errors are those of `readOutline`. */
export async function readObject(
  vault: OpenVault,
  objectId: string,
  options: { readonly use: 'view' | 'compare'; readonly signal: AbortSignal },
): Promise<UnreadOutline> {
  const object = await vault.objects.open(objectId);
  try {
    return await readOutline(object.stream(), options);
  } finally {
    await object.close();
  }
}

export function modelPaths({ stored, facts }: ResolvedVersion): string[] {
  return stored
    .map(({ path }) => path)
    .filter((path) => path === facts.path || path.endsWith('.onnx'));
}

export function modelFile(version: ResolvedVersion, path = version.facts.path): StoredFile {
  if (!modelPaths(version).includes(path))
    throw new AppError('not-found', `The version has no model ${path}.`);
  return storedFile(version, path);
}

export function pageOf(
  { parts }: UnreadOutline,
  { part, page }: { readonly part: number; readonly page: number },
): { nodes: GraphNode[]; edges: GraphEdge[]; next: number | null } {
  const found = parts[part];
  if (found === undefined) throw new AppError('not-found', 'The model has no such graph.');
  const { nodes, edges } = found;
  const [start, end] = [page * graphPageNodes, (page + 1) * graphPageNodes];
  return {
    nodes: z.array(graphNode).parse(nodes.slice(start, end)),
    edges: z.array(graphEdge).parse(edges.slice(start, end)),
    next: end < Math.max(nodes.length, edges.length) ? page + 1 : null,
  };
}
