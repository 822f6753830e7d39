import { z } from 'zod';
import { auditAction } from '../actions.ts';
import { fileName, fileToken, reason, timestamp } from '../ids.ts';
import { job, method, none } from '../rpc.ts';
import { administrators, everyone } from '../roles.ts';

export const logObject = z.strictObject({
  type: z.string().max(40),
  id: z.string().max(300),
  digest: z.string().max(80).optional(),
});

export const logEntry = z.strictObject({
  v: z.literal(1),
  index: z.int().nonnegative(),
  time: timestamp,
  actor: z.string().max(64),
  role: z.string().max(20),
  session: z.string().max(64),
  host: z.string().max(120),
  phase: z.enum(['begin', 'outcome', 'event']),
  action: auditAction,
  /** For an outcome: the index of the entry that announced the act. */
  of: z.int().nonnegative().optional(),
  objects: z.array(logObject).max(200),
  outcome: z.enum(['ok', 'error', 'refused', 'cancelled']).optional(),
  code: z.string().max(40).optional(),
  reason: z.string().max(2000).optional(),
  details: z.record(z.string(), z.unknown()).optional(),
  /** Present when the machine's clock went back since the entry before. */
  clock: z.literal('backwards').optional(),
});
export type LogEntry = z.infer<typeof logEntry>;

export const listedEntry = z.strictObject({ entry: logEntry, leafHash: z.string() });

export const verifyStatus = z.discriminatedUnion('status', [
  z.strictObject({
    status: z.literal('intact'),
    size: z.int(),
    root: z.string(),
    message: z.string(),
  }),
  z.strictObject({
    status: z.literal('broken'),
    size: z.int(),
    root: z.string(),
    firstBroken: z.int().nullable(),
    message: z.string(),
  }),
]);
export type VerifyStatus = z.infer<typeof verifyStatus>;

export const check = z.strictObject({
  name: z.string(),
  /** Null when it could not be checked: what it is about was not there. */
  ok: z.boolean().nullable(),
  detail: z.string(),
});
export const fileVerdict = z.strictObject({
  /** Incomplete: no check failed, and some could not be made. */
  status: z.enum(['valid', 'incomplete', 'invalid']),
  kind: z.enum([
    'report',
    'proof',
    'checkpoint',
    'key-history',
    'log',
    'receipt',
    'backup',
    'verdict',
    'unknown',
  ]),
  checks: z.array(check),
  /** What the file speaks of and was not looked at, because it was not at hand: nothing is said for or against it. */
  unseen: z.array(z.string()).default([]),
});
export type FileVerdict = z.infer<typeof fileVerdict>;

export const audit = {
  list: method({
    input: z.strictObject({
      /** Only entries with a smaller index: the next page of a newest-first list. */
      before: z.int().nonnegative().optional(),
      after: z.int().nonnegative().optional(),
      limit: z.int().min(1).max(500).default(100),
      action: auditAction.optional(),
      actor: z.string().max(64).optional(),
      text: z.string().max(200).optional(),
    }),
    output: z.strictObject({ entries: z.array(listedEntry), total: z.int() }),
    access: everyone,
    about: 'Lists log entries, newest first.',
  }),
  verify: job({
    input: z.strictObject({ against: z.array(fileToken).max(50).optional() }),
    output: verifyStatus,
    access: everyone,
    about: 'Recomputes the whole log and compares it with checkpoints kept elsewhere.',
  }),
  checkpoint: method({
    input: none,
    output: z.strictObject({
      text: z.string(),
      size: z.int(),
      verifierKey: z.string(),
      /** Goes with the checkpoint: how its key follows from those before it. Null while it is the first. */
      keyHistory: z.string().nullable(),
      /** Oldest first; `until` is the size of the log up to which each was in use. */
      earlierKeys: z.array(z.strictObject({ verifierKey: z.string(), until: z.int() })),
    }),
    access: everyone,
    about: 'The newest signed checkpoint, to be kept outside the vault.',
  }),
  acceptPin: method({
    input: z.strictObject({ reason }),
    output: none,
    access: administrators,
    about: 'Accepts a vault that is older than the checkpoint this computer has kept of it.',
  }),
  prove: method({
    input: z.strictObject({ index: z.int().nonnegative() }),
    output: z.strictObject({ text: z.string(), index: z.int(), size: z.int() }),
    access: everyone,
    about: 'An inclusion proof (tlog-proof) for one entry, checkable without the vault.',
  }),
  export: job({
    input: z.strictObject({ folder: fileToken, name: fileName }),
    output: z.strictObject({ path: z.string(), entries: z.int(), root: z.string() }),
    access: everyone,
    action: 'audit.export',
    whenRolledBack: 'unlogged',
    about: 'Writes the log as a static tlog-tiles tree with its checkpoint.',
  }),
};
