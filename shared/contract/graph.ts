/** The graph of a stored model, as the window draws it and as it is compared. */
import { z } from 'zod';
import { versionRef } from '../ids.ts';

/** Names and values come from the file: cut to this length, with nothing hidden in them. */
const shown = z.string().max(320);
const bundlePath = z.string().min(1).max(1024);
const size = z.union([z.int(), shown, z.null()]);

/** A value that flows along an edge. */
export const graphValue = z.strictObject({
  name: shown,
  /** Element type as ONNX names it, or what the value is instead of a tensor; empty where it is not known. */
  type: shown,
  /** Unknown sizes are null, named ones carry their name; null where not even the number of sizes is known. */
  shape: z.array(size).max(64).nullable(),
  /** Who says so: the file, or our own inference from the operators. */
  from: z.enum(['file', 'inferred', 'unknown']),
});
export type GraphValue = z.infer<typeof graphValue>;

export const graphConstant = z.strictObject({ type: shown, dims: z.array(z.number()).max(64) });

export const graphNode = z.strictObject({
  id: z.int().nonnegative(),
  /** `outer`: a value that a subgraph takes from the graph around it. */
  kind: z.enum(['operator', 'input', 'output', 'outer']),
  name: shown,
  op: shown,
  /** Empty for ONNX's own. */
  domain: shown,
  /** Second line of its box: its weights, or the type and shape of a value. */
  note: shown,
  /** Centre and width of its box; boxes are `nodeHeight` high. Units are CSS pixels at zoom 1. */
  x: z.number(),
  y: z.number(),
  width: z.number(),
  inputs: z.array(z.strictObject({ name: shown, constant: graphConstant.nullable() })).max(10_000),
  outputs: z.array(graphValue).max(10_000),
  attributes: z
    .array(
      z.strictObject({ name: shown, type: shown, value: shown, digest: z.string().nullable() }),
    )
    .max(1000),
  /** Parts that can be opened from here: subgraphs of If, Loop and Scan, the body of a function. */
  opens: z.array(z.strictObject({ label: shown, part: z.int().nonnegative() })).max(100),
});
export type GraphNode = z.infer<typeof graphNode>;

export const graphEdge = z.strictObject({
  from: z.int().nonnegative(),
  to: z.int().nonnegative(),
  /** Which output of `from`. */
  output: z.int().nonnegative(),
  /** x, y, x, y …, from the lower side of `from` to the upper side of `to`. */
  points: z.array(z.number()).max(500_000),
});
export type GraphEdge = z.infer<typeof graphEdge>;

/** The main graph, a subgraph of a node, or a function of the model. */
export const graphPart = z.strictObject({
  id: z.int().nonnegative(),
  kind: z.enum(['main', 'subgraph', 'function']),
  name: shown,
  /** The node that it belongs to. */
  parent: z.strictObject({ part: z.int().nonnegative(), node: shown }).nullable(),
  nodes: z.int(),
  edges: z.int(),
  width: z.number(),
  height: z.number(),
});
export type GraphPart = z.infer<typeof graphPart>;

export const nodeHeight = 44;

export const graphParts = {
  input: z.strictObject({
    version: versionRef,
    /** One of several models in the bundle; the one that runs unless told. */
    path: bundlePath.optional(),
  }),
  output: z.strictObject({
    path: z.string(),
    /** All models among the files of the version. */
    paths: z.array(z.string()),
    parts: z.array(graphPart).max(50_000),
  }),
};

/** Nodes, and edges, in one page. */
export const graphPageNodes = 1000;

export const graphPage = {
  input: z.strictObject({
    version: versionRef,
    path: bundlePath.optional(),
    part: z.int().nonnegative().default(0),
    page: z.int().nonnegative().default(0),
  }),
  output: z.strictObject({
    nodes: z.array(graphNode).max(graphPageNodes),
    edges: z.array(graphEdge).max(graphPageNodes),
    /** Null after the last one. */
    next: z.int().nullable(),
  }),
};
