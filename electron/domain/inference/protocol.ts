/**
 * What core and child tell each other over the IPC channel: JSON, small. The core parses what a child says, which nobody
 * vouches for; a child has nobody but the core to hear. Files travel as open
 * descriptors (numbers below are descriptors of the child), keys as base64, rows not at all.
 */
import { z } from 'zod';
import type { TensorSpec } from '#shared/contract/bundles.ts';
import { errorCodes } from '#shared/errors.ts';
import type { GoldenCases } from '#domain/bundle/index.ts';
import type { Pipeline } from '#domain/pipeline/index.ts';
import type {
  ConvertedColumn,
  Dialect,
  OutputFormat,
  TableFormat,
  TableInfo,
} from '#domain/tables/index.ts';

/** An encrypted object of the vault, open for reading. */
export interface SealedFile {
  readonly fd: number;
  /** Base64. */
  readonly key: string;
  readonly aad: string;
  readonly sizeBytes: number;
}

export interface SealedModel {
  readonly model: SealedFile;
  /** Files that the model names as external data, by the name it uses. */
  readonly external: readonly { readonly location: string; readonly file: SealedFile }[];
  /** Files that its pipeline reads, by their paths in the bundle. */
  readonly assets: readonly { readonly path: string; readonly file: SealedFile }[];
}

export type Source =
  | { readonly kind: 'plain'; readonly fd: number; readonly sizeBytes: number }
  | { readonly kind: 'sealed'; readonly file: SealedFile }
  /** By its real path, at which it is shown to the child. */
  | { readonly kind: 'folder'; readonly path: string };

export interface ScoreJob extends SealedModel {
  readonly kind: 'score';
  readonly pipeline: Pipeline | null;
  readonly source: Source;
  /** Files for the pieces that segments become, by the slot that an order names; null when only the profile is wanted. */
  readonly output: {
    readonly slots: readonly number[];
    readonly keepColumns: boolean;
  } | null;
  readonly threads: number;
}

/** Reads the input of a batch once, without a model. */
export interface ReadJob {
  readonly kind: 'read';
  readonly source: Source;
  readonly format: TableFormat;
  /** What is known of the way it is written. */
  readonly asked: Partial<Dialect>;
}

/** Looks at the first rows of a table, without a model. */
export interface PreviewJob extends Omit<ReadJob, 'kind'>, Pick<SealedModel, 'assets'> {
  readonly kind: 'preview';
  readonly inputs: readonly TensorSpec[];
  readonly pipeline: Pipeline | null;
}

/** Reads the rows of an input as texts, and the predictions that were made of them, without a model. */
export interface JoinJob {
  readonly kind: 'join';
  readonly source: Source;
  readonly table: TableInfo;
  /** A CSV of this program. */
  readonly predictions: Source;
}

/** Makes another format of a finished file of predictions, without a model. */
export interface ConvertJob {
  readonly kind: 'convert';
  readonly source: Source;
  readonly outputFd: number;
  readonly format: Exclude<OutputFormat, 'csv'>;
  readonly columns: readonly ConvertedColumn[];
}

export interface ContactJob extends SealedModel {
  readonly kind: 'contact';
  readonly runtime: 'wasm' | 'native';
  readonly golden: GoldenCases | null;
  /** Its files are looked at, where it has some. */
  readonly pipeline?: Pipeline | undefined;
}

/** Answers requests over its standard streams when the model is loaded; see `frames.ts`. */
interface ResidentJob extends SealedModel {
  readonly kind: 'resident';
  /** Rows that the bundle brings to compare with. */
  readonly reference: SealedFile | null;
  readonly pipeline: Pipeline | null;
  readonly threads: number;
}

export type ModelJob = ScoreJob | ContactJob | ResidentJob;
export type Job = ModelJob | ReadJob | PreviewJob | JoinJob | ConvertJob;

export const contactOutcome = z.strictObject({
  checked: z.int(),
  failed: z.int(),
  message: z.string(),
});
export type ContactOutcome = z.infer<typeof contactOutcome>;

export const childMessage = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ready') }),
  z.strictObject({
    kind: z.literal('progress'),
    stage: z.enum(['load', 'run']),
    done: z.number(),
    total: z.number(),
    rows: z.int(),
  }),
  /** Between the job and the answer; the core answers with orders. */
  z.strictObject({ kind: z.literal('said'), what: z.unknown() }),
  z.strictObject({ kind: z.literal('done'), result: z.unknown() }),
  z.strictObject({
    kind: z.literal('failed'),
    code: z.enum(errorCodes),
    message: z.string().max(4000),
    details: z.record(z.string(), z.unknown()).optional(),
  }),
]);
export type ChildMessage = z.infer<typeof childMessage>;
