/**
 * An inspection as SARIF 2.1.0 (OASIS): every rule of the gate, one result for each finding, the files with their digests. What a
 * result is known by from one inspection to the next (`partialFingerprints`) is its rule, its file and what was seen.
 */
import { createHash } from 'node:crypto';
import type { Finding, InspectReport } from '#shared/contract/bundles.ts';
import { rules } from './rules.ts';

const root = 'BUNDLE';
const ruleIds = Object.keys(rules);

/** One document, ending in a newline; `version` is that of the product. */
export function reportToSarif(
  report: InspectReport,
  { version }: { readonly version: string },
): string {
  const document = {
    $schema:
      'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: { name: 'Strongroom gate', version, rules: Object.entries(rules).map(toRule) },
        },
        automationDetails: { id: `gate/${report.manifestDigest}` },
        originalUriBaseIds: { [root]: { description: { text: `The bundle ${report.name}` } } },
        artifacts: [...report.packedIn, ...report.files].map(({ path, bytes, sha256 }) => ({
          location: locationOf(path),
          length: bytes,
          hashes: { 'sha-256': sha256 },
        })),
        results: report.findings.map(toResult),
        invocations: [{ executionSuccessful: true }],
        columnKind: 'utf16CodeUnits',
        properties: {
          verdict: report.verdict,
          manifestDigest: report.manifestDigest,
          signature: report.signature.status,
        },
      },
    ],
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function toRule([id, { level, title, help }]: [
  string,
  (typeof rules)[keyof typeof rules],
]): object {
  return {
    id,
    shortDescription: { text: title },
    fullDescription: { text: `${title}. ${help}` },
    help: { text: help },
    defaultConfiguration: { level },
  };
}

function toResult({ ruleId, level, path, message }: Finding): object {
  const fingerprint = createHash('sha256').update(JSON.stringify([ruleId, path, message]));
  return {
    ruleId,
    ruleIndex: ruleIds.indexOf(ruleId),
    level,
    message: { text: message },
    ...(path === ''
      ? {}
      : { locations: [{ physicalLocation: { artifactLocation: locationOf(path) } }] }),
    partialFingerprints: { 'strongroomFinding/v1': fingerprint.digest('hex') },
  };
}

function locationOf(path: string): object {
  // Names from a bundle may hold half characters, which no URI can.
  return { uri: path.toWellFormed().split('/').map(encodeURIComponent).join('/'), uriBaseId: root };
}
