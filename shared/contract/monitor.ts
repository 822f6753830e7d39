import { z } from 'zod';
import { modelName, reason, runId, moment, timestamp, versionRef } from '../ids.ts';
import { method } from '../rpc.ts';
import { analysts, everyone } from '../roles.ts';

export const driftState = z.enum(['ok', 'watch', 'act']);
export type DriftState = z.infer<typeof driftState>;

/** Two distributions over the same bins, as shares that sum to 1 (missing values apart). */
export const distribution = z.strictObject({
  /** Edges (one more than bins) of a numeric column; null for categories. */
  edges: z.array(z.number()).nullable(),
  /** Names of the categories; null for numeric columns. */
  labels: z.array(z.string()).nullable(),
  reference: z.array(z.number()),
  current: z.array(z.number()),
});

export const columnDrift = z.strictObject({
  name: z.string(),
  role: z.enum(['input', 'output']),
  kind: z.enum(['numeric', 'categorical', 'boolean']),
  /** The test that was chosen for the type, such as `ks`, `chi-square`, `two-proportion`. */
  method: z.string(),
  /** Effect size and the size from which it counts, for this number of rows. */
  value: z.number(),
  threshold: z.number(),
  effect: z.string(),
  pValue: z.number().nullable(),
  /** After Benjamini–Hochberg over all columns of the comparison. */
  adjustedPValue: z.number().nullable(),
  state: driftState,
  reason: z.string(),
  missing: z.strictObject({
    reference: z.number(),
    current: z.number(),
    pValue: z.number().nullable(),
  }),
  outOfRange: z.int(),
  unseen: z.int(),
  distribution,
});
export type ColumnDrift = z.infer<typeof columnDrift>;

export const driftReport = z.strictObject({
  state: driftState,
  rows: z.strictObject({ reference: z.int(), current: z.int() }),
  tooFewRows: z.boolean(),
  columns: z.array(columnDrift),
  summary: z.string(),
});
export type DriftReport = z.infer<typeof driftReport>;

export const monitorPoint = z.strictObject({
  runId,
  at: timestamp,
  version: z.int(),
  rows: z.int(),
  state: z.enum(['ok', 'watch', 'act', 'reference']),
  drifted: z.int(),
  inputName: z.string(),
});

export const monitorView = z.strictObject({
  model: modelName,
  version: z.int(),
  state: z.enum(['ok', 'watch', 'act', 'unknown']),
  summary: z.string(),
  reference: z
    .strictObject({
      source: z.enum(['bundle', 'run']),
      runId: runId.nullable(),
      rows: z.int(),
      since: timestamp,
    })
    .nullable(),
  /** The run that `columns` describes; null when there is nothing to compare yet. */
  current: z.strictObject({ runId, at: timestamp, rows: z.int() }).nullable(),
  columns: z.array(columnDrift),
  timeline: z.array(monitorPoint),
});
export type MonitorView = z.infer<typeof monitorView>;

export const monitor = {
  show: method({
    input: z.strictObject({
      version: versionRef,
      runId: runId.optional(),
      from: moment.optional(),
      to: moment.optional(),
    }),
    output: monitorView,
    access: everyone,
    about:
      'Compares a run with the reference, column by column; the latest run unless one is named.',
  }),
  setReference: method({
    input: z.strictObject({ runId, reason }),
    output: monitorView,
    access: analysts,
    action: 'monitor.reference',
    about: 'Makes a finished run the reference of its version.',
  }),
};
