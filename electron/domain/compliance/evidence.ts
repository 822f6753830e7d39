/** What a report carries beside its pages: names of the attachments and the form of `evidence.json` (FORMAT.md of `audit`). */
import { z } from 'zod';
import { productionHistorySchema } from './production-history.ts';

export const attachmentNames = {
  evidence: 'evidence.json',
  entries: 'entries.jsonl',
  proofs: 'proofs.jsonl',
  checkpoint: 'checkpoint.txt',
  key: 'verifier-key.txt',
} as const;
/** There once the log has had more than one key. */
export const keyHistoryName = 'key-history.txt';

export const evidenceSchema = z.strictObject({
  schemaVersion: z.literal(1),
  kind: z.literal('production-history'),
  filter: z.strictObject({
    model: z.string().nullable(),
    from: z.string().nullable(),
    to: z.string().nullable(),
  }),
  madeAt: z.string(),
  madeBy: z.string(),
  log: z.strictObject({ origin: z.string(), size: z.int(), root: z.string() }),
  /** Indexes of the entries that the history is computed from. */
  entries: z.array(z.int()),
  history: productionHistorySchema,
});
export type Evidence = z.infer<typeof evidenceSchema>;
