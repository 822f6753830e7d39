import { readFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { AppError } from '#shared/errors.ts';
import { digestOf, passGate } from '#domain/bundle/index.ts';
import { hidesText } from '#platform/printable.ts';
import { rules, type RuleId } from '#domain/bundle/rules.ts';
import { corpus } from '../../../support/hostile/corpus.ts';
import { temporaryFolder } from '../../../support/vaults.ts';

/** Rules that no file of the corpus can raise, and the test that sees them raised. */
const raisedElsewhere: Partial<Record<RuleId, string>> = {
  'SR-SIG-004': 'signing.test.ts',
  'SR-SIG-005': 'signing.test.ts',
  'SR-BUNDLE-007': 'containers.test.ts',
  'SR-BUNDLE-008': 'signing-form.test.ts',
  'SR-OCI-001': 'oci-hostile.test.ts',
  'SR-OCI-002': 'oci-hostile.test.ts',
  'SR-OCI-003': 'oci-hostile.test.ts',
  'SR-OCI-004': 'oci-hostile.test.ts',
  'SR-PART-001': 'parts.test.ts',
  'SR-ONNX-012': 'scanner.test.ts',
  'SR-SCAN-001': 'scanner.test.ts',
  'SR-SCAN-002': 'scanner.test.ts',
  'SR-SCAN-003': 'scanner.test.ts',
};
const raised = new Set<string>();
let ran = 0;

test.concurrent.each(corpus.map((one) => [one.name, one] as const))(
  '%s is refused or contained',
  async (_name, { expected, make }) => {
    ran += 1;
    const path = await make(temporaryFolder());
    const { report, refusal } = await passGate(path, {
      trust: [],
      now: new Date(),
      store: digestOf,
    });
    for (const { ruleId } of report.findings) raised.add(ruleId);
    expect(report.findings.map(({ ruleId }) => ruleId)).toContain(expected);
    // Nothing here is signed by somebody who is trusted; what is hostile beyond that cannot be overridden.
    expect(refusal).toBeInstanceOf(AppError);
    const isTrustOnly = expected.startsWith('SR-SIG-00') && expected !== 'SR-SIG-003';
    expect(report.overridable).toBe(rules[expected as RuleId].level !== 'error' || isTrustOnly);
    // What people read must not be able to steer a terminal or run backwards.
    const shown = report.findings.map(({ message, path: at }) => message + at).join('');
    expect(hidesText(shown)).toBe(false);
  },
);

test('the corpus is large, and its names are different', () => {
  expect(corpus.length).toBeGreaterThan(120);
  expect(new Set(corpus.map(({ name }) => name)).size).toBe(corpus.length);
});

afterAll(() => {
  // Somebody may have chosen single tests.
  if (ran < corpus.length) return;
  const silent = Object.keys(rules).filter((ruleId) => {
    const other = raisedElsewhere[ruleId as RuleId];
    return (
      !raised.has(ruleId) &&
      (other === undefined ||
        !readFileSync(`${import.meta.dirname}/${other}`, 'utf8').includes(ruleId))
    );
  });
  expect(silent, 'rules that no test raises').toEqual([]);
});
