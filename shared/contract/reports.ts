import { z } from 'zod';
import { digest, fileName, fileToken, modelName, moment, timestamp } from '../ids.ts';
import { job, method, none } from '../rpc.ts';
import { everyone } from '../roles.ts';
import { fileVerdict } from './audit.ts';

export const reportKinds = ['production-history'] as const;
export const reportKind = z.enum(reportKinds);

export const madeReport = z.strictObject({
  kind: reportKind,
  digest,
  name: z.string(),
  at: timestamp,
  actor: z.string(),
  entries: z.int(),
  logSize: z.int(),
});
export type MadeReport = z.infer<typeof madeReport>;

export const reports = {
  list: method({
    input: none,
    output: z.array(madeReport),
    access: everyone,
    about: 'Lists the reports that were made.',
  }),
  make: job({
    input: z.strictObject({
      kind: reportKind,
      folder: fileToken,
      name: fileName,
      model: modelName.optional(),
      from: moment.optional(),
      to: moment.optional(),
    }),
    output: z.strictObject({ ...madeReport.shape, path: z.string() }),
    access: everyone,
    action: 'report.make',
    whenRolledBack: 'unlogged',
    about: 'Computes a report from the log and writes it as PDF/A-3 with its evidence inside.',
  }),
  verify: job({
    input: z.strictObject({
      file: fileToken,
      verifierKey: z.string().max(300).optional(),
      /** Key history of the log, for a file that is signed with another of its keys than the given one. */
      keyHistory: fileToken.optional(),
      /** Of a receipt: what the run is said to have read. Else a file of that name beside the receipt, where there is one. */
      input: fileToken.optional(),
    }),
    output: fileVerdict,
    access: 'anyone',
    about: 'Checks a report, proof, checkpoint or exported log; needs no vault.',
  }),
};
