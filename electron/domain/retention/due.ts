/** What the clocks of the policy say: which things have been kept for longer than their kind may be. */
import type { DueItem } from '#shared/contract/erasure.ts';
import type { Retention, RetentionKind } from '#shared/contract/policy.ts';

export interface KeptItem {
  readonly id: string;
  /** RFC 3339, UTC. */
  readonly since: string;
}

const dayMs = 24 * 3600 * 1000;

/** The longest overdue first. A clock of null never runs out. */
export function dueItems(
  clocks: Retention,
  kept: Readonly<Record<RetentionKind, readonly KeptItem[]>>,
  now: Date,
): DueItem[] {
  const kinds = Object.keys(kept) as RetentionKind[];
  return kinds
    .flatMap((kind) => {
      const days = clocks[kind];
      if (days === null) return [];
      return kept[kind].map(({ id, since }) => ({
        kind,
        id,
        since,
        dueAt: new Date(Date.parse(since) + days * dayMs).toISOString(),
      }));
    })
    .filter(({ dueAt }) => Date.parse(dueAt) <= now.getTime())
    .toSorted((a, b) => a.dueAt.localeCompare(b.dueAt) || a.id.localeCompare(b.id));
}
