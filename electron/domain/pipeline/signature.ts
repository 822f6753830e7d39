/**
 * Columns that MLflow's signature of a model declares, with its rules (`mlflow.types`, `_enforce_schema`): a required column that
 * is missing refuses the file, others are passed over; a typed column may widen (32-bit integers to 64 bits and to doubles, floats
 * to doubles) and nothing else; integers have no missing value.
 */
import type { TableColumn } from '#domain/tables/index.ts';
import type { Feature, Marks } from './feature.ts';
import type { DeclaredType, Pipeline, PipelineColumn } from './schema.ts';

export interface SignatureColumn {
  readonly name: string;
  readonly type: DeclaredType;
  readonly required: boolean;
}

const kinds: Readonly<Record<DeclaredType, PipelineColumn['kind']>> = {
  boolean: 'boolean',
  integer: 'numeric',
  long: 'numeric',
  float: 'numeric',
  double: 'numeric',
  string: 'categorical',
  datetime: 'categorical',
};

/** The pipeline with what the signature adds to it. One of version 1 says all that there is to say. */
export function withSignature(
  pipeline: Pipeline | undefined,
  signature: readonly SignatureColumn[],
): Pipeline | undefined {
  if (signature.length === 0 || pipeline?.schemaVersion === 1) return pipeline;
  const declared = new Map(signature.map((column) => [column.name, column]));
  const described = pipeline?.columns ?? [];
  const names = new Set(described.map(({ name }) => name));
  return {
    ...(pipeline ?? { schemaVersion: 2, steps: [], inputs: {}, outputs: [] }),
    columns: [
      ...described.map((column) => ({ ...declared.get(column.name), ...column })),
      ...signature
        .filter(({ name }) => !names.has(name))
        .map((column) => ({ kind: kinds[column.type], ...column })),
    ],
  };
}

/** Null when a column of the file may stand for one of that type. Formats without types are read as what is declared. */
export function typeProblem(column: TableColumn, type: DeclaredType): string | null {
  const { type: held, bits } = column;
  const fits = {
    boolean: held === 'boolean',
    integer: held === 'integer' && bits !== 64,
    long: held === 'integer',
    float: held === 'number' && bits !== 64,
    double: held === 'number' || (held === 'integer' && bits !== 64),
    string: held === 'text',
    datetime: held === 'text',
  }[type];
  if (fits) return null;
  const what = bits === undefined ? held : `${held} of ${bits} bits`;
  return `The column ${column.name} holds ${what} here, and the model's signature asks for ${type}; such a change could lose digits or meaning.`;
}

const greatest32 = 2 ** 31 - 1;

/** Rejects rows whose value is no whole number where integers are declared, or that lack one. */
export function checkDeclared(
  data: Feature,
  type: DeclaredType,
  to: { readonly marks: Marks; readonly column: string },
): Feature {
  const { marks, column } = to;
  const isWhole = type === 'integer' || type === 'long';
  if (data.kind === 'number' && isWhole) {
    for (let at = 0; at < marks.rows; at += 1) {
      const value = data.values[at] ?? Number.NaN;
      if (Number.isNaN(value)) marks.reject(at, column, 'missing');
      else if (!Number.isInteger(value)) marks.reject(at, column, 'integer');
      else if (type === 'integer' && (value > greatest32 || value < -greatest32 - 1))
        marks.reject(at, column, 'range');
    }
  } else if (data.kind === 'number' && type === 'boolean') {
    for (let at = 0; at < marks.rows; at += 1) {
      const value = data.values[at] ?? Number.NaN;
      if (Number.isNaN(value)) marks.reject(at, column, 'missing');
      else if (value !== 0 && value !== 1) marks.reject(at, column, 'boolean');
    }
  } else if (data.kind === 'integer' && type === 'integer') {
    for (let at = 0; at < marks.rows; at += 1)
      if (BigInt.asIntN(32, data.values[at] ?? 0n) !== data.values[at])
        marks.reject(at, column, 'range');
  }
  return data;
}
