import { expect, test } from 'vitest';
import {
  inferPipeline,
  neededColumns,
  pipelineSchema,
  planPipeline,
  type PlanRequest,
} from '#domain/pipeline/index.ts';
import { spec, texts } from '../../../support/pipelines.ts';

const infer = (
  inputs: PlanRequest['inputs'],
  columns: PlanRequest['columns'],
  chosen: Parameters<typeof inferPipeline>[0]['chosen'] = {},
) => inferPipeline({ inputs, columns, facts: [], chosen });
const wanted = (
  pipeline: PlanRequest['pipeline'],
  inputs: PlanRequest['inputs'],
  columns: PlanRequest['columns'],
) =>
  planPipeline({ pipeline, inputs, outputs: [], labelsByOutput: new Map(), columns }).wanted.map(
    ({ name }) => name,
  );

test('what was told from names is written out, and the next file needs these columns', () => {
  const inputs = [spec('X', 'float', ['N', 2]), spec('age', 'int64', ['N', 1])];
  const pipeline = infer(inputs, texts(['b', 'AGE', 'a']));
  expect(pipeline.inputs).toEqual({ X: ['b', 'a'], age: ['AGE'] });
  // The columns that are left over would be other ones here.
  expect(wanted(pipeline, inputs, texts(['id', 'a', 'b', 'age']))).toEqual(['b', 'a', 'age']);
  expect(() => wanted(pipeline, inputs, texts(['c', 'a', 'AGE']))).toThrow(
    expect.objectContaining({ code: 'invalid-input', details: { missing: ['b'] } }),
  );
});

test('a person may know better, and is told when not', () => {
  const inputs = [spec('X', 'float', ['N', 2])];
  const header = texts(['a', 'b', 'c']);
  expect(infer(inputs, header, { X: ['c', 'a'] }).inputs).toEqual({ X: ['c', 'a'] });
  for (const chosen of [{}, { X: ['a'] }, { X: ['a', 'z'] }, { Y: 'a' }])
    expect(() => infer(inputs, header, chosen)).toThrow(
      expect.objectContaining({ code: 'invalid-input' }),
    );
});

test('a unit in the header is saved as one: a file may leave it out, and not say another', () => {
  const inputs = [spec('X', 'float', ['N', 2])];
  const pipeline = infer(inputs, texts(['Income [EUR]', 'age']));
  expect(pipeline).toMatchObject({
    columns: [{ name: 'Income', kind: 'numeric', unit: 'EUR' }],
    inputs: { X: ['Income', 'age'] },
  });
  expect(wanted(pipeline, inputs, texts(['age', 'income']))).toEqual(['income', 'age']);
  expect(wanted(pipeline, inputs, texts(['age', 'income [eur]']))).toEqual(['income [eur]', 'age']);
  expect(() => wanted(pipeline, inputs, texts(['age', 'income [USD]']))).toThrow(
    expect.objectContaining({ code: 'invalid-input' }),
  );
  // Two columns of one name in two units keep their headers.
  expect(infer(inputs, texts(['pay [EUR]', 'pay [USD]'])).inputs).toEqual({
    X: ['pay [EUR]', 'pay [USD]'],
  });
});

const folder = [
  { name: 'file', type: 'text' },
  { name: 'image', type: 'bytes' },
] as const;

test.each([
  [['N', 3, 224, 224], 'float', { color: 'rgb', layout: 'NCHW', type: 'float', scale: 1 / 255 }],
  [['N', 28, 32, 1], 'uint8', { color: 'grey', layout: 'NHWC', type: 'uint8' }],
] as const)('a folder of images for an input %j of %s', (shape, type, form) => {
  const inputs = [spec('pixels', type, [...shape])];
  const pipeline = infer(inputs, folder);
  const [height, width] = form.layout === 'NCHW' ? [224, 224] : [28, 32];
  expect(pipeline.steps).toEqual([
    {
      step: 'image',
      column: 'image',
      as: 'pixels',
      resize: { width, height, fit: 'cover' },
      ...form,
    },
  ]);
  expect(wanted(pipeline, inputs, folder)).toEqual(['image']);
  expect(wanted(undefined, inputs, folder)).toEqual(['image']);
});

test('no image is guessed where the size is open or the input is no image', () => {
  for (const shape of [
    ['N', 3, null, null],
    ['N', 7, 224, 224],
    ['N', 3, 224],
  ])
    expect(() => infer([spec('x', 'float', shape)], folder)).toThrow(
      expect.objectContaining({ code: 'invalid-input' }),
    );
});

test('an input of texts takes the texts of a folder', () => {
  const inputs = [spec('sentence', 'string', ['N', 1])];
  expect(infer(inputs, texts(['file', 'text'])).inputs).toEqual({ sentence: ['text'] });
});

test('the columns that a record needs, without a file to show them', () => {
  const inputs = [spec('X', 'float', ['N', 2]), spec('age', 'int64', ['N', 1])];
  const needed = (pipeline: unknown): readonly string[] =>
    neededColumns({
      pipeline: pipeline === undefined ? undefined : pipelineSchema.parse(pipeline),
      inputs,
    });
  expect(needed(undefined)).toEqual(['age', 'X[0]', 'X[1]']);
  expect(needed({ schemaVersion: 2, inputs: { X: ['b', 'a'] } })).toEqual(['b', 'a', 'age']);
  expect(
    needed({
      schemaVersion: 2,
      columns: [{ name: 'opened', kind: 'categorical' }],
      steps: [
        { step: 'impute', columns: { income: 1 }, indicator: true },
        { step: 'date', columns: ['opened'], parts: ['year'] },
      ],
      inputs: { X: ['income_missing', 'opened_year'] },
    }),
  ).toEqual(['opened', 'income', 'age']);
  expect(
    needed({
      schemaVersion: 1,
      columns: [{ name: 'years', kind: 'numeric', input: 'age' }],
      matrix: { input: 'X', columns: ['p', 'q'] },
    }),
  ).toEqual(['years', 'p', 'q']);
  expect(() =>
    neededColumns({ pipeline: undefined, inputs: [spec('X', 'float', ['N', null])] }),
  ).toThrow(expect.objectContaining({ code: 'unsupported' }));
});
