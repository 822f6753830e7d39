import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { goldenCases } from '#domain/bundle/index.ts';
import { pipelineSchema } from '#domain/pipeline/index.ts';
import { outputStep } from '../../../../electron/domain/pipeline/outputs/steps.ts';
import { inputStep } from '../../../../electron/domain/pipeline/steps/steps.ts';

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

describe('the page for makers', () => {
  const page = readFileSync(
    join(import.meta.dirname, '../../../../electron/domain/bundle/FORMAT.md'),
    'utf8',
  );
  const section = page.slice(page.indexOf('## `pipeline.json`'), page.indexOf('## `golden/'));

  test('has examples that are pipelines, and every step is in one', () => {
    const examples = [...section.matchAll(/```json\n(.*?)```/gs)].map(([, text = '']) =>
      pipelineSchema.parse(JSON.parse(text)),
    );
    expect(examples.map(({ schemaVersion }) => schemaVersion)).toEqual([2, 2, 1]);
    const shown = examples.flatMap((example) =>
      example.schemaVersion === 2
        ? [
            ...example.steps.map(({ step }) => `before the model: ${step}`),
            ...example.outputs.map(({ step }) => `behind it: ${step}`),
          ]
        : [],
    );
    expect(new Set(shown)).toEqual(
      new Set([
        ...stepsOf(inputStep).map((step) => `before the model: ${step}`),
        ...stepsOf(outputStep).map((step) => `behind it: ${step}`),
      ]),
    );
  });

  test('names every member and every value that a pipeline may have', () => {
    const words = wordsOf(z.toJSONSchema(pipelineSchema, { unrepresentable: 'any' }));
    expect(words.size).toBeGreaterThan(100);
    const unnamed = [...words].filter(
      (word) => !new RegExp(`[\`{ "]${word}[\`,:"} ]`).test(section),
    );
    expect(unnamed).toEqual([]);
  });
});

/** Names of the steps that a schema knows. */
function stepsOf(schema: z.ZodType): string[] {
  const found: string[] = [];
  JSON.stringify(z.toJSONSchema(schema, { unrepresentable: 'any' }), (key, value: unknown) => {
    if (key === 'step') found.push((value as { const: string }).const);
    return value;
  });
  return found;
}

/** Names of members and fixed values in a JSON schema. */
function wordsOf(schema: object): Set<string> {
  const words = new Set<string>();
  JSON.stringify(schema, (key, value: unknown) => {
    if (key === 'properties') for (const name of Object.keys(value as object)) words.add(name);
    if (key === 'enum') for (const each of value as unknown[]) words.add(String(each));
    if (key === 'const') words.add(String(value));
    return value;
  });
  return words;
}
