/**
 * `pipeline.json`, a schema of ours: what the columns of a file mean to the model. FORMAT.md of the bundle describes it for
 * makers. Version 1 stays valid for ever; version 2 has steps before and behind the model, as data.
 */
import { z } from 'zod';
import { outputName } from './outputs/output.ts';
import { outputStep } from './outputs/steps.ts';
import { inputStep } from './steps/steps.ts';
import { atMost, columnList } from './steps/step.ts';

const text = z.string().max(200);

const described = {
  name: text.min(1),
  kind: z.enum(['numeric', 'categorical', 'boolean']),
  /** Plausible range: values outside are counted, and rejected with `reject`. */
  min: z.number().optional(),
  max: z.number().optional(),
  categories: atMost(1000, text).optional(),
  reject: z.boolean().optional(),
  unit: text.optional(),
  description: z.string().max(2000).optional(),
};

/** Of MLflow's signatures. */
export const declaredType = z.enum([
  'boolean',
  'integer',
  'long',
  'float',
  'double',
  'string',
  'datetime',
]);
export type DeclaredType = z.infer<typeof declaredType>;

const column1 = z.strictObject({
  ...described,
  /** Input that takes the column; the column's own name if left out. Not used with `matrix`. */
  input: text.min(1).optional(),
});
const column2 = z.strictObject({
  ...described,
  /** What a column of a file must hold, or be widened to; see `signature.ts`. */
  type: declaredType.optional(),
  /** The file is refused without it, even if the model has no use for it. */
  required: z.boolean().optional(),
});
export type PipelineColumn = z.infer<typeof column2>;

/** An input as MLflow's signature declares it, see `signature.ts`. */
const tensor = z.strictObject({
  /** The only input without it. */
  name: text.min(1).optional(),
  /** NumPy's name. */
  dtype: text.min(1),
  /** -1: any size. */
  shape: z.array(z.int().min(-1)).max(32),
});
export type SignatureTensor = z.infer<typeof tensor>;

const common = {
  /** Path of the model to run, when the bundle has several. */
  model: text.optional(),
  /** Column of the file that tells whom a row is about; no input of the model. Used when rows are kept. */
  subject: text.min(1).optional(),
  prediction: z.strictObject({ output: text.min(1), threshold: z.number().optional() }).optional(),
};

const version1 = z.strictObject({
  schemaVersion: z.literal(1),
  ...common,
  columns: atMost(20_000, column1),
  /** For models with one input of shape [rows, columns]: the columns in order. */
  matrix: z
    .strictObject({
      input: text.min(1),
      columns: columnList,
    })
    .optional(),
});

const version2 = z.strictObject({
  schemaVersion: z.literal(2),
  ...common,
  /** Of the file, before any step. */
  columns: atMost(20_000, column2).default([]),
  /** What the inputs have to be, besides what the model says of them. */
  tensors: atMost(10_000, tensor).optional(),
  /** Before the model, in this order. */
  steps: atMost(1000, inputStep).default([]),
  /** By the name of an input: the column that feeds it, or several in order. Others are bound by their names. */
  inputs: z
    .record(z.string(), z.unknown())
    .refine((inputs) => Object.keys(inputs).length <= 10_000)
    .pipe(z.record(outputName, z.union([text.min(1), columnList])))
    .default({}),
  /** Behind the model, in this order. */
  outputs: atMost(1000, outputStep).default([]),
});

export const pipelineSchema = z.discriminatedUnion('schemaVersion', [version1, version2]);
export type Pipeline = z.infer<typeof pipelineSchema>;
export type PipelineV2 = z.infer<typeof version2>;
