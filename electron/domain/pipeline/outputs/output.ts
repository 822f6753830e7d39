/** What a model gives, on its way to the columns of a table, and what a step behind the model is. */
import { z } from 'zod';
import { AppError } from '#shared/errors.ts';
import type { TensorArray } from '#domain/onnx/index.ts';
import type { Assets } from '../steps/step.ts';

/** One output for the rows of a batch: `width` values per row, row-major. */
export interface Output {
  readonly name: string;
  readonly type: string;
  readonly width: number;
  readonly values: TensorArray | readonly string[];
  /** What the values of a row are called, when it is known. */
  readonly labels: readonly string[] | undefined;
}

export interface Outputs {
  readonly rows: number;
  /** In their order. */
  readonly all: readonly Output[];
  /** Throws `invalid-input` when there is none of that name. */
  get(name: string): Output;
  /** The outputs with one more behind them, or in the place of the one of that name. */
  with(output: Output): Outputs;
  without(names: readonly string[]): Outputs;
  renamed(names: Readonly<Record<string, string>>): Outputs;
}

export interface OutputStep<Schema extends z.ZodType> {
  /** Also with no rows, for the names of the columns. */
  apply(options: z.output<Schema>, outputs: Outputs, assets: Assets): Outputs;
}

export function defineOutputStep<Schema extends z.ZodType>(
  step: OutputStep<Schema>,
): OutputStep<Schema> {
  return step;
}

export const outputName = z.string().min(1).max(200);

export function createOutputs(all: readonly Output[], rows: number): Outputs {
  const get = (name: string): Output => {
    const output = all.find((one) => one.name === name);
    if (output === undefined)
      throw new AppError(
        'invalid-input',
        `The pipeline speaks of an output ${name}, and there is none.`,
      );
    return output;
  };
  return {
    rows,
    all,
    get,
    with(output) {
      const isThere = all.some(({ name }) => name === output.name);
      return createOutputs(
        isThere ? all.map((one) => (one.name === output.name ? output : one)) : [...all, output],
        rows,
      );
    },
    without(names) {
      for (const name of names) get(name);
      return createOutputs(
        all.filter(({ name }) => !names.includes(name)),
        rows,
      );
    },
    renamed(names) {
      for (const name of Object.keys(names)) get(name);
      return createOutputs(
        all.map((output) => ({ ...output, name: names[output.name] ?? output.name })),
        rows,
      );
    },
  };
}

/** The values as numbers. Throws `invalid-input` for an output of texts. */
export function numbersOf({ name, type, values }: Output): ArrayLike<number> {
  if (type === 'string' || type === 'bool')
    throw new AppError('invalid-input', `The output ${name} holds ${type}s and no numbers.`);
  return values instanceof BigInt64Array || values instanceof BigUint64Array
    ? Float64Array.from(values, Number)
    : (values as Float64Array);
}

/** Numbers in the width in which the output had them; what was whole becomes a float. */
export function withNumbers(output: Output, values: Float64Array): Output {
  return output.type === 'double'
    ? { ...output, values }
    : { ...output, type: 'float', values: Float32Array.from(values) };
}
