/**
 * What core and child tell each other over the IPC channel: JSON, small, parsed on both sides. Files travel as open
 * descriptors (numbers below are descriptors of the child), keys as base64, rows not at all.
 */
import { z } from 'zod';
import { errorCodes } from '#shared/errors.ts';
import { reject } from '#shared/contract/runs.ts';
import { goldenCases, pipelineSchema } from '#domain/bundle/index.ts';
import { profileSchema } from '#domain/monitoring/index.ts';

/** An encrypted object of the vault, open for reading. */
const sealedFile = z.strictObject({
  fd: z.int(),
  key: z.base64(),
  aad: z.base64(),
  sizeBytes: z.int(),
});
export type SealedFile = z.infer<typeof sealedFile>;

const modelFiles = z.strictObject({
  model: sealedFile,
  /** Files that the model names as external data, by the name it uses. */
  external: z.array(z.strictObject({ location: z.string(), file: sealedFile })),
});

const source = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('plain'), fd: z.int(), sizeBytes: z.int() }),
  z.strictObject({ kind: z.literal('sealed'), file: sealedFile }),
]);
export type Source = z.infer<typeof source>;

export const job = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('score'),
    ...modelFiles.shape,
    pipeline: pipelineSchema.nullable(),
    source,
    /** Where the rows go; null when only their profile is wanted. */
    output: z
      .strictObject({ fd: z.int(), rejectsFd: z.int(), keepColumns: z.boolean() })
      .nullable(),
    threads: z.int().min(1),
  }),
  z.strictObject({
    kind: z.literal('contact'),
    ...modelFiles.shape,
    runtime: z.enum(['wasm', 'native']),
    golden: goldenCases.nullable(),
  }),
]);
export type Job = z.infer<typeof job>;
export type ScoreJob = Extract<Job, { kind: 'score' }>;
export type ContactJob = Extract<Job, { kind: 'contact' }>;

export const scoreOutcome = z.strictObject({
  rows: z.int(),
  rejected: z.int(),
  inputSha256: z.string(),
  outputSha256: z.string(),
  outputColumns: z.array(z.string()),
  firstRows: z.array(z.array(z.string())).max(20),
  firstRejects: z.array(reject).max(50),
  profile: profileSchema,
});
export type ScoreOutcome = z.infer<typeof scoreOutcome>;

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
  z.strictObject({ kind: z.literal('done'), result: z.unknown() }),
  z.strictObject({
    kind: z.literal('failed'),
    code: z.enum(errorCodes),
    message: z.string().max(4000),
    details: z.record(z.string(), z.unknown()).optional(),
  }),
]);
export type ChildMessage = z.infer<typeof childMessage>;
