/**
 * Rows of columns in, columns of the output out, as a file would have them: bound by the pipeline, put through the model, and
 * what stands behind it done. Nothing comes back unless every row can be scored.
 */
import { AppError } from '#shared/errors.ts';
import { readColumns, type PlannedColumn } from '#domain/pipeline/index.ts';
import { newArray, type TensorData } from '#domain/onnx/index.ts';
import { rejectMessages, type ColumnData, type NamedColumn } from '#domain/tables/index.ts';
import type { TensorSpec } from '#shared/contract/bundles.ts';
import type { Tensors } from '../frames.ts';
import { sliceColumn } from './columns.ts';
import type { Answer } from './kinds.ts';
import { recordModel } from './record-model.ts';

const batchRows = 4096;

/** `tensors`: one of `[rows]` for each column, of the types of `columnSpec`. Throws `invalid-input` with the first row that cannot be used. */
export const answer: Answer<null, null> = async ({ tensors }, context) => {
  const { plan } = await recordModel(context);
  const given = plan.wanted.map(({ name }) => columnOf(name, tensors));
  const rows = given[0]?.values.length ?? 0;
  if (given.some(({ values }) => values.length !== rows))
    throw new AppError('invalid-input', 'The columns do not have the same number of rows.');
  const size = plan.fixedBatch ?? batchRows;
  const parts: (readonly NamedColumn[])[] = [];
  for (let from = 0; from < rows; from += size) {
    const to = Math.min(rows, from + size);
    const slices = given.map((column) => sliceColumn(column, from, to));
    const chunk = readColumns(plan.wanted, slices, to - from);
    const { tensors: feeds, kept, bad } = await plan.toFeeds(chunk);
    const [first] = [...chunk.bad, ...bad].toSorted((a, b) => a.at - b.at);
    if (first !== undefined) throw unusable(from + first.at + 1, first);
    parts.push(plan.toColumns(await context.model.run(feeds), kept.length));
  }
  const columns = parts[0] ?? plan.toColumns({}, 0);
  return {
    value: null,
    tensors: Object.fromEntries(
      columns.map((column, at) => [
        column.name,
        tensorOf(
          column,
          parts.flatMap((part) => part[at]?.data ?? []),
          rows,
        ),
      ]),
    ),
  };
};

/** A column that is read, as a tensor. Missing is NaN among numbers and the empty text among texts. */
export function columnSpec({ name, as }: PlannedColumn): TensorSpec {
  return { name, kind: 'tensor', type: as === 'bytes' ? 'string' : typeOf[as], shape: ['rows'] };
}

/** A column that is given, as a tensor. */
export function resultSpec({ name, data, float }: NamedColumn): TensorSpec {
  const type = data.kind === 'bytes' ? 'string' : typeOf[data.kind];
  return { name, kind: 'tensor', type: float === true ? 'float' : type, shape: ['rows'] };
}

const typeOf = { number: 'double', integer: 'int64', boolean: 'bool', text: 'string' } as const;

function columnOf(name: string, tensors: Tensors): ColumnData {
  const tensor = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
  if (tensor === undefined)
    throw new AppError('invalid-input', `The request has no column ${name}.`);
  const { data } = tensor;
  if (data instanceof Float64Array) return { kind: 'number', values: data };
  if (data instanceof BigInt64Array) return { kind: 'integer', values: data, missing: undefined };
  if (data instanceof Uint8Array) return { kind: 'boolean', values: data, missing: undefined };
  if (!Array.isArray(data))
    throw new AppError('invalid-input', `The column ${name} is of another type.`);
  return { kind: 'text', values: data.map((text) => (text === '' ? null : text)) };
}

function tensorOf(column: NamedColumn, parts: readonly ColumnData[], rows: number): TensorData {
  const { type } = resultSpec(column);
  const data = newArray(type, rows);
  if (data === undefined)
    return {
      type,
      dims: [rows],
      data: parts.flatMap(({ values }) => [...values].map((text) => String(text ?? ''))),
    };
  let at = 0;
  for (const { values } of parts) {
    data.set(values as never, at);
    at += values.length;
  }
  return { type, dims: [rows], data };
}

function unusable(
  row: number,
  bad: { readonly column: string | null; readonly code: keyof typeof rejectMessages },
): AppError {
  const { column, code } = bad;
  const where = column === null ? `Row ${row}` : `Row ${row}, ${column}`;
  return new AppError('invalid-input', `${where}: ${rejectMessages[code]} Nothing was scored.`, {
    details: { row, column, code },
  });
}
