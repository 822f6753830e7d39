import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createInference } from '#domain/inference/index.ts';
import type { PooledModel } from '#domain/inference/index.ts';
import { goldenCases, goldenRecords } from '#domain/bundle/index.ts';
import { pipelineSchema } from '#domain/pipeline/index.ts';
import { shapleyByDefinition } from '../../../support/games.ts';
import {
  logisticClassifier,
  oneHotLinear,
  pooledOf,
  pooledSample,
  sampleFolder,
  threeWeights,
  treeSum,
  twoTrees,
} from '../../../support/record-models.ts';
import { columnsModel } from '../../../support/onnx-models.ts';

const { pool } = createInference();
const dir = mkdtempSync(join(tmpdir(), 'strongroom-test-'));
const sample = await pooledSample(dir);
afterAll(async () => {
  await pool.empty();
  rmSync(dir, { recursive: true });
});

const explain = async (
  model: PooledModel,
  record: Record<string, string | null>,
  options: { readonly target?: string; readonly permutations?: number } = {},
) => {
  const body = { record, permutations: 200, ...options };
  return (await pool.request(model, { kind: 'explain', body })).value;
};

const text = (path: string): string => readFileSync(join(sampleFolder, path), 'utf8');
const vectors = goldenCases.parse(JSON.parse(text('golden/cases.json')));
const [header = ''] = text('reference.csv').split('\n', 1);
const golden = goldenRecords(vectors, { pipeline: undefined, fields: header.split(',') });
const [applicant = {}] = golden;

describe('the form of a record', () => {
  test('of the sample has its columns with ranges, units and categories, and rows to compare with', async () => {
    const { value } = await pool.request(sample, { kind: 'form', body: null });
    expect(value.fields).toHaveLength(24);
    expect(value.fields[0]).toEqual({
      name: 'age',
      as: 'integer',
      kind: 'numeric',
      min: 18,
      max: 90,
      categories: null,
      isStrict: false,
      unit: 'years',
      description: 'Age at application',
    });
    expect(value).toMatchObject({
      targets: ['probability'],
      target: 'probability',
      threshold: 0.35,
      hasReference: true,
    });
    expect(value.rows[0]?.['age']).toBe('60');
  });

  test('comes from the inputs where the bundle says nothing of columns', async () => {
    const { value } = await pool.request(await pooledOf(columnsModel()), {
      kind: 'form',
      body: null,
    });
    expect(value.fields.map(({ name, as }) => [name, as])).toEqual([
      ['age', 'number'],
      ['weight', 'number'],
      ['count', 'integer'],
      ['active', 'boolean'],
      ['color', 'text'],
    ]);
    const wide = await pool.request(await pooledOf(twoTrees('regressor')), {
      kind: 'form',
      body: null,
    });
    expect(wide.value.fields.map(({ name }) => name)).toEqual(['x[0]', 'x[1]', 'x[2]']);
    expect(wide.value).toMatchObject({ target: 'score', threshold: null, hasReference: false });
  });
});

describe('a record', () => {
  test('of each golden vector is predicted as its maker got it', async () => {
    const { cases } = vectors;
    expect(golden).toHaveLength(cases.length);
    for (const [at, record] of golden.entries()) {
      const { value } = await pool.request(sample, { kind: 'predict', body: { record } });
      expect(value.value).toBeCloseTo(Number(cases[at]?.outputs['probability']?.data[0]), 5);
      expect(value.outputs[1]).toEqual({
        name: 'decision',
        value: cases[at]?.outputs['decision']?.data[0],
      });
    }
  });

  test('that lacks a column or holds no number is refused by the name of the column', async () => {
    const ask = (record: Record<string, string | null>) =>
      pool.request(sample, { kind: 'predict', body: { record } });
    const { age: _, ...short } = applicant;
    await expect(ask(short)).rejects.toMatchObject({
      code: 'invalid-input',
      details: { missing: ['age'] },
    });
    await expect(ask({ ...applicant, age: 'forty' })).rejects.toMatchObject({
      code: 'invalid-input',
      message: 'age: Not a whole number.',
      details: { column: 'age', code: 'integer' },
    });
  });

  test('comes back with whole numbers beyond 2^53 as text, and what is no number by name', async () => {
    const { value } = await pool.request(await pooledOf(columnsModel()), {
      kind: 'predict',
      body: {
        record: {
          age: null,
          weight: '2.5',
          count: '9007199254740993',
          active: 'true',
          color: 'red',
        },
      },
    });
    expect(Object.fromEntries(value.outputs.map((each) => [each.name, each.value]))).toMatchObject({
      total: 'NaN',
      count_out: '9007199254740993',
      inactive: false,
      color_out: 'red',
    });
    expect(value.value).toBe(null);
  });
});

const reference = [
  [0, 1, 2],
  [1, 2, -1],
  [-2, 0.5, 1],
  [0.4, 1.5, 0],
  [3, 3, 3],
  [-1, 2, -2],
];
const xReference = ['x[0],x[1],x[2]', ...reference.map((row) => row.join(','))].join('\n');
const xRecord = (row: readonly number[]) =>
  Object.fromEntries(
    row.map((value, at) => [`x[${at}]`, Number.isNaN(value) ? null : String(value)]),
  );

describe('an explanation', () => {
  test('of trees is exact: the values of the definition, in every encoding', async () => {
    for (const [kind, scale, base] of [
      ['regressor', 1, 0.25],
      ['ensemble-5', 1, 0],
      ['mean', 0.5, 0],
    ] as const) {
      const model = await pooledOf(twoTrees(kind), { reference: xReference });
      for (const row of [
        [0.2, 1.6, 0.5],
        [Number.NaN, 0, 1],
      ]) {
        const value = await explain(model, xRecord(row));
        const expected = shapleyByDefinition((each) => scale * treeSum(each), row, reference);
        expect(value, kind).toMatchObject({ method: 'trees', scale: 'output', rows: 6 });
        expect(value.contributions.map(({ contribution }) => contribution)).toEqual(
          expected.map((each) => expect.closeTo(each, 5)),
        );
        expect(value.contributions.every(({ error }) => error === 0)).toBe(true);
        expect(value.value).toBeCloseTo(scale * treeSum(row) + base, 5);
      }
    }
  });

  test('of a classifier of trees is exact on the scale of its log-odds', async () => {
    const model = await pooledOf(twoTrees('classifier'), { reference: xReference });
    const row = [0.2, 1.6, 0.5];
    const value = await explain(model, xRecord(row), { target: 'score[1]' });
    expect(value).toMatchObject({ method: 'trees', scale: 'log-odds' });
    const expected = shapleyByDefinition(treeSum, row, reference);
    expect(value.contributions.map(({ contribution }) => contribution)).toEqual(
      expected.map((each) => expect.closeTo(each, 5)),
    );
  });

  test('of linear models is exact: weight times distance from the mean, a category in one piece', async () => {
    const csv = 'a,b,c\n0,0,red\n2,1,blue\n4,2,blue\n';
    const model = await pooledOf(oneHotLinear(), { reference: csv });
    const value = await explain(model, { a: '1', b: '5', c: 'red' });
    expect(value).toMatchObject({ method: 'linear', scale: 'output', value: 1 + 2 - 15 + 4 });
    expect(
      Object.fromEntries(value.contributions.map((each) => [each.column, each.contribution])),
    ).toEqual({
      a: expect.closeTo(2 * (1 - 2), 6),
      b: expect.closeTo(-3 * (5 - 1), 6),
      c: expect.closeTo(4 - (4 - 1 - 1) / 3, 6),
    });

    const logistic = await pooledOf(logisticClassifier(), {
      reference: 'x[0],x[1]\n0,0\n1,2\n',
    });
    const odds = await explain(logistic, { 'x[0]': '3', 'x[1]': '1' });
    expect(odds).toMatchObject({ method: 'linear', scale: 'log-odds', target: 'probability[1]' });
    expect(odds.contributions.map(({ contribution }) => contribution)).toEqual([
      expect.closeTo(3 - 0.5, 5),
      expect.closeTo(-0.5 * (1 - 1), 5),
    ]);
  });

  test('is of the columns of the file, and not of what steps make of them', async () => {
    const pipeline = pipelineSchema.parse({
      schemaVersion: 2,
      columns: [
        { name: 'income', kind: 'numeric', unit: 'EUR' },
        { name: 'color', kind: 'categorical', categories: ['red', 'blue'] },
      ],
      steps: [
        { step: 'scale', method: 'standard', columns: { income: { mean: 10, sd: 2 } } },
        { step: 'one-hot', columns: { color: ['red', 'blue'] }, unknown: 'zeros' },
      ],
      inputs: { x: ['income', 'color_red', 'color_blue'] },
      outputs: [{ step: 'sigmoid', output: 'score' }],
      prediction: { output: 'score', threshold: 0.5 },
    });
    const model = await pooledOf(threeWeights(), {
      pipeline,
      reference: 'id,income,color\n1,10,red\n2,14,blue\n3,6,red\n',
    });
    const { value: form } = await pool.request(model, { kind: 'form', body: null });
    expect(form.fields.map(({ name, as, unit }) => [name, as, unit])).toEqual([
      ['income', 'number', 'EUR'],
      ['color', 'text', null],
    ]);
    const value = await explain(model, { income: '12', color: 'blue' });
    // 0.5 · (income − 10) / 2 + 2 for red, − 1 for blue; the reference has 10 on average, and red twice in three.
    expect(value).toMatchObject({ method: 'linear', scale: 'log-odds' });
    expect(
      Object.fromEntries(value.contributions.map((each) => [each.column, each.contribution])),
    ).toEqual({ income: expect.closeTo(0.5, 5), color: expect.closeTo(-1 - 1, 5) });
    const { value: change } = await pool.request(model, {
      kind: 'change',
      body: { record: { income: '12', color: 'blue' }, immutable: [], mostColumns: 2 },
    });
    expect(change).toMatchObject({
      status: 'found',
      // At 14 the score is just at the threshold.
      changes: [{ column: 'income', from: '12', to: '14', unit: 'EUR' }],
    });
  });

  test('of the sample is sampled, because a feature inside takes three columns; it adds up and knows its error', async () => {
    const record = applicant;
    const quick = await explain(sample, record);
    const fine = await explain(sample, record, { permutations: 1000 });
    for (const value of [quick, fine]) {
      expect(value).toMatchObject({ method: 'sampling', scale: 'output', target: 'probability' });
      const sum = value.contributions.reduce((each, { contribution }) => each + contribution, 0);
      expect(value.base + sum).toBeCloseTo(value.value, 6);
    }
    expect(fine.rows).toBe(200);
    const total = (value: typeof fine) =>
      value.contributions.reduce((sum, { error }) => sum + (error ?? 0), 0);
    expect(total(fine)).toBeLessThan(0.7 * total(quick));
    // The finer one lies within what the quick one says of its own error.
    for (const [at, { contribution, error }] of quick.contributions.entries())
      expect(
        Math.abs(contribution - (fine.contributions[at]?.contribution ?? 0)),
      ).toBeLessThanOrEqual(5 * (error ?? 0) + 1e-9);
    expect(await explain(sample, record)).toEqual(quick);
  });

  test('takes a reference, and an output that is a number', async () => {
    const bare = await pooledOf(twoTrees('regressor'));
    await expect(explain(bare, xRecord([0, 0, 0]))).rejects.toMatchObject({ code: 'unsupported' });
    await expect(explain(sample, applicant, { target: 'decision' })).rejects.toMatchObject({
      code: 'invalid-input',
    });
  });
});

describe('what would change a decision of the sample', () => {
  test('is a record that the model really decides the other way, with no fixed column touched', async () => {
    const immutable = ['age', 'prior_default', 'region'];
    let found = 0;
    for (const record of golden) {
      const body = { record, immutable, mostColumns: 3 };
      const { value } = await pool.request(sample, { kind: 'change', body });
      if (value.status !== 'found') continue;
      found += 1;
      const changed = {
        ...record,
        ...Object.fromEntries(value.changes.map(({ column, to }) => [column, to])),
      };
      const { value: after } = await pool.request(sample, {
        kind: 'predict',
        body: { record: changed },
      });
      expect(after.value).toBeCloseTo(value.changedValue ?? Number.NaN, 5);
      expect((after.value ?? 0) >= 0.35).toBe(!(value.value >= 0.35));
      expect(value.changes.filter(({ column }) => immutable.includes(column))).toEqual([]);
    }
    expect(found).toBeGreaterThan(0);
  });
});

describe('reasons of an adverse decision of the sample', () => {
  test('push to the adverse side, and there are none for who passed', async () => {
    const asked = await Promise.all(
      golden.map(async (record) => {
        const body = { record, adverse: 'at-or-above' as const, most: 4 };
        return (await pool.request(sample, { kind: 'reasons', body })).value;
      }),
    );
    const adverse = asked.filter(({ status }) => status === 'adverse');
    expect(adverse.length).toBeGreaterThan(0);
    expect(adverse.length).toBeLessThan(asked.length);
    for (const value of adverse) {
      expect(value.value).toBeGreaterThanOrEqual(0.35);
      expect(value.reasons.length).toBeGreaterThan(0);
      expect(value.reasons.length).toBeLessThanOrEqual(4);
      const pushes = value.reasons.map(({ push }) => push);
      expect(pushes).toEqual(pushes.toSorted((a, b) => b - a));
      expect(Math.min(...pushes)).toBeGreaterThan(0);
      expect(value.rows).toBeGreaterThanOrEqual(50);
    }
  });
});
