/** From what a model gives for a batch to columns of a table: scalars under the output's name, vectors as `name[0]`, maps as `name[key]`. */
import { AppError } from '#shared/errors.ts';
import type { TensorSpec } from '#shared/contract/bundles.ts';
import type { TensorArray, TensorData } from '#domain/onnx/index.ts';
import type { ColumnData, NamedColumn } from '#domain/tables/index.ts';
import { widthOf } from './binding.ts';
import type { Output } from './outputs/output.ts';

/** Throws `unsupported` for an output that does not have one entry per row. `batch` rows were given, of which `rows` count. */
export function outputOf(
  spec: TensorSpec,
  tensor: TensorData | undefined,
  context: {
    readonly batch: number;
    readonly rows: number;
    readonly labels: readonly string[] | undefined;
  },
): Output {
  const { batch, rows, labels } = context;
  const { name } = spec;
  if (batch === 0) return emptyOutput(spec, labels);
  if (tensor === undefined)
    throw new AppError('internal', `The runtime did not give the output ${name}.`);
  const { dims, data } = tensor;
  const width = data.length / batch;
  if (
    !Number.isInteger(width) ||
    width < 1 ||
    (dims.length > 0 ? dims[0] !== batch : batch !== 1)
  ) {
    throw new AppError(
      'unsupported',
      `The output ${name} does not have one entry per row (its shape is ${dims.join(' × ')} for ${batch} rows), so it cannot be written into a table.`,
    );
  }
  const values =
    rows === batch ? data : (data.slice(0, rows * width) as TensorArray | readonly string[]);
  return { name, type: spec.type, width, values, labels };
}

/** When no row was scored: what the model says of its output is all there is. */
function emptyOutput(spec: TensorSpec, labels: readonly string[] | undefined): Output {
  const width = labels?.length ?? widthOf(spec) ?? 1;
  return { name: spec.name, type: spec.type, width, values: [], labels };
}

export function columnsOf(output: Output, rows: number): NamedColumn[] {
  return elementNames(output).map((name, element) => ({
    name,
    data: columnData(output, element, rows),
    ...(isNarrow(output.type) ? { float: true } : {}),
  }));
}

function elementNames({ name, width, labels }: Output): string[] {
  if (labels?.length === width) return labels.map((label) => `${name}[${label}]`);
  return width === 1 ? [name] : Array.from({ length: width }, (_, at) => `${name}[${at}]`);
}

const isNarrow = (type: string): boolean => type !== 'double' && /float/.test(type);

function columnData({ type, width, values }: Output, element: number, rows: number): ColumnData {
  if (type === 'string' || type === 'uint64') {
    const texts = Array.from({ length: rows }, () => '');
    for (let row = 0, at = element; row < rows; row += 1, at += width)
      texts[row] = String(values[at] ?? '');
    return { kind: 'text', values: texts };
  }
  if (type === 'bool') {
    const flags = new Uint8Array(rows);
    for (let row = 0, at = element; row < rows; row += 1, at += width)
      flags[row] = Number(values[at]) === 0 ? 0 : 1;
    return { kind: 'boolean', values: flags, missing: undefined };
  }
  if (type === 'double' || isNarrow(type)) {
    const numbers = new Float64Array(rows);
    const from = values as Float32Array;
    for (let row = 0, at = element; row < rows; row += 1, at += width)
      numbers[row] = from[at] ?? Number.NaN;
    return { kind: 'number', values: numbers };
  }
  const whole = new BigInt64Array(rows);
  for (let row = 0, at = element; row < rows; row += 1, at += width)
    whole[row] = BigInt(values[at] ?? 0);
  return { kind: 'integer', values: whole, missing: undefined };
}
