/** Two versions side by side: what differs, by area, and how much is the same. */
import { z } from 'zod';
import { versionRef } from '../ids.ts';

export const diffAreas = [
  'graph',
  'weights',
  'inputs',
  'outputs',
  'operators',
  'metrics',
  'card',
  'pipeline',
  'files',
  'model',
] as const;
const diffArea = z.enum(diffAreas);
export type DiffArea = z.infer<typeof diffArea>;

const change = z.strictObject({
  what: z.string(),
  kind: z.enum(['added', 'removed', 'changed']),
  from: z.string().nullable(),
  to: z.string().nullable(),
});
export type Change = z.infer<typeof change>;

export interface Compared {
  readonly area: DiffArea;
  readonly same: number;
  readonly changes: readonly Change[];
}

/** Changes of one area that are listed; of more only the number is told. */
export const mostChanges = 2000;

const total = z.int().nonnegative();

export const versionDiff = {
  input: z.strictObject({ from: versionRef, to: versionRef }),
  output: z.strictObject({
    from: versionRef,
    to: versionRef,
    areas: z.array(
      z.strictObject({
        area: diffArea,
        same: total,
        added: total,
        removed: total,
        changed: total,
        changes: z.array(change).max(mostChanges),
      }),
    ),
    /** Why something was not compared. */
    notes: z.array(z.string()),
  }),
};
export type VersionDiff = z.infer<typeof versionDiff.output>;
