/** What the outlining child answers, as the core accepts it. */
import { z } from 'zod';
import { errorCodes } from '#shared/errors.ts';
import { graphEdge, graphNode, graphPart } from '#shared/contract/graph.ts';

const weight = z.strictObject({
  part: z.int().nonnegative(),
  name: z.string().max(320),
  type: z.string().max(32),
  dims: z.array(z.number()).max(64),
  /** SHA-256 of the values, hex; null where they lie beside the model. */
  digest: z.string().length(64).nullable(),
  external: z
    .strictObject({
      location: z.string().max(1024),
      offset: z.number(),
      length: z.number().nullable(),
    })
    .nullable(),
});
export type Weight = z.infer<typeof weight>;

const outlinePart = z.strictObject({
  part: graphPart,
  nodes: z.array(graphNode),
  edges: z.array(graphEdge),
});
export type OutlinePart = z.infer<typeof outlinePart>;

export const outline = z.strictObject({
  parts: z.array(outlinePart).max(50_000),
  weights: z.array(weight).max(500_000),
});
export type Outline = z.infer<typeof outline>;

/** The same with the long lists unread: they are parsed page by page, when somebody wants to see them. */
export const outlineAnswer = z.union([
  z.strictObject({
    ok: z.literal(true),
    outline: z.strictObject({
      parts: z
        .array(
          z.strictObject({
            part: graphPart,
            nodes: z.array(z.unknown()),
            edges: z.array(z.unknown()),
          }),
        )
        .max(50_000),
      weights: z.array(z.unknown()),
    }),
  }),
  z.strictObject({
    ok: z.literal(false),
    code: z.enum(errorCodes),
    message: z.string().max(1000),
  }),
]);
export type UnreadOutline = Extract<z.infer<typeof outlineAnswer>, { ok: true }>['outline'];

/** Bytes of the longest answer that the core reads. */
export const longestAnswer = 192 * 2 ** 20;
