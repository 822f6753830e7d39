/** What a walk over a model says: rules and sentences, a bounded number of each. */
import { printable } from '#platform/printable.ts';
import type { RuleId } from '../rules.ts';

export interface Seen {
  readonly ruleId: RuleId;
  readonly message: string;
}

export type Report = (ruleId: RuleId, message: string) => void;

/** Findings of one rule beyond this many say nothing new. */
const perRule = 20;

export function createReport(): { readonly report: Report; readonly seen: Seen[] } {
  const seen: Seen[] = [];
  const counts = new Map<RuleId, number>();
  return {
    seen,
    report(ruleId, message) {
      const count = (counts.get(ruleId) ?? 0) + 1;
      counts.set(ruleId, count);
      if (count <= perRule) seen.push({ ruleId, message });
    },
  };
}

/** Names come from the file: shown short and without hidden characters. */
export function named(text: string | undefined): string {
  return printable(text ?? '').slice(0, 80) || '(empty)';
}
