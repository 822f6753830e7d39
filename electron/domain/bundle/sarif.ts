/** Findings of the gate as a SARIF 2.1.0 log (OASIS), for tools that read such: one run, every rule that was found, paths as URIs. */
import type { Finding } from '#shared/contract/bundles.ts';

export function findingsToSarif(
  findings: readonly Finding[],
  { version }: { readonly version: string },
): string {
  const rules = [...new Map(findings.map((finding) => [finding.ruleId, finding])).values()];
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'Strongroom gate',
            version,
            rules: rules.map(({ ruleId, title, help, level }) => ({
              id: ruleId,
              shortDescription: { text: title },
              help: { text: help },
              defaultConfiguration: { level },
            })),
          },
        },
        results: findings.map(({ ruleId, level, message, path }) => ({
          ruleId,
          ruleIndex: rules.findIndex((rule) => rule.ruleId === ruleId),
          level,
          message: { text: message },
          ...(path === '' ? {} : { locations: [locationOf(path)] }),
        })),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function locationOf(path: string): unknown {
  // Names from a bundle may hold half characters, which no URI can.
  const uri = path.toWellFormed().split('/').map(encodeURIComponent).join('/');
  return { physicalLocation: { artifactLocation: { uri } } };
}
