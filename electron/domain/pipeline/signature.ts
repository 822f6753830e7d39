/**
 * What MLflow's signature of a model declares, with its rules (`mlflow.types`, `_enforce_schema`). Columns: a required column that
 * is missing refuses the file, others are passed over; a typed column may widen (32-bit integers to 64 bits and to doubles, floats
 * to doubles) and nothing else; integers have no missing value. Tensors: type and rank are as declared, a size that is declared is
 * the size, and doubles become floats for a model of floats, as its ONNX flavour does; nothing else is cast.
 */
import type { TensorSpec } from '#shared/contract/bundles.ts';
import type { TableColumn } from '#domain/tables/index.ts';
import type { Feature, Marks } from './feature.ts';
import type { DeclaredType, Pipeline, PipelineColumn, SignatureTensor } from './schema.ts';

export interface Signature {
  readonly columns: readonly SignatureColumn[];
  readonly tensors: readonly SignatureTensor[];
}

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
  { columns, tensors }: Signature,
): Pipeline | undefined {
  if (columns.length + tensors.length === 0 || pipeline?.schemaVersion === 1) return pipeline;
  const declared = new Map(columns.map((column) => [column.name, column]));
  const described = pipeline?.columns ?? [];
  const names = new Set(described.map(({ name }) => name));
  return {
    ...(tensors.length === 0 ? {} : { tensors: [...tensors] }),
    ...(pipeline ?? { schemaVersion: 2, steps: [], inputs: {}, outputs: [] }),
    columns: [
      ...described.map((column) => ({ ...declared.get(column.name), ...column })),
      ...columns
        .filter(({ name }) => !names.has(name))
        .map((column) => ({ kind: kinds[column.type], ...column })),
    ],
  };
}

/** NumPy's names of what is fed to an ONNX model. */
const typeByDtype: ReadonlyMap<string, string> = new Map([
  ...['float16', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64'].map(
    (name) => [name, name] as const,
  ),
  ['float32', 'float'],
  ['float64', 'double'],
  ['bool', 'bool'],
  ['str', 'string'],
  ['object', 'string'],
]);

/** Inputs with the sizes that are declared for them, and what of it does not go with the model. */
export function withTensors(
  inputs: readonly TensorSpec[],
  tensors: readonly SignatureTensor[],
): { readonly inputs: readonly TensorSpec[]; readonly problems: readonly string[] } {
  const [only] = inputs;
  const isUnnamed = tensors.some(({ name }) => name === undefined);
  if (isUnnamed && (tensors.length > 1 || inputs.length !== 1 || only === undefined))
    return {
      inputs,
      problems: [
        "The model's signature declares tensors without names, and the model has several inputs.",
      ],
    };
  const declared = new Map(tensors.map((tensor) => [tensor.name ?? only?.name, tensor]));
  const problems = [...declared.keys()]
    .filter((name) => inputs.every((spec) => spec.name !== name))
    .map((name) => `The model's signature declares an input ${name}, and the model has none.`);
  return {
    inputs: inputs.map((spec) => {
      const tensor = declared.get(spec.name);
      if (tensor === undefined || spec.kind !== 'tensor') return spec;
      const problem = tensorFault(spec, tensor);
      if (problem !== undefined) problems.push(problem);
      return problem === undefined ? narrowed(spec, tensor) : spec;
    }),
    problems,
  };
}

function tensorFault(
  { name, type, shape }: TensorSpec,
  { dtype, shape: declared }: SignatureTensor,
): string | undefined {
  const asked = typeByDtype.get(dtype);
  const isNarrowed = asked === 'double' && type === 'float';
  if (asked !== type && !isNarrowed)
    return `Input ${name}: the model takes ${type}, and its signature declares ${dtype}, which is not cast.`;
  // A file without a shape and a scalar look the same here.
  if (shape.length === 0) return undefined;
  const fits =
    shape.length === declared.length &&
    declared.every((size, at) => {
      const own = shape[at];
      return size === -1 || typeof own !== 'number' || own === size;
    });
  if (!fits)
    return `Input ${name}: the model takes [${shape.map((size) => size ?? '?').join(', ')}], and its signature declares [${declared.join(', ')}].`;
  const [rows = -1] = declared;
  return rows === -1 || shape[0] === rows
    ? undefined
    : `Input ${name}: the model's signature fixes its first dimension at ${rows}, where rows of a file have any number.`;
}

function narrowed(spec: TensorSpec, { shape }: SignatureTensor): TensorSpec {
  return {
    ...spec,
    shape: spec.shape.map((size, at) => {
      const declared = shape[at] ?? -1;
      return declared === -1 ? size : declared;
    }),
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
