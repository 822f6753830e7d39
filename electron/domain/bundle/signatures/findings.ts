/** What the signatures of a bundle mean to the gate. */
import type { Finding } from '#shared/contract/bundles.ts';
import { plural } from '#platform/plural.ts';
import { findingOf, type RuleId } from '../rules.ts';
import { signatureFileName, type CheckedSignatures, type SignerRule } from './check.ts';

/** What a second person can take the responsibility for: that nobody, or not everybody, who is trusted has signed. */
export const trustRules: readonly string[] = [
  'SR-SIG-001',
  'SR-SIG-002',
  'SR-SIG-004',
] satisfies RuleId[];

export function signatureFindings(checked: CheckedSignatures, rule: SignerRule): Finding[] {
  const { decisive, all, signers } = checked;
  const at = (status: string): string =>
    all.find((one) => one.status === status)?.path ?? signatureFileName;
  if (decisive.status === 'absent')
    return [findingOf('SR-SIG-001', signatureFileName, decisive.reason)];
  if (decisive.status === 'untrusted')
    return [findingOf('SR-SIG-002', at('untrusted'), decisive.reason)];
  if (decisive.status === 'invalid')
    return [findingOf('SR-SIG-003', at('invalid'), decisive.reason)];
  const missing =
    signers.names.length < signers.required
      ? [findingOf('SR-SIG-004', signatureFileName, missingSigners(signers, rule))]
      : [];
  const others = all
    .filter(({ status }) => status === 'untrusted')
    .map(({ path, reason }) => findingOf('SR-SIG-005', path, reason));
  return [...missing, ...others];
}

function missingSigners(
  { names, required }: CheckedSignatures['signers'],
  rule: SignerRule,
): string {
  const whom = rule.from.length === 0 ? 'of the trust list' : `among ${rule.from.join(', ')}`;
  const found = names.length === 0 ? 'none of them has signed' : `signed by ${names.join(', ')}`;
  return `The policy asks for ${plural(required, 'different signer')} ${whom}; ${found}.`;
}
