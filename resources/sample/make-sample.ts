/**
 * Makes the sample: synthetic applicants, a model trained on them, its bundle, and three months to score. Everything but the
 * signature comes out byte for byte the same on every run; the signature (ECDSA, random by nature) is made anew only when
 * it does not fit the files.
 *
 *   node resources/sample/make-sample.ts [--out DIR]
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { digestOf, passGate, signFolder } from '#domain/bundle/index.ts';
import { writeModel } from '#domain/onnx/index.ts';
import { parseTrustAnchor } from '#domain/identity/index.ts';
import {
  columns,
  crisisSeason,
  makeApplicant,
  usualSeason,
  type Applicant,
  type Season,
} from './applicants.ts';
import { predictLogit, trainBoosting } from './boosting.ts';
import { applicantToFeatures, buildCreditModel, threshold } from './credit-model.ts';
import { createRandom } from './random.ts';

const home = import.meta.dirname;
const version = '1.0.0';
const trainRows = 12_000;
const testRows = 6_000;
const keyPath = join(home, 'keys', 'SAMPLE-ONLY-do-not-trust.key.pem');
const publicKeyPath = join(home, 'keys', 'SAMPLE-ONLY-do-not-trust.pub.pem');

const { values: options } = parseArgs({ options: { out: { type: 'string', default: home } } });
await makeSample(options.out);

async function makeSample(out: string): Promise<void> {
  const training = makeMonth(1, trainRows, usualSeason);
  const ensemble = trainBoosting(
    training.map(({ applicant }) => applicantToFeatures(applicant)),
    training.map(({ defaulted }) => defaulted),
    { trees: 90, depth: 4, learningRate: 0.1, minimumRows: 40, regularisation: 1 },
  );
  const probabilityOf = (applicant: Applicant): number =>
    1 / (1 + Math.exp(-predictLogit(ensemble, applicantToFeatures(applicant))));
  const test = makeMonth(2, testRows, usualSeason).map(({ applicant, defaulted }) => ({
    score: probabilityOf(applicant),
    defaulted,
  }));
  const quality = measure(test);

  const bundle = join(out, 'credit-risk');
  const write = (path: string, content: string | Uint8Array): void => {
    mkdirSync(dirname(join(out, path)), { recursive: true });
    writeFileSync(join(out, path), content);
  };
  const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
  const reference = makeMonth(3, 4000, usualSeason);
  const normal = makeMonth(4, 2000, usualSeason);
  const drifted = makeMonth(5, 2000, crisisSeason);

  write('credit-risk/model.onnx', writeModel(buildCreditModel(ensemble)));
  write('credit-risk/pipeline.json', json(pipeline()));
  write('credit-risk/bom.cdx.json', json(card(quality)));
  write(
    'credit-risk/golden/cases.json',
    json(
      golden(
        makeMonth(6, 12, usualSeason).map(({ applicant }) => applicant),
        probabilityOf,
      ),
    ),
  );
  write('credit-risk/reference.csv', toCsv(reference.map(({ applicant }) => applicant)));
  write('credit-risk/README.md', bundleReadme(quality));
  write('data/normal-month.csv', toCsv(normal.map(({ applicant }) => applicant)));
  write(
    'data/normal-month.outcomes.csv',
    `row,defaulted\n${normal.map(({ defaulted }, at) => `${at + 1},${defaulted}\n`).join('')}`,
  );
  write('data/drifted-month.csv', withBadRows(toCsv(drifted.map(({ applicant }) => applicant))));
  await signUnlessSigned(bundle);
  process.stdout.write(
    `AUC ${quality.auc.toFixed(3)} (${quality.low.toFixed(3)} to ${quality.high.toFixed(3)}) on ${testRows} applicants; ${(quality.share * 100).toFixed(1)} % defaults\n`,
  );
}

function makeMonth(
  seed: number,
  rows: number,
  season: Season,
): { readonly applicant: Applicant; readonly defaulted: boolean }[] {
  const random = createRandom(seed * 7919);
  return Array.from({ length: rows }, () => makeApplicant(random, season));
}

function toCsv(applicants: readonly Applicant[]): string {
  const names = columns.map(({ name }) => name);
  const lines = applicants.map((applicant) =>
    names.map((name) => String(applicant[name] ?? '')).join(','),
  );
  return `${[names.join(','), ...lines].join('\n')}\n`;
}

/** Three rows as they come from people and spreadsheets, to show what a reject looks like. */
function withBadRows(csv: string): string {
  const lines = csv.split('\n');
  const replace = (row: number, column: string, value: string): void => {
    const fields = (lines[row] ?? '').split(',');
    fields[columns.findIndex(({ name }) => name === column)] = value;
    lines[row] = fields.join(',');
  };
  replace(118, 'loan_amount', '12.500 EUR');
  replace(742, 'age', '');
  lines[1533] = `${lines[1533]},`;
  return lines.join('\n');
}

interface Quality {
  readonly auc: number;
  readonly low: number;
  readonly high: number;
  readonly brier: number;
  readonly share: number;
  readonly rows: number;
}

/** Area under the ROC curve with the 95 % interval of Hanley and McNeil (1982), and the Brier score. */
function measure(
  scored: readonly { readonly score: number; readonly defaulted: boolean }[],
): Quality {
  const ranked = scored.toSorted((a, b) => a.score - b.score);
  let rankSum = 0;
  for (let at = 0; at < ranked.length;) {
    let end = at;
    while (end < ranked.length && ranked[end]?.score === ranked[at]?.score) end += 1;
    for (let tied = at; tied < end; tied += 1)
      if (ranked[tied]?.defaulted === true) rankSum += (at + end + 1) / 2;
    at = end;
  }
  const positives = scored.filter(({ defaulted }) => defaulted).length;
  const negatives = scored.length - positives;
  const auc = (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
  const q1 = auc / (2 - auc);
  const q2 = (2 * auc * auc) / (1 + auc);
  const error = Math.sqrt(
    (auc * (1 - auc) + (positives - 1) * (q1 - auc * auc) + (negatives - 1) * (q2 - auc * auc)) /
      (positives * negatives),
  );
  const brier =
    scored.reduce((sum, { score, defaulted }) => sum + (score - (defaulted ? 1 : 0)) ** 2, 0) /
    scored.length;
  return {
    auc,
    low: auc - 1.96 * error,
    high: auc + 1.96 * error,
    brier,
    share: positives / scored.length,
    rows: scored.length,
  };
}

function pipeline(): object {
  return {
    schemaVersion: 1,
    model: 'model.onnx',
    columns: columns.map(({ name, type, min, max, categories, unit, description }) => ({
      name,
      kind: type === 'string' ? 'categorical' : type === 'bool' ? 'boolean' : 'numeric',
      ...(min === undefined ? {} : { min }),
      ...(max === undefined ? {} : { max }),
      ...(categories === undefined ? {} : { categories }),
      ...(unit === undefined ? {} : { unit }),
      description,
    })),
    prediction: { output: 'probability', threshold },
  };
}

function golden(
  applicants: readonly Applicant[],
  probabilityOf: (applicant: Applicant) => number,
): object {
  return {
    schemaVersion: 1,
    tolerance: 0.00001,
    cases: applicants.map((applicant) => ({
      inputs: Object.fromEntries(
        columns.map(({ name }) => [name, { shape: [1, 1], data: [applicant[name] ?? null] }]),
      ),
      outputs: {
        probability: { shape: [1, 1], data: [Math.fround(probabilityOf(applicant))] },
        decision: {
          shape: [1, 1],
          data: [probabilityOf(applicant) >= threshold ? 'review' : 'approve'],
        },
      },
    })),
  };
}

/** CycloneDX 1.6; its numbers are text. */
function card({ auc, low, high, brier, rows }: Quality): object {
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: 'urn:uuid:5b0d1c3e-7a1f-4d2b-9c56-3f1d2a7e9b10',
    version: 1,
    components: [
      {
        type: 'machine-learning-model',
        'bom-ref': 'credit-risk',
        name: 'credit-risk',
        version,
        description:
          'Estimates the probability that a consumer loan defaults within a year. A sample on synthetic data.',
        licenses: [{ license: { id: 'Apache-2.0' } }],
        modelCard: {
          modelParameters: {
            approach: { type: 'supervised' },
            task: 'binary classification',
            architectureFamily: 'gradient-boosted trees',
            modelArchitecture: '90 trees of depth 4, logistic loss',
            inputs: [{ format: `${columns.length} columns` }],
            outputs: [{ format: 'probability of default, decision' }],
          },
          quantitativeAnalysis: {
            performanceMetrics: [
              {
                type: 'AUC',
                value: auc.toFixed(3),
                slice: `${rows} synthetic applicants that were not used in training`,
                confidenceInterval: { lowerBound: low.toFixed(3), upperBound: high.toFixed(3) },
              },
              {
                type: 'Brier score',
                value: brier.toFixed(3),
                slice: `${rows} synthetic applicants that were not used in training`,
              },
            ],
          },
          considerations: {
            users: ['People who try Strongroom'],
            useCases: [
              'Showing import, scoring, monitoring and reporting with a model of realistic size and form',
            ],
            technicalLimitations: [
              'The data is made up by a script; the model knows nothing about real people.',
              'Trained on one season: a change in incomes or in credit use makes its probabilities wrong.',
            ],
            ethicalConsiderations: [
              {
                name: 'Decisions about people',
                mitigationStrategy: 'Do not use it for any. It was not examined for fairness.',
              },
            ],
          },
        },
      },
    ],
  };
}

function bundleReadme({ auc, low, high }: Quality): string {
  return `# credit-risk ${version}: a sample

A model that estimates whether a loan defaults, trained on data that a script made up. It exists to try Strongroom with.

- AUC ${auc.toFixed(3)} (95 % interval ${low.toFixed(3)} to ${high.toFixed(3)}) on synthetic applicants it was not trained on.
- 24 columns in, a probability and a decision ("review" from ${threshold} on) out.
- Signed with a key that is public, private half included. Trust it nowhere but in a vault for trying things out.
`;
}

async function signUnlessSigned(bundle: string): Promise<void> {
  const anchor = parseTrustAnchor('sample', readFileSync(publicKeyPath, 'utf8'));
  const { report } = await passGate(bundle, {
    trust: [anchor],
    now: new Date(),
    store: digestOf, // only the verdict is wanted
  });
  if (report.signature.status !== 'verified')
    await signFolder(bundle, { privatePem: readFileSync(keyPath, 'utf8') });
}
