/**
 * The verdict of the gate as a statement that others can check: an in-toto Statement v1 with the predicate Simple Verification
 * Result v0.2, in a DSSE envelope signed with the key of the log. Its subjects are the bundle (by the digest of its manifest, or of
 * the archive where reading ended early) and every file that was read; its properties say what the gate saw, and which SARIF file holds the findings.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { InspectReport } from '#shared/contract/bundles.ts';
import type { PolicyState } from '#shared/contract/policy.ts';
import { canonicalBytes } from '#platform/canonical-json.ts';
import { signStatement } from '#platform/dsse.ts';
import { reportToSarif } from './sarif.ts';

export type Decision = 'accepted' | 'overridden' | 'refused';

const svrPredicate = 'https://in-toto.io/attestation/svr/v0.2';
const verifierId = 'https://strongroom.invalid/gate/v1';
const policyUri = 'https://strongroom.invalid/policy/v1';

const sha256 = z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/) });
export const verdictStatement = z.strictObject({
  _type: z.literal('https://in-toto.io/Statement/v1'),
  subject: z.array(z.strictObject({ name: z.string(), digest: sha256 })).min(1),
  predicateType: z.literal(svrPredicate),
  predicate: z.strictObject({
    verifier: z.strictObject({
      id: z.literal(verifierId),
      policies: z.array(z.strictObject({ uri: z.string(), digest: sha256 })),
      /** How the signing key follows from those before it; left out while it is the first of its log. */
      keyHistory: z.string().optional(),
    }),
    timeCreated: z.iso.datetime(),
    properties: z.array(z.string()).min(1),
  }),
});
export type VerdictStatement = z.infer<typeof verdictStatement>;

export interface SignedVerdict {
  readonly decision: Decision;
  /** Text of the DSSE envelope, and of the SARIF log. */
  readonly svr: string;
  readonly sarif: string;
  /** `sha256:…` of the two texts. */
  readonly svrDigest: string;
  readonly sarifDigest: string;
}

export function signVerdict(
  report: InspectReport,
  options: {
    readonly decision: Decision;
    readonly policy: PolicyState;
    readonly now: Date;
    readonly version: string;
    readonly verifierKey: string;
    /** Of that key; empty while it is the first of its log. */
    readonly keyHistory: string;
    readonly sign: (message: Uint8Array) => Uint8Array;
  },
): SignedVerdict {
  const sarif = reportToSarif(report, { version: options.version });
  const sarifDigest = digestOf(sarif);
  const statement: VerdictStatement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: subjectsOf(report),
    predicateType: svrPredicate,
    predicate: {
      verifier: {
        id: verifierId,
        policies: [
          { uri: policyUri, digest: { sha256: hexDigestOf(canonicalBytes(options.policy)) } },
        ],
        ...(options.keyHistory === '' ? {} : { keyHistory: options.keyHistory }),
      },
      timeCreated: options.now.toISOString(),
      properties: propertiesOf(report, options.decision, sarifDigest),
    },
  };
  const svr = `${JSON.stringify(signStatement(statement, { keyid: options.verifierKey, sign: options.sign }))}\n`;
  return { decision: options.decision, svr, sarif, svrDigest: digestOf(svr), sarifDigest };
}

/** The manifest of a bundle that was not read to its end would name something that nobody has; what it is packed in is there. */
function subjectsOf({ name, manifestDigest, packedIn, files }: InspectReport) {
  const whole = { path: name, sha256: manifestDigest.replace('sha256:', '') };
  return [...(packedIn.length > 0 ? packedIn : [whole]), ...files].map(
    ({ path, sha256: digest }) => ({ name: path, digest: { sha256: digest } }),
  );
}

/** What holds of the bundle, as names; a rule is named when it was found. */
function propertiesOf(
  { signature, signers, findings }: InspectReport,
  decision: Decision,
  sarifDigest: string,
): string[] {
  // A bundle that was not read to its end may well be signed.
  const isUnknown =
    signature.status === 'absent' && !findings.some(({ ruleId }) => ruleId === 'SR-SIG-001');
  const rules = [...new Set(findings.map(({ ruleId }) => ruleId))].toSorted();
  return [
    `STRONGROOM_GATE_${decision.toUpperCase()}`,
    `STRONGROOM_SIGNATURE_${isUnknown ? 'NOT_CHECKED' : signature.status.toUpperCase()}`,
    `STRONGROOM_SIGNERS_${signers.names.length}_OF_${signers.required}`,
    `STRONGROOM_FINDINGS_SHA256_${sarifDigest.replace('sha256:', '')}`,
    ...rules.map((rule) => `STRONGROOM_FOUND_${rule}`),
  ];
}

function digestOf(text: string): string {
  return `sha256:${hexDigestOf(Buffer.from(text))}`;
}

function hexDigestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
