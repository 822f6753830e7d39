/** The gate as tests ask it: a path, the sizes of what would be stored, and the rules that were broken. */
import { passGate, type GateResult } from '#domain/bundle/index.ts';
import { trusted } from './bundles.ts';

async function sizeOf(content: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0;
  for await (const chunk of content) size += chunk.length;
  return size;
}

export function pass(path: string, trust = [trusted]): Promise<GateResult<number>> {
  return passGate(path, { trust, now: new Date(), store: sizeOf });
}

export const rulesOf = ({ report }: GateResult<number>, level = 'error'): string[] =>
  report.findings.filter((found) => found.level === level).map(({ ruleId }) => ruleId);
