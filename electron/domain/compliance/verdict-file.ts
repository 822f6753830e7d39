/** `strongroom verify svr.dsse.json`: the signed verdict of a gate, on its own. */
import type { FileVerdict } from '#shared/contract/audit.ts';
import type { Trust } from '#domain/audit/index.ts';
import { verdictStatement, type VerdictStatement } from '#domain/bundle/index.ts';
import { checkStatement, hasPredicate, type StatementKind } from './signed-statement.ts';

const kind: StatementKind<VerdictStatement> = {
  kind: 'verdict',
  called: 'a verdict',
  schema: verdictStatement,
  keyHistory: ({ predicate }) => predicate.verifier.keyHistory,
  describe({ subject, predicate }) {
    const [bundle, ...files] = subject;
    return `${bundle?.name ?? ''} (sha256:${bundle?.digest.sha256 ?? ''}), ${files.length} files, judged ${predicate.timeCreated}: ${predicate.properties.join(', ')}.`;
  },
};

export function looksLikeVerdict(text: string): boolean {
  return hasPredicate(text, verdictStatement.shape.predicateType.value);
}

export function verifyVerdict(text: string, trust: Trust = {}): FileVerdict {
  return checkStatement(text, kind, trust).verdict;
}
