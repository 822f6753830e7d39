/** Golden vectors as records: what a person would have to enter to get them. */
import type { Pipeline } from '#domain/pipeline/index.ts';
import type { GoldenCases, GoldenTensor } from './golden.ts';

/**
 * A value for each of `fields`, as text. Cases that are no single row, or whose inputs are not the columns of a file themselves,
 * are left out.
 */
export function goldenRecords(
  { cases }: GoldenCases,
  context: { readonly pipeline: Pipeline | undefined; readonly fields: readonly string[] },
): Record<string, string | null>[] {
  const { pipeline, fields } = context;
  // Behind steps an input no longer holds what stands in the file.
  if (pipeline?.schemaVersion === 2 && pipeline.steps.length > 0) return [];
  const fed = fedColumns(pipeline);
  const columnsOf = (input: string, width: number): readonly string[] =>
    fed.get(input) ??
    (width === 1 ? [input] : Array.from({ length: width }, (_, at) => `${input}[${at}]`));
  return cases.flatMap(({ inputs }) => {
    const record: Record<string, string | null> = {};
    for (const [input, tensor] of Object.entries(inputs)) {
      if (rowsOf(tensor) !== 1) return [];
      for (const [at, column] of columnsOf(input, tensor.data.length).entries()) {
        const value = tensor.data[at] ?? null;
        record[column] = value === null ? null : String(value);
      }
    }
    if (!fields.every((field) => Object.hasOwn(record, field))) return [];
    return [Object.fromEntries(fields.map((field) => [field, record[field] ?? null]))];
  });
}

/** Columns by the name of the input that they feed, where the pipeline says it. */
function fedColumns(pipeline: Pipeline | undefined): ReadonlyMap<string, readonly string[]> {
  if (pipeline === undefined) return new Map();
  if (pipeline.schemaVersion === 2)
    return new Map(
      Object.entries(pipeline.inputs).map(([input, columns]) => [input, [columns].flat()]),
    );
  const { columns, matrix } = pipeline;
  return new Map<string, readonly string[]>([
    ...columns.map(({ name, input }) => [input ?? name, [name]] as const),
    ...(matrix === undefined ? [] : [[matrix.input, matrix.columns] as const]),
  ]);
}

function rowsOf({ shape }: GoldenTensor): number {
  return shape[0] ?? 1;
}
