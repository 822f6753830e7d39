/** `pipeline.json`, schema version 1 of ours: what the columns of a file mean to the model. FORMAT.md describes it for makers. */
import { z } from 'zod';

const text = z.string().max(200);

/** Counted before an element is looked at: each wrong one costs memory, and a bundle may bring millions. */
export function atMost<T extends z.ZodType>(count: number, element: T) {
  return z.array(z.unknown()).max(count).pipe(z.array(element));
}

export const pipelineColumn = z.strictObject({
  name: text.min(1),
  /** Input that takes the column; the column's own name if left out. Not used with `matrix`. */
  input: text.min(1).optional(),
  kind: z.enum(['numeric', 'categorical', 'boolean']),
  /** Plausible range: values outside are counted, and rejected with `reject`. */
  min: z.number().optional(),
  max: z.number().optional(),
  categories: atMost(1000, text).optional(),
  reject: z.boolean().optional(),
  unit: text.optional(),
  description: z.string().max(2000).optional(),
});
export type PipelineColumn = z.infer<typeof pipelineColumn>;

export const pipelineSchema = z.strictObject({
  schemaVersion: z.literal(1),
  /** Path of the model to run, when the bundle has several. */
  model: text.optional(),
  columns: atMost(20_000, pipelineColumn),
  /** Column of the file that tells whom a row is about; no input of the model. Used when rows are kept. */
  subject: text.min(1).optional(),
  /** For models with one input of shape [rows, columns]: the columns in order. */
  matrix: z
    .strictObject({
      input: text.min(1),
      columns: atMost(20_000, text.min(1)).refine((columns) => columns.length > 0),
    })
    .optional(),
  prediction: z.strictObject({ output: text.min(1), threshold: z.number().optional() }).optional(),
});
export type Pipeline = z.infer<typeof pipelineSchema>;
