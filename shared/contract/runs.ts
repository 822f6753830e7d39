import { z } from 'zod';
import { digest, fileName, fileToken, modelName, runId, timestamp, versionRef } from '../ids.ts';
import { job, method } from '../rpc.ts';
import { analysts, everyone, operators } from '../roles.ts';
import { overrideMark } from './bundles.ts';

export const bindingRow = z.strictObject({
  /** Column of the file, or null when none was found for the input. */
  column: z.string().nullable(),
  input: z.string(),
  type: z.string(),
  example: z.string().nullable(),
  problem: z.string().nullable(),
});
export type BindingRow = z.infer<typeof bindingRow>;

export const reject = z.strictObject({
  row: z.int(),
  column: z.string().nullable(),
  code: z.string(),
  message: z.string(),
});

export const tableFormat = z.enum(['csv', 'parquet', 'jsonl', 'arrow', 'images', 'texts']);
export const outputFormat = z.enum(['csv', 'jsonl', 'parquet', 'arrow']);

/** How a file of separated values is written. */
export const dialect = z.strictObject({
  delimiter: z.string().length(1),
  /** Null when quotes mean nothing. */
  quote: z.enum(['"', "'"]).nullable(),
  encoding: z.enum(['utf-8', 'utf-16le', 'utf-16be', 'windows-1252', 'iso-8859-1']),
  decimal: z.enum(['.', ',']),
});

export type Dialect = z.infer<typeof dialect>;

/** What somebody knows better than what would be told from the file. */
export const howToRead = {
  format: tableFormat.optional(),
  dialect: dialect.partial().default({}),
};

export const preview = z.strictObject({
  version: z.int(),
  model: modelName,
  format: tableFormat,
  /** Null for formats that have none. */
  dialect: dialect.nullable(),
  /** Those that can be shown as text. */
  columns: z.array(z.string()),
  /** The first ones, long fields cut. */
  rows: z.array(z.array(z.string())),
  /** Which of those rows would be rejected. */
  rejects: z.array(reject),
  binding: z.array(bindingRow),
  unusedColumns: z.array(z.string()),
  problems: z.array(z.string()),
});
export type Preview = z.infer<typeof preview>;

export const runState = z.enum(['running', 'done', 'failed', 'cancelled', 'interrupted']);

export const runSummary = z.strictObject({
  runId,
  model: modelName,
  version: z.int(),
  state: runState,
  startedAt: timestamp,
  finishedAt: timestamp.nullable(),
  actor: z.string(),
  inputName: z.string(),
  rows: z.int(),
  rejected: z.int(),
  seconds: z.number().nullable(),
  isReference: z.boolean(),
  /** It was interrupted, and can go on where it was. */
  canGoOn: z.boolean(),
  error: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
});
export type RunSummary = z.infer<typeof runSummary>;

export const runResult = z.strictObject({
  runId,
  model: modelName,
  version: z.int(),
  versionDigest: digest,
  rows: z.int(),
  rejected: z.int(),
  /** Who went on with it after an interruption, in that order; empty when it ran at a stretch. */
  resumedBy: z.array(z.string()).default([]),
  /** Of the scored rows, by column: how many are outside of the range or the categories that the pipeline states. */
  outOfRange: z.array(z.strictObject({ column: z.string(), rows: z.int().positive() })).default([]),
  seconds: z.number(),
  rowsPerSecond: z.number(),
  /** Of the pipeline that bound columns to inputs; null when that followed from names, types and shapes alone. */
  bindingDigest: digest.nullable().default(null),
  inputDigest: digest,
  outputDigest: digest,
  /** Null when no row was rejected. */
  rejectsDigest: digest.nullable().default(null),
  /** Of the signed receipt; null for runs from before there were any. */
  receiptDigest: digest.nullable().default(null),
  outputPath: z.string(),
  rejectsPath: z.string().nullable(),
  inputFormat: tableFormat.default('csv'),
  outputFormat: outputFormat.default('csv'),
  /** How the input was understood, where that was a choice. */
  dialect: dialect.nullable().default(null),
  outputColumns: z.array(z.string()),
  firstRows: z.array(z.array(z.string())),
  firstRejects: z.array(reject),
  /** Present when the version was let in against the gate. */
  override: overrideMark.nullable().default(null),
  /** Log index of the entry that announced the run. */
  logIndex: z.int(),
});
export type RunResult = z.infer<typeof runResult>;

export const keptData = z.strictObject({
  state: z.enum(['kept', 'erased']),
  keptAt: timestamp,
  erasedAt: timestamp.nullable(),
  /** Column that tells whom a row is about; null when the files are kept whole. */
  subject: z.string().nullable(),
  /** People of whom rows are still kept. */
  subjects: z.int().nullable(),
  rows: z.int(),
  /** Rows that named nobody: not kept. */
  leftOut: z.int(),
  erasedRows: z.int(),
  bytes: z.number(),
});
export type KeptData = z.infer<typeof keptData>;

const finishedRun = z.strictObject({
  ...runResult.shape,
  /** Beside the output; null when it could not be written there any more, and can be saved from the run. */
  receiptPath: z.string().nullable(),
  kept: keptData.nullable(),
});
export type FinishedRun = z.infer<typeof finishedRun>;

export const runs = {
  preview: method({
    input: z.strictObject({ version: versionRef, input: fileToken, ...howToRead }),
    output: preview,
    access: operators,
    about: 'Shows how the columns of a file would be bound to the inputs of a model.',
  }),
  start: job({
    input: z.strictObject({
      version: versionRef,
      input: fileToken,
      folder: fileToken,
      name: fileName,
      ...howToRead,
      /** Else what the name of the result says: `.parquet`, `.jsonl`, `.arrow`, and CSV for all others. */
      outputFormat: outputFormat.optional(),
      keepColumns: z.boolean().default(false),
      /** Makes this run the reference that later runs are compared with. */
      reference: z.boolean().default(false),
      /** Keeps input and predictions, encrypted, with the run. */
      keep: z.boolean().default(false),
      /** Column that tells whom a row is about: each person's rows can then be erased. Else what the pipeline says. */
      subject: z.string().min(1).max(200).optional(),
      /** Goes on with the interrupted run of this output, where there is one. */
      resume: z.boolean().default(false),
    }),
    output: finishedRun,
    access: operators,
    action: 'run.score',
    about:
      'Scores a file or folder in an isolated process and writes the predictions beside a reject file.',
  }),
  resume: job({
    input: z.strictObject({ runId }),
    output: finishedRun,
    access: operators,
    action: 'run.score',
    about: 'Goes on with an interrupted run: no row is scored twice, none is left out.',
  }),
  giveUp: method({
    input: z.strictObject({
      runId,
      /** There is nothing to remove any more. */
      gone: z.boolean().default(false),
    }),
    output: runSummary,
    access: operators,
    action: 'run.give-up',
    about: 'Removes the unfinished output of an interrupted run, which cannot go on then.',
  }),
  list: method({
    input: z.strictObject({
      model: modelName.optional(),
      limit: z.int().min(1).max(500).default(100),
    }),
    output: z.array(runSummary),
    access: everyone,
    about: 'Lists runs, newest first.',
  }),
  show: method({
    input: z.strictObject({ runId }),
    output: z.strictObject({
      summary: runSummary,
      result: runResult.nullable(),
      kept: keptData.nullable(),
    }),
    access: everyone,
    about: 'Shows one run, and what is kept of its data.',
  }),
  receipt: method({
    input: z.strictObject({ runId, folder: fileToken, name: fileName }),
    output: z.strictObject({ path: z.string(), digest }),
    access: everyone,
    about: 'Writes the signed receipt of a run once more.',
  }),
  export: job({
    input: z.strictObject({ runId, folder: fileToken, name: fileName }),
    output: z.strictObject({
      path: z.string(),
      files: z.array(z.string()),
      rows: z.int(),
      /** Rows whose person was erased: not in the files. */
      erasedRows: z.int(),
    }),
    access: analysts,
    action: 'data.export',
    about: 'Writes the kept input and predictions of a run into a new folder, decrypted.',
  }),
};
