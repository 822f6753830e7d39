/** What the children of a batch say in between, and the orders that they are given. A child's words are parsed in the core. */
import { z } from 'zod';
import { bindingRow, reject } from '#shared/contract/runs.ts';
import { profileState } from '#domain/monitoring/index.ts';
import type { Segment, TableInfo } from '#domain/tables/index.ts';

export const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const dialect = z.strictObject({
  delimiter: z.string().length(1),
  quote: z.enum(['"', "'"]).nullable(),
  encoding: z.enum(['utf-8', 'utf-16le', 'utf-16be', 'windows-1252', 'iso-8859-1']),
  decimal: z.enum(['.', ',']),
});

export const tableInfo: z.ZodType<TableInfo> = z.strictObject({
  format: z.enum(['csv', 'parquet', 'jsonl', 'arrow', 'images', 'texts']),
  columns: z.array(
    z.strictObject({
      name: z.string(),
      type: z.enum(['number', 'integer', 'boolean', 'text', 'bytes', 'list']),
      bits: z.literal([32, 64]).optional(),
    }),
  ),
  dialect: dialect.optional().transform((found) => found),
  bodyFrom: z.number(),
  extent: z.number().optional(),
});

export const segment: z.ZodType<Segment> = z.strictObject({
  index: z.int().nonnegative(),
  firstRow: z.int().positive(),
  rows: z.int().nonnegative(),
  from: z.number().nonnegative(),
  to: z.number().nonnegative(),
  sha256: sha256.optional().transform((found) => found),
  files: z
    .array(z.strictObject({ name: z.string(), sizeBytes: z.number(), sha256: z.string() }))
    .optional(),
});

/** Of the child that reads the input once. It answers with the SHA-256 of all of it. */
export const readerSaid = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('table'), info: tableInfo }),
  z.strictObject({ kind: z.literal('segment'), segment }),
  /** For leave to go on. */
  z.strictObject({ kind: z.literal('waiting'), index: z.int() }),
]);
export const readerAnswer = z.strictObject({ sha256 });

/** Segments up to this one may be told; the input is not to be read far ahead of those who score it. */
export interface ReaderOrder {
  readonly upTo: number;
}

/** Of the child that reads rows to be kept; it waits for an order after each. */
export const joinSaid = z.strictObject({
  rows: z.array(
    z.strictObject({
      row: z.int().positive(),
      input: z.array(z.string()),
      /** Null for a row that was rejected. */
      predictions: z.array(z.string()).nullable(),
      isBad: z.boolean(),
    }),
  ),
});
export type JoinedRow = z.infer<typeof joinSaid>['rows'][number];
export const joinAnswer = z.strictObject({ inputSha256: sha256, predictionsSha256: sha256 });

export const tablePreview = z.strictObject({
  info: tableInfo,
  /** Those that can be shown as text, and the first rows of them. */
  columns: z.array(z.string()),
  rows: z.array(z.array(z.string())),
  /** Which of those rows would be rejected. */
  rejects: z.array(reject),
  binding: z.array(bindingRow),
  unusedColumns: z.array(z.string()),
  problems: z.array(z.string()),
});
export type TablePreview = z.infer<typeof tablePreview>;

export const outputColumn = z.strictObject({
  name: z.string(),
  kind: z.enum(['number', 'integer', 'boolean', 'text', 'bytes']),
  float: z.boolean(),
});
export type OutputColumn = z.infer<typeof outputColumn>;

export const columnSpec = z.strictObject({
  name: z.string(),
  role: z.enum(['input', 'output']),
  kind: z.enum(['numeric', 'categorical', 'boolean']),
  min: z.number().optional(),
  max: z.number().optional(),
  categories: z.array(z.string()).optional(),
});

/** Milliseconds of processor time by stage. */
export const stageTimes = z.strictObject({
  read: z.number(),
  bind: z.number(),
  infer: z.number(),
  profile: z.number(),
  write: z.number(),
});
export type StageTimes = z.infer<typeof stageTimes>;

const columnsOfBatch = {
  columns: z.array(outputColumn),
  /** What is profiled of inputs and outputs, in this order. */
  specs: z.array(columnSpec),
};

export const piece = z.strictObject({
  kind: z.literal('piece'),
  index: z.int().nonnegative(),
  rows: z.int().nonnegative(),
  rejected: z.int().nonnegative(),
  outputBytes: z.number().nonnegative(),
  rejectBytes: z.number().nonnegative(),
  firstRows: z.array(z.array(z.string())).max(20),
  firstRejects: z.array(reject).max(50),
  /** Null when no row was scored. */
  scored: z.strictObject({ ...columnsOfBatch, profile: profileState }).nullable(),
  times: stageTimes,
});
export type Piece = z.infer<typeof piece>;

/** Of a child that scores. */
export const scorerSaid = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('loaded') }),
  /** What would be written if no row were scored. */
  z.strictObject({ kind: z.literal('bound'), ...columnsOfBatch }),
  piece,
]);

export type ScorerOrder =
  | { readonly kind: 'table'; readonly info: TableInfo }
  | { readonly kind: 'segment'; readonly segment: Segment; readonly slot: number }
  | { readonly kind: 'end' };
