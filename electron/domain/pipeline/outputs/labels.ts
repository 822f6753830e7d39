import { z } from 'zod';
import { AppError } from '#shared/errors.ts';
import { atMost, type Assets } from '../steps/step.ts';
import { defineOutputStep, numbersOf, outputName } from './output.ts';

/**
 * `{ "step": "labels", "output": "probabilities", "file": "labels.txt" }`, or with a list under `labels`: what the values are called.
 * An output of several values per row gets a column for each, called by its label; in an output of one whole number per
 * row the number is replaced by the label at its place, from 0. A file has one label per line.
 */
export const labelsSchema = z
  .strictObject({
    step: z.literal('labels'),
    output: outputName,
    labels: atMost(100_000, z.string().max(200))
      .refine((names) => names.length > 0)
      .optional(),
    file: z.string().min(1).max(200).optional(),
  })
  .refine(({ labels: list, file }) => (list === undefined) !== (file === undefined), {
    error: 'Labels come from a list or from a file.',
  });
export const labels = defineOutputStep<typeof labelsSchema>({
  apply({ output: name, labels: list, file }, outputs, assets) {
    const output = outputs.get(name);
    const names = list ?? readLabels(file ?? '', assets);
    if (output.width === names.length && output.width > 1)
      return outputs.with({ ...output, labels: names });
    if (output.width !== 1)
      throw new AppError(
        'invalid-input',
        `The output ${name} has ${output.width} values per row, and the pipeline has ${names.length} labels for them.`,
      );
    const values = numbersOf(output);
    return outputs.with({
      ...output,
      type: 'string',
      values: Array.from(values, (value) => names[value] ?? String(value)),
    });
  },
});

function readLabels(file: string, assets: Assets): readonly string[] {
  const bytes = assets.get(file);
  if (bytes === undefined)
    throw new AppError('corrupt', `The pipeline names ${file}, which the version does not have.`);
  const lines = Buffer.from(bytes).toString('utf8').split(/\r?\n/);
  // The last line ends like the others.
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}
