import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { digestOf, goldenCases, passGate } from '#domain/bundle/index.ts';
import { pipelineSchema } from '#domain/pipeline/index.ts';
import { parseTrustAnchor } from '#domain/identity/index.ts';
import { createInference } from '#domain/inference/index.ts';
import { compareProfiles } from '#domain/monitoring/index.ts';
import { modelFiles, sealed } from '../../support/inference.ts';
import { temporaryFolder } from '../../support/vaults.ts';

const sample = join(import.meta.dirname, '../../../resources/sample');
const anchor = parseTrustAnchor(
  'sample',
  readFileSync(join(sample, 'keys/SAMPLE-ONLY-do-not-trust.pub.pem'), 'utf8'),
);
const read = (path: string): Buffer => readFileSync(join(sample, path));

function filesUnder(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .sort();
}

describe('the sample', () => {
  test('comes out of its script byte for byte', () => {
    const out = temporaryFolder();
    execFileSync(process.execPath, [join(sample, 'make-sample.ts'), '--out', out]);
    const made = filesUnder(out);
    expect(made).toEqual(filesUnder(sample).filter((path) => /^(credit-risk|data)\//.test(path)));
    for (const path of made.filter((name) => !name.endsWith('model.sig'))) {
      expect(readFileSync(join(out, path)).equals(read(path)), path).toBe(true);
    }
  });

  test('passes the gate for whoever trusts its key, and for nobody else', async () => {
    const pass = (trust: (typeof anchor)[]) =>
      passGate(join(sample, 'credit-risk'), {
        trust,
        now: new Date(),
        store: digestOf,
      });
    const { report } = await pass([anchor]);
    expect(report).toMatchObject({
      verdict: 'accept',
      signature: { status: 'verified' },
      goldenCases: 12,
      hasReference: true,
    });
    expect(report.findings).toEqual([]);
    expect(report.model?.inputs.length).toBe(24);
    expect(new Set(report.model?.inputs.map(({ type }) => type))).toEqual(
      new Set(['int64', 'float', 'string', 'bool']),
    );
    expect((await pass([])).report).toMatchObject({
      verdict: 'refuse',
      signature: { status: 'untrusted' },
    });
  });

  test('computes its golden vectors in the WebAssembly runtime', async () => {
    const golden = goldenCases.parse(JSON.parse(read('credit-risk/golden/cases.json').toString()));
    const files = await modelFiles(read('credit-risk/model.onnx'));
    expect(await createInference().firstContact({ ...files, golden })).toMatchObject({
      status: 'passed',
      runtime: 'wasm',
      goldenChecked: 12,
    });
  });

  test('a normal month is quiet, the drifted one names what moved, and bad rows are rejected', async () => {
    const files = await modelFiles(read('credit-risk/model.onnx'));
    const pipeline = pipelineSchema.parse(JSON.parse(read('credit-risk/pipeline.json').toString()));
    const inference = createInference();
    const reference = await inference.profile({
      ...files,
      pipeline,
      source: await sealed(read('credit-risk/reference.csv')),
    });
    const out = temporaryFolder();
    const score = (name: string) =>
      inference.score({
        ...files,
        pipeline,
        inputPath: join(sample, 'data', `${name}.csv`),
        outputPath: join(out, `${name}.csv`),
        keepColumns: false,
        runId: '0123456789abcdef',
      });
    const normal = await score('normal-month');
    const drifted = await score('drifted-month');
    expect(normal).toMatchObject({ rows: 2000, rejected: 0 });
    expect(drifted).toMatchObject({ rows: 1997, rejected: 3 });
    expect(drifted.firstRejects.map(({ row, column, code }) => [row, column, code])).toEqual([
      [118, 'loan_amount', 'number'],
      [742, 'age', 'missing'],
      [1533, null, 'fields'],
    ]);
    expect(compareProfiles(reference, normal.profile).state).toBe('ok');
    const report = compareProfiles(reference, drifted.profile);
    const acting = report.columns.filter(({ state }) => state === 'act').map(({ name }) => name);
    expect(report.state).toBe('act');
    expect(acting).toEqual(
      expect.arrayContaining([
        'monthly_income',
        'credit_utilisation',
        'purpose',
        'enquiries_6m',
        'probability',
      ]),
    );
    expect(
      report.columns
        .filter(({ name }) => ['age', 'region', 'education', 'dependants'].includes(name))
        .map(({ state }) => state),
    ).toEqual(['ok', 'ok', 'ok', 'ok']);
  });
});
