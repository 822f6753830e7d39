/** The gate as tests ask it: a path, the digests of what would be stored, and the rules that were broken. */
import {
  digestOf,
  passGate,
  type Digested,
  type FindKnown,
  type GateResult,
} from '#domain/bundle/index.ts';
import { trusted } from './bundles.ts';

export function pass(
  path: string,
  trust = [trusted],
  known?: FindKnown<Digested>,
): Promise<GateResult<Digested>> {
  return passGate(path, { trust, now: new Date(), store: digestOf, known });
}

export const rulesOf = ({ report }: GateResult<Digested>, level = 'error'): string[] =>
  report.findings.filter((found) => found.level === level).map(({ ruleId }) => ruleId);
