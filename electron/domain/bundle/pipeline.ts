/** `pipeline.json`, schema version 1 of ours: what the columns of a file mean to the model. FORMAT.md describes it for makers. */
import { z } from 'zod';

const text = z.string().max(200);

export const pipelineColumn = z.strictObject({
  name: text.min(1),
  /** Input that takes the column; the column's own name if left out. Not used with `matrix`. */
  input: text.min(1).optional(),
  kind: z.enum(['numeric', 'categorical', 'boolean']),
  /** Plausible range: values outside are counted, and rejected with `reject`. */
  min: z.number().optional(),
  max: z.number().optional(),
  categories: z.array(text).max(1000).optional(),
  reject: z.boolean().optional(),
  unit: text.optional(),
  description: z.string().max(2000).optional(),
});
export type PipelineColumn = z.infer<typeof pipelineColumn>;

export const pipelineSchema = z.strictObject({
  schemaVersion: z.literal(1),
  /** Path of the model to run, when the bundle has several. */
  model: text.optional(),
  columns: z.array(pipelineColumn).max(20_000),
  /** Column of the file that tells whom a row is about; no input of the model. Used when rows are kept. */
  subject: text.min(1).optional(),
  /** For models with one input of shape [rows, columns]: the columns in order. */
  matrix: z
    .strictObject({ input: text.min(1), columns: z.array(text.min(1)).min(1).max(20_000) })
    .optional(),
  prediction: z.strictObject({ output: text.min(1), threshold: z.number().optional() }).optional(),
});
export type Pipeline = z.infer<typeof pipelineSchema>;

/** `golden/cases.json`: inputs and the outputs that their maker got. */
const goldenTensor = z.strictObject({
  shape: z.array(z.int().nonnegative()).max(8),
  /** Row-major; int64 values as decimal text when they are beyond 2^53. `null` stands for a missing number. */
  data: z.array(z.union([z.number(), z.string(), z.boolean(), z.null()])).max(1_000_000),
});
export const goldenCases = z.strictObject({
  schemaVersion: z.literal(1),
  /** Largest absolute difference that still counts as the same number. */
  tolerance: z.number().min(0).max(1),
  cases: z
    .array(
      z.strictObject({
        inputs: z.record(z.string(), goldenTensor),
        outputs: z
          .record(z.string(), goldenTensor)
          .refine((outputs) => Object.keys(outputs).length > 0),
      }),
    )
    .min(1)
    .max(1000),
});
export type GoldenCases = z.infer<typeof goldenCases>;
export type GoldenTensor = z.infer<typeof goldenTensor>;
