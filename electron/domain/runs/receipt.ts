/**
 * The receipt of a run: a statement of the vault that others can check against the files, an in-toto Statement v1 in a DSSE
 * envelope signed with the key of the log. Its subjects are the files that the run wrote, its predicate says from what, with
 * what, by whom and when. FORMAT.md beside it is normative.
 */
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { z } from 'zod';
import { canonicalBytes } from '#platform/canonical-json.ts';
import { signStatement } from '#platform/dsse.ts';
import { modelName } from '#shared/ids.ts';

export const receiptPredicate = 'https://strongroom.invalid/run/v1';

const sha256 = z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/) });
/** A receipt may come from anywhere: what it names must be a file beside it. */
export const plainName = z.string().regex(/^(?!\.{1,2}$)[^/\\\0]{1,255}$/);

export const receiptStatement = z.strictObject({
  _type: z.literal('https://in-toto.io/Statement/v1'),
  /** The predictions, and the rejected rows where there are some. */
  subject: z
    .array(z.strictObject({ name: plainName, digest: sha256 }))
    .min(1)
    .max(2),
  predicateType: z.literal(receiptPredicate),
  predicate: z.strictObject({
    runId: z.string(),
    input: z.strictObject({ name: z.string(), format: z.string(), digest: sha256 }),
    model: z.strictObject({ name: modelName, version: z.int(), digest: sha256 }),
    /** Of the canonical JSON of what bound columns to inputs; null where it followed from names and types alone. */
    binding: z.strictObject({ digest: sha256 }).nullable(),
    counts: z.strictObject({
      rows: z.int(),
      rejected: z.int(),
      /** Not in receipts from before it was counted. */
      outOfRange: z.array(z.strictObject({ column: z.string(), rows: z.int() })).optional(),
    }),
    /** Who began the run. */
    by: z.string(),
    /** Who went on with it after an interruption, in that order; not there when it ran at a stretch. */
    resumedBy: z.array(z.string()).min(1).optional(),
    startedAt: z.iso.datetime(),
    finishedAt: z.iso.datetime(),
    settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
    /** The entry that announced the run, and how the signing key follows from those before it. */
    log: z.strictObject({ index: z.int(), keyHistory: z.string().optional() }),
  }),
});
export type ReceiptStatement = z.infer<typeof receiptStatement>;

export interface ReceiptFacts {
  readonly runId: string;
  readonly input: { readonly name: string; readonly format: string; readonly digest: string };
  readonly model: { readonly name: string; readonly version: number; readonly digest: string };
  /** Any JSON; undefined where nothing was said. */
  readonly binding: unknown;
  readonly output: { readonly path: string; readonly digest: string };
  readonly rejects: { readonly path: string; readonly digest: string } | undefined;
  readonly counts: ReceiptStatement['predicate']['counts'];
  readonly by: string;
  readonly resumedBy: readonly string[];
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly settings: ReceiptStatement['predicate']['settings'];
  readonly logIndex: number;
}

/** Digests of the facts are `sha256:…`, as everywhere in the program; in the statement they are hex. */
export function signReceipt(
  facts: ReceiptFacts,
  log: {
    readonly verifierKey: string;
    /** Of that key; empty while it is the first of its log. */
    readonly keyHistory: string;
    readonly sign: (message: Uint8Array) => Uint8Array;
  },
): { readonly text: string; readonly digest: string } {
  const { runId, input, model, counts, by, resumedBy, startedAt, finishedAt, settings } = facts;
  const statement: ReceiptStatement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [facts.output, ...(facts.rejects === undefined ? [] : [facts.rejects])].map(
      ({ path, digest }) => ({ name: basename(path), digest: toDigest(digest) }),
    ),
    predicateType: receiptPredicate,
    predicate: {
      runId,
      input: { ...input, digest: toDigest(input.digest) },
      model: { ...model, digest: toDigest(model.digest) },
      binding:
        facts.binding === undefined
          ? null
          : { digest: { sha256: hexDigestOf(canonicalBytes(facts.binding)) } },
      counts,
      by,
      ...(resumedBy.length === 0 ? {} : { resumedBy: [...resumedBy] }),
      startedAt,
      finishedAt,
      settings,
      log: {
        index: facts.logIndex,
        ...(log.keyHistory === '' ? {} : { keyHistory: log.keyHistory }),
      },
    },
  };
  const envelope = signStatement(statement, { keyid: log.verifierKey, sign: log.sign });
  const text = `${JSON.stringify(envelope)}\n`;
  return { text, digest: `sha256:${hexDigestOf(Buffer.from(text))}` };
}

/** `predictions.csv` → `predictions.csv.receipt.json`. */
export function receiptPathOf(outputPath: string): string {
  return `${outputPath}.receipt.json`;
}

function toDigest(digest: string): { readonly sha256: string } {
  return { sha256: digest.replace('sha256:', '') };
}

function hexDigestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
