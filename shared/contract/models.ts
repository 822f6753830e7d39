import { z } from 'zod';
import { digest, modelName, reason, timestamp, versionRef } from '../ids.ts';
import { method, none } from '../rpc.ts';
import { analysts, approvers, everyone, operators } from '../roles.ts';
import {
  fileSignature,
  finding,
  firstContact,
  modelCard,
  modelFacts,
  overrideMark,
  signatureResult,
} from './bundles.ts';
import { versionDiff } from './diff.ts';
import { graphPage, graphParts } from './graph.ts';
import { stage } from './stage.ts';

export const pendingRequest = z.strictObject({
  to: stage,
  requestedBy: z.string(),
  requestedAt: timestamp,
  reason: z.string(),
});

/** What the signature that a version came in with is worth today; `never`: nobody who is trusted signed it. */
export const signerTrust = z.enum(['trusted', 'expired', 'removed', 'never']);
export type SignerTrust = z.infer<typeof signerTrust>;

export const versionSummary = z.strictObject({
  model: modelName,
  version: z.int().positive(),
  digest,
  stage,
  aliases: z.array(z.string()),
  importedAt: timestamp,
  importedBy: z.string(),
  signature: signatureResult,
  signerTrust,
  overridden: z.boolean(),
  /** Of an overridden version: shown for ever. */
  override: overrideMark.nullable(),
  sizeBytes: z.number(),
  pending: pendingRequest.nullable(),
});
export type VersionSummary = z.infer<typeof versionSummary>;

export const modelSummary = z.strictObject({
  name: modelName,
  description: z.string().nullable(),
  /** As the card of the newest version names them; empty when it names none. */
  licences: z.array(z.string()),
  versions: z.int(),
  latest: versionSummary,
  production: z.int().nullable(),
  /** Versions that were let in against the gate. */
  overridden: z.array(z.int()),
  pending: z.int(),
  lastRunAt: timestamp.nullable(),
  monitorState: z.enum(['ok', 'watch', 'act', 'unknown']),
});
export type ModelSummary = z.infer<typeof modelSummary>;

export const versionDetail = z.strictObject({
  ...versionSummary.shape,
  format: z.string(),
  files: z.array(z.strictObject({ path: z.string(), bytes: z.number(), sha256: z.string() })),
  facts: modelFacts,
  card: modelCard.nullable(),
  /** All signatures that it came in with, as they were judged then. */
  signatures: z.array(fileSignature),
  findings: z.array(finding),
  firstContact,
});
export type VersionDetail = z.infer<typeof versionDetail>;

export const historyEvent = z.strictObject({
  at: timestamp,
  version: z.int().nullable(),
  kind: z.enum(['imported', 'stage', 'alias', 'requested', 'request-closed']),
  from: z.string().nullable(),
  to: z.string().nullable(),
  actor: z.string(),
  reason: z.string().nullable(),
});
export type HistoryEvent = z.infer<typeof historyEvent>;

export const aliasInterval = z.strictObject({
  alias: z.string(),
  version: z.int(),
  from: timestamp,
  to: timestamp.nullable(),
  actor: z.string(),
});

export const lifecycleResult = z.strictObject({
  status: z.enum(['done', 'pending']),
  model: modelName,
  version: z.int(),
  stage,
  message: z.string(),
});
export type LifecycleResult = z.infer<typeof lifecycleResult>;

const decision = z.strictObject({ version: versionRef, reason });

export const models = {
  list: method({
    input: none,
    output: z.array(modelSummary),
    access: everyone,
    about: 'Lists the models.',
  }),
  show: method({
    input: z.strictObject({ model: modelName }),
    output: z.strictObject({ summary: modelSummary, versions: z.array(versionSummary) }),
    access: everyone,
    about: 'Shows a model and its versions.',
  }),
  version: method({
    input: z.strictObject({ version: versionRef }),
    output: versionDetail,
    access: everyone,
    about: 'Shows one version: files, graph facts, card, findings.',
  }),
  parts: method({
    ...graphParts,
    access: everyone,
    about: "Lists the graphs of a version's model: main graph, subgraphs, functions.",
  }),
  graph: method({
    ...graphPage,
    access: everyone,
    about: 'Shows one graph of a model, page by page, with places to draw it at.',
  }),
  diff: method({
    ...versionDiff,
    access: everyone,
    about:
      'Compares two versions: graph, weights, inputs, outputs, operators, metrics, card, pipeline, files.',
  }),
  history: method({
    input: z.strictObject({ model: modelName }),
    output: z.strictObject({ events: z.array(historyEvent), aliases: z.array(aliasInterval) }),
    access: everyone,
    about: 'What happened to a model, and which version an alias named when.',
  }),
  promote: method({
    input: z.strictObject({
      version: versionRef,
      to: z.enum(['candidate', 'approved', 'production']),
      reason,
    }),
    output: lifecycleResult,
    access: operators,
    action: 'model.promote',
    about: 'Moves a version up; to production it may wait for a second person.',
  }),
  approve: method({
    input: decision,
    output: lifecycleResult,
    access: approvers,
    action: 'model.approve',
    about: 'Approves a waiting promotion; never by who asked for it or imported the version.',
  }),
  reject: method({
    input: decision,
    output: lifecycleResult,
    access: approvers,
    action: 'model.reject',
    about: 'Rejects a version, or a promotion that waits.',
  }),
  rollback: method({
    input: z.strictObject({ model: modelName, reason }),
    output: lifecycleResult,
    access: operators,
    action: 'model.rollback',
    about: 'Puts the previous production version back, after checking its files.',
  }),
  retire: method({
    input: decision,
    output: lifecycleResult,
    access: analysts,
    action: 'model.retire',
    about: 'Takes a version out of use; it stays in the vault.',
  }),
};
