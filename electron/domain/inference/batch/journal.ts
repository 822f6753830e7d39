/**
 * How far a batch has come: enough to go on after a kill with the next segment, and to know that input and output are still
 * those that it is about. It holds what the profile is made from, so it is kept in the vault and not beside the output.
 */
import { z } from 'zod';
import { AppError } from '#shared/errors.ts';
import { reject } from '#shared/contract/runs.ts';
import { profileState } from '#domain/monitoring/index.ts';
import { columnSpec, outputColumn, sha256, tableInfo } from './messages.ts';

export const batchJournal = z.strictObject({
  schemaVersion: z.literal(1),
  inputBytes: z.number(),
  inputModifiedMs: z.number(),
  table: tableInfo,
  /** Segments before this one are in the output. */
  next: z.int().nonnegative(),
  /** Of the input before that segment; null for formats that are not read in the order of their bytes. */
  inputSha256: sha256.nullable(),
  rows: z.int(),
  rejected: z.int(),
  outputBytes: z.number(),
  outputSha256: sha256,
  rejectsBytes: z.number(),
  rejectsSha256: sha256,
  firstRows: z.array(z.array(z.string())),
  firstRejects: z.array(reject),
  scored: z
    .strictObject({
      columns: z.array(outputColumn),
      specs: z.array(columnSpec),
      profile: profileState,
    })
    .nullable(),
  seconds: z.number(),
});
export type BatchJournal = z.infer<typeof batchJournal>;

/** What a run would go on from is not what it has left. Nothing was changed, and it can still go on from the right files. */
export class ResumeRefused extends AppError {
  constructor(reason: string) {
    super('conflict', `${reason} Nothing was changed.`);
  }
}
