import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { goldenCases } from '#domain/bundle/index.ts';
import { pipelineSchema } from '#domain/pipeline/index.ts';

const many = Array.from({ length: 1_200_000 }, () => ({}));
const tensor = (data: unknown): unknown => ({ x: { shape: [1], data } });
const golden = (cases: unknown): unknown => ({ schemaVersion: 1, tolerance: 0, cases });

test('a description of millions of wrong elements is refused in a few words', () => {
  for (const [schema, value] of [
    [pipelineSchema, { schemaVersion: 1, columns: many }],
    [goldenCases, golden(many)],
    [goldenCases, golden([{ inputs: tensor(many.slice(0, 900_000)), outputs: tensor([1]) }])],
    [goldenCases, golden([{ inputs: tensor(many), outputs: tensor([1]) }])],
  ] as const)
    expect(schema.safeParse(value).error?.issues.length).toBe(1);
});

test('an empty list is refused where there must be something', () => {
  expect(goldenCases.safeParse(golden([])).success).toBe(false);
  expect(
    pipelineSchema.safeParse({
      schemaVersion: 1,
      columns: [],
      matrix: { input: 'x', columns: [] },
    }).success,
  ).toBe(false);
});

test('numbers, texts, booleans and nothing are data', () => {
  const data = [1, '9007199254740993', true, null];
  expect(goldenCases.safeParse(golden([{ inputs: {}, outputs: tensor(data) }])).success).toBe(true);
});

test('the examples of the page are pipelines, and every step has its line there', () => {
  const page = readFileSync(
    join(import.meta.dirname, '../../../../electron/domain/bundle/FORMAT.md'),
    'utf8',
  );
  const section = page.slice(page.indexOf('## `pipeline.json`'), page.indexOf('## `golden/'));
  const examples = [...section.matchAll(/```json\n(.*?)```/gs)].map(
    ([, text = '']) => JSON.parse(text) as unknown,
  );
  expect(examples.map((example) => pipelineSchema.parse(example).schemaVersion)).toEqual([2, 1]);
  const folder = join(import.meta.dirname, '../../../../electron/domain/pipeline');
  const steps = ['steps', 'outputs'].flatMap((part) =>
    readdirSync(join(folder, part)).flatMap((name) =>
      [...readFileSync(join(folder, part, name), 'utf8').matchAll(/z\.literal\('([\w-]+)'\)/g)].map(
        ([, step = '']) => step,
      ),
    ),
  );
  expect(steps.length).toBeGreaterThan(20);
  for (const step of steps) {
    if (['reject', 'standard', 'robust', 'min-max'].includes(step)) continue;
    expect(section, step).toMatch(new RegExp(`^\\| [^|]*\`${step}\``, 'm'));
  }
});
