/** What the scanner process answers, as the core accepts it. */
import { z } from 'zod';
import { modelFacts } from '#shared/contract/bundles.ts';
import { rules, type RuleId } from '../rules.ts';

const ruleId = z.custom<RuleId>(
  (value) => typeof value === 'string' && Object.hasOwn(rules, value),
);

export const scanAnswer = z.strictObject({
  findings: z.array(z.strictObject({ ruleId, message: z.string().max(1000) })).max(1000),
  facts: modelFacts.omit({ path: true, sizeBytes: true }).nullable(),
  external: z
    .array(z.strictObject({ location: z.string().max(65_536), end: z.number() }))
    .max(10_000),
});
export type ScanAnswer = z.infer<typeof scanAnswer>;

/** Bytes of the longest answer that the core reads. */
export const longestAnswer = 32 * 2 ** 20;
