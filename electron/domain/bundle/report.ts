/** The report of the gate, and the error that an import ends with when its verdict is no. */
import { createHash } from 'node:crypto';
import { AppError, type ErrorCode } from '#shared/errors.ts';
import type { InspectReport } from '#shared/contract/bundles.ts';
import { canonicalBytes } from '#platform/canonical-json.ts';
import type { Judged } from './judge.ts';
import { wellKnown, type ReadFile } from './read-file.ts';
import { rules, type RuleId } from './rules.ts';
import { trustRules } from './signatures/findings.ts';

export function toReport(input: {
  readonly name: string;
  readonly format: string;
  readonly files: readonly ReadFile<unknown>[];
  readonly packedIn: InspectReport['packedIn'];
  readonly facts: Omit<Judged, 'golden' | 'pipeline' | 'layout' | 'wasRead'>;
  readonly goldenCases: number;
}): InspectReport {
  const { files, facts } = input;
  const { signature, signatures, signers, findings, model, models, card, declares } = facts;
  const listed = files
    .map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 }))
    .toSorted((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
  const errors = findings.filter(({ level }) => level === 'error');
  const onlyTrust = errors.every(({ ruleId }) => trustRules.includes(ruleId));
  const [worst] = errors;
  return {
    name: input.name,
    format: input.format,
    manifestDigest: manifestDigest(listed),
    totalBytes: listed.reduce((sum, { bytes }) => sum + bytes, 0),
    files: listed,
    packedIn: input.packedIn,
    signature,
    signatures: [...signatures],
    signers,
    findings: [...findings],
    verdict: errors.length === 0 ? 'accept' : 'refuse',
    overridable: errors.length > 0 && onlyTrust,
    summary:
      worst === undefined
        ? `${signers.names.length > 1 ? `Signed by ${signers.names.join(' and ')}, who are trusted here.` : signature.reason} Nothing was found that speaks against it.`
        : `${worst.title}: ${worst.message}`,
    model: model ?? null,
    models: models.slice(0, 100),
    card: card ?? null,
    declares: [...declares],
    goldenCases: input.goldenCases,
    reused: files.flatMap(({ path, from }) => (from === undefined ? [] : [{ path, from }])),
    hasReference: listed.some(({ path }) => path === wellKnown.reference),
  };
}

/** Identity of a version: SHA-256 over the canonical JSON of its files, sorted by path, `model.sig` left out. */
function manifestDigest(
  files: readonly { readonly path: string; readonly bytes: number; readonly sha256: string }[],
): string {
  return `sha256:${createHash('sha256').update(canonicalBytes(files)).digest('hex')}`;
}

export function refusalOf({ verdict, findings, summary }: InspectReport): AppError | undefined {
  if (verdict === 'accept') return undefined;
  const errors = findings.filter(({ level }) => level === 'error');
  // What is wrong with the content says more than that nobody signed it.
  const telling =
    errors.find(({ ruleId }) => !ruleId.startsWith('SR-SIG')) ??
    errors.find(({ ruleId }) => ruleId === 'SR-SIG-003') ??
    errors[0];
  const code: ErrorCode = telling === undefined ? 'refused' : rules[telling.ruleId as RuleId].code;
  const message =
    telling === undefined ? summary : `${telling.title}: ${telling.message} ${telling.help}`;
  return new AppError(code, `The bundle is refused. ${message}`, {
    details: { findings: errors.slice(0, 20).map(({ ruleId, path }) => ({ ruleId, path })) },
  });
}
