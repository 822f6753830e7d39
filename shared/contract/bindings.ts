import { z } from 'zod';
import { digest, fileToken, modelName, timestamp, versionRef } from '../ids.ts';
import { method } from '../rpc.ts';
import { analysts, operators } from '../roles.ts';
import { howToRead } from './runs.ts';

const columnName = z.string().min(1).max(200);

/** The columns that feed an input, as the pipeline says it. */
const boundInput = z.strictObject({ input: z.string(), columns: z.array(z.string()) });

export const shownBinding = z.strictObject({
  model: modelName,
  version: z.int().positive(),
  /** `bundle`: `pipeline.json` says it. `saved`: told from a file and saved here. `none`: told anew from each file. */
  source: z.enum(['bundle', 'saved', 'none']),
  savedBy: z.string().nullable(),
  savedAt: timestamp.nullable(),
  /** Of the canonical JSON of the pipeline. */
  digest: digest.nullable(),
  inputs: z.array(boundInput),
  /** Names of the steps before and behind the model. */
  steps: z.array(z.string()),
  outputSteps: z.array(z.string()),
  /** The pipeline itself, as JSON. */
  pipeline: z.string().nullable(),
});
export type ShownBinding = z.infer<typeof shownBinding>;

export const bindings = {
  show: method({
    input: z.strictObject({ version: versionRef }),
    output: shownBinding,
    access: operators,
    about: 'Shows what says which columns of a file feed which inputs of a version.',
  }),
  save: method({
    input: z.strictObject({
      version: versionRef,
      /** The file that the binding is told from. */
      input: fileToken,
      ...howToRead,
      /** Columns by the name of an input, where a person knows better than the names say. */
      inputs: z.record(columnName, z.array(columnName).min(1).max(20_000)).optional(),
    }),
    output: z.strictObject({
      model: modelName,
      version: z.int().positive(),
      digest,
      inputs: z.array(boundInput),
    }),
    access: analysts,
    action: 'binding.save',
    about: 'Saves the binding that a file shows with the version; later runs need these columns.',
  }),
};
