import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { digestOf, passGate, reportToSarif } from '#domain/bundle/index.ts';
import { rules } from '#domain/bundle/rules.ts';
import { plainFiles, writeFolder } from '../../../support/bundles.ts';
import { bytesOf, endlessModel } from '../../../support/onnx-models.ts';
import { temporaryFolder } from '../../../support/vaults.ts';

interface Sarif {
  version: string;
  runs: {
    tool: { driver: { rules: { id: string; help: { text: string } }[] } };
    results: {
      ruleId: string;
      ruleIndex: number;
      level: string;
      locations?: { physicalLocation: { artifactLocation: { uri: string } } }[];
      partialFingerprints: Record<string, string>;
    }[];
    artifacts: { location: { uri: string }; hashes: Record<string, string> }[];
  }[];
}

const schemaPath = join(import.meta.dirname, '../../../vectors/sarif/sarif-2.1.0-rtm.5.json');

/** The schema is of draft 4, and uses nothing that later drafts understand in another way. */
function errorsOf(document: unknown): unknown {
  const {
    $schema: _draft,
    id: _id,
    ...schema
  } = JSON.parse(readFileSync(schemaPath, 'utf8')) as Record<string, unknown>;
  const check = new Ajv({ strict: false, validateFormats: false, unicodeRegExp: false }).compile(
    schema,
  );
  return check(document) ? [] : check.errors;
}

async function sarifOf(files: Parameters<typeof writeFolder>[1]): Promise<Sarif> {
  const { report } = await passGate(writeFolder(join(temporaryFolder(), 'b'), files), {
    trust: [],
    now: new Date(),
    store: digestOf,
  });
  return JSON.parse(reportToSarif(report, { version: '1.2.3' })) as Sarif;
}

describe('an inspection as SARIF', () => {
  const files = { ...plainFiles, 'a b/käse#1.onnx': bytesOf(endlessModel()), 'x.sh': '#!/bin/sh' };

  test('is valid, and a document that is not would be noticed', async () => {
    const sarif = await sarifOf(files);
    expect(errorsOf(sarif)).toEqual([]);
    expect(errorsOf({ ...sarif, version: '2.0.0' })).not.toEqual([]);
    expect(errorsOf({ ...sarif, runs: [{ results: [] }] })).not.toEqual([]);
  });

  test('has every rule with its help, and each result points to its rule and its file', async () => {
    const [run] = (await sarifOf(files)).runs;
    const known = run?.tool.driver.rules ?? [];
    expect(known.map(({ id }) => id)).toEqual(Object.keys(rules));
    const results = run?.results ?? [];
    expect(results.map(({ ruleId }) => ruleId)).toEqual(
      expect.arrayContaining(['SR-SIG-001', 'SR-ONNX-008', 'SR-BUNDLE-003']),
    );
    for (const { ruleId, ruleIndex, level } of results) {
      expect(known[ruleIndex]?.id).toBe(ruleId);
      expect(level).toBe(rules[ruleId as keyof typeof rules].level);
    }
    const loop = results.find(({ ruleId }) => ruleId === 'SR-ONNX-008');
    expect(loop?.locations?.[0]?.physicalLocation.artifactLocation.uri).toBe(
      'a%20b/k%C3%A4se%231.onnx',
    );
    expect(run?.artifacts.map(({ location }) => location.uri)).toContain(
      'a%20b/k%C3%A4se%231.onnx',
    );
  });

  test('gives a finding the same fingerprint each time, and another one to each', async () => {
    const prints = async (): Promise<string[]> =>
      ((await sarifOf(files)).runs[0]?.results ?? []).map(
        ({ partialFingerprints }) => Object.values(partialFingerprints)[0] ?? '',
      );
    const first = await prints();
    expect(await prints()).toEqual(first);
    expect(new Set(first).size).toBe(first.length);
  });
});
