import { z } from 'zod';
import { reason, runId, subjectId, timestamp, versionRef } from '../ids.ts';
import { method, none } from '../rpc.ts';
import { administrators, analysts, everyone } from '../roles.ts';
import { retention } from './policy.ts';

const kind = z.enum(['keptData', 'runRecords', 'retiredVersions', 'rejectedVersions']);

/** Something that the policy of retention says should be erased now. */
const dueItem = z.strictObject({
  kind,
  /** A run id, or a version such as `credit-risk@1`. */
  id: z.string(),
  since: timestamp,
  dueAt: timestamp,
});
export type DueItem = z.infer<typeof dueItem>;

/** A copy of the vault that may still hold keys which were destroyed here. */
const olderBackup = z.strictObject({ name: z.string(), at: timestamp, place: z.string() });

const eraseResult = z.strictObject({
  /** What was erased: versions and runs by name, a person never. */
  erased: z.array(z.string()),
  keys: z.int(),
  files: z.int(),
  bytes: z.number(),
  rows: z.int(),
  /** Still due afterwards; one act takes a bounded number. */
  remaining: z.int(),
  /** False: the keys are gone, and the next sign-in clears up what they leave. */
  complete: z.boolean(),
  backups: z.array(olderBackup),
  /** For the person: shows that the log entry is about their id. Not kept in the vault. */
  receipt: z
    .strictObject({ logIndex: z.int(), salt: z.string(), commitment: z.string() })
    .nullable(),
  message: z.string(),
});
export type EraseResult = z.infer<typeof eraseResult>;

/** The reason stands in the log for ever, so it must not name the person. */
function namesNot({ subject, reason: text }: { subject: string; reason: string }): boolean {
  const at = text.toLowerCase().indexOf(subject.toLowerCase());
  if (at < 0) return true;
  const around = `${text[at - 1] ?? ''}${text[at + subject.length] ?? ''}`;
  return /[\p{L}\p{N}]/u.test(around);
}

export const erasure = {
  overview: method({
    input: none,
    output: z.strictObject({
      retention,
      kinds: z.array(z.strictObject({ kind, count: z.int(), bytes: z.number(), due: z.int() })),
      due: z.array(dueItem),
    }),
    access: everyone,
    about: 'Shows what is kept by kind, and what is due for erasure.',
  }),
  version: method({
    input: z.strictObject({ version: versionRef, reason }),
    output: eraseResult,
    access: administrators,
    action: 'model.erase',
    about: 'Destroys the keys of a version; its row, approvals and log entries stay.',
  }),
  data: method({
    input: z.strictObject({ runId, reason }),
    output: eraseResult,
    access: administrators,
    action: 'data.erase',
    about: 'Destroys the keys of the input and predictions that a run has kept.',
  }),
  subject: method({
    input: z.strictObject({ subject: subjectId, reason }).refine(namesNot, {
      path: ['reason'],
      message: 'must not name the person: it stands in the log',
    }),
    output: eraseResult,
    access: administrators,
    action: 'subject.erase',
    about: 'Destroys the key of one person in all kept data; the rows of others stay readable.',
  }),
  due: method({
    input: z.strictObject({ reason }),
    output: eraseResult,
    access: administrators,
    action: 'retention.erase',
    about: 'Erases what the policy of retention says is due.',
  }),
  showSubject: method({
    input: z.strictObject({ subject: subjectId }),
    output: z.strictObject({
      runs: z.array(
        z.strictObject({
          runId,
          model: z.string(),
          version: z.int(),
          keptAt: timestamp,
          rows: z.int(),
        }),
      ),
      rows: z.int(),
    }),
    access: analysts,
    action: 'subject.show',
    about: 'Shows what is kept on one person: runs and counts. The log says that it was asked.',
  }),
};
