import type { ReactNode } from 'react';
import type { InspectReport, SignatureResult } from '#shared/contract/bundles.ts';
import { listed, plural } from '../../lib/format.ts';
import { Digest } from '../../ui/Digest.tsx';
import { Facts } from '../../ui/Facts.tsx';
import { State } from '../../ui/State.tsx';
import { Time } from '../../ui/Time.tsx';
import { methodWord, signatureTone, signatureWord } from '../../ui/words.ts';

const notSigned = 'SR-SIG-001';

/** Every signature of a bundle, what it is worth here, and whether there are as many as the policy asks for. */
export function Signatures({ report }: { readonly report: InspectReport }) {
  const { signature, signatures, signers } = report;
  const shown = signatures.length === 0 ? [{ path: '', ...signature }] : signatures;
  // A bundle that was not read to its end may well be signed.
  const isUnread =
    signature.status === 'absent' && !report.findings.some(({ ruleId }) => ruleId === notSigned);
  return (
    <div className="stack" data-gap="large">
      {shown.map((one) => (
        <div key={one.path} className="stack">
          <State tone={signatureTone(one.status)}>
            {isUnread ? 'not checked' : signatureWord(one.status)}
          </State>
          {signatures.length < 2 ? null : <div className="quiet small mono">{one.path}</div>}
          <p className="small">{one.reason}</p>
          {one.keyId === null ? null : <Facts rows={factsOf(one)} />}
        </div>
      ))}
      {signers.required === 1 && signatures.length < 2 ? null : (
        <p className="small">
          The policy asks for {plural(signers.required, 'signer')};{' '}
          {signers.names.length === 0
            ? 'none counts.'
            : `${plural(signers.names.length, 'counts', 'count')}: ${listed(signers.names, 5)}.`}
        </p>
      )}
    </div>
  );
}

function factsOf(one: SignatureResult): (readonly [string, ReactNode])[] {
  return [
    ['Signer', one.signer ?? 'unknown'],
    ['Method', methodWord(one.method)],
    ['Key', <Digest key="key" value={one.keyId ?? ''} />],
    ...(one.expiresAt === null
      ? []
      : [['Valid until', <Time key="until" at={one.expiresAt} />] as const]),
  ];
}
