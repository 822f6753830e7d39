/**
 * In the child: reads the file row by row, feeds the model in batches, writes predictions and rejects, and counts the profile.
 * Memory does not depend on the size of the file. The digests are taken in the same pass.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { AppError } from '#shared/errors.ts';
import type { TensorSpec } from '#shared/contract/bundles.ts';
import type { TensorData } from '#domain/onnx/index.ts';
import type { PipelineColumn } from '#domain/pipeline/index.ts';
import { rejectMessages, type RejectCode } from '#domain/tables/index.ts';
import { createProfiler, type ColumnSpec, type Profiler } from '#domain/monitoring/index.ts';
import { openCsv, type CsvRecord } from '#platform/csv.ts';
import { bindColumns, requireColumns, type Binding, type BoundInput } from './binding.ts';
import {
  columnsOf,
  createRejects,
  createWriter,
  elementNames,
  type OutputColumn,
  type Reject,
} from './output.ts';
import type { ScoreJob, ScoreOutcome, Source } from './protocol.ts';
import { allocate, type LoadedModel } from './runtime.ts';
import { openSealed } from './sealed-file.ts';
import { parseValue, valueToText, type Scalar } from './values.ts';

const batchRows = 2048;
const shownRows = 20;

interface Row {
  readonly row: number;
  readonly fields: readonly string[];
  /** In the order of the inputs and of the columns of each. */
  readonly values: readonly Scalar[];
}

export async function scoreFile(
  job: ScoreJob,
  model: LoadedModel,
  onProgress: (done: number, total: number, rows: number) => void,
): Promise<ScoreOutcome> {
  const input = createHash('sha256');
  let bytesRead = 0;
  const sizeBytes = job.source.kind === 'plain' ? job.source.sizeBytes : job.source.file.sizeBytes;
  const table = await openCsv(
    tapped(openSource(job.source), (chunk) => {
      input.update(chunk);
      bytesRead += chunk.length;
    }),
  );
  const binding = bindColumns(model.inputs, table.header, job.pipeline ?? undefined);
  requireColumns(binding);
  const rejects = createRejects(job.output?.rejectsFd);
  const batches = createBatches(job, { model, binding, header: table.header });
  const pending: Row[] = [];
  const size = binding.fixedBatch ?? batchRows;
  for await (const records of table.records()) {
    for (const record of records) {
      const parsed = parseRecord(record, binding.inputs);
      if ('code' in parsed) rejects.add(parsed);
      else pending.push(parsed);
      if (pending.length < size) continue;
      await batches.score(pending.splice(0));
      onProgress(bytesRead, sizeBytes, batches.rows());
    }
    onProgress(bytesRead, sizeBytes, batches.rows());
  }
  if (pending.length > 0) await batches.score(pending);
  onProgress(bytesRead, sizeBytes, batches.rows());
  const finished = batches.finish();
  const rejectsSha256 = rejects.finish();
  return {
    rows: batches.rows(),
    rejected: rejects.count(),
    inputSha256: input.digest('hex'),
    rejectsSha256,
    firstRejects: rejects.first,
    ...finished,
  };
}

function openSource(source: Source): AsyncIterable<Uint8Array> {
  if (source.kind === 'plain')
    return createReadStream('', {
      fd: source.fd,
      autoClose: false,
      start: 0,
      highWaterMark: 1024 * 1024,
    });
  return (async function* () {
    yield* (await openSealed(source.file)).stream();
  })();
}

async function* tapped(
  source: AsyncIterable<Uint8Array>,
  tap: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    tap(chunk);
    yield chunk;
  }
}

function parseRecord(record: CsvRecord, inputs: readonly BoundInput[]): Row | Reject {
  const { row, fields, problem } = record;
  if (problem !== undefined) {
    return { row, column: null, code: problem, message: rejectMessages[problem] };
  }
  const values: Scalar[] = [];
  for (const { type, columns } of inputs) {
    for (const { index, name, facts } of columns) {
      const parsed = parseValue(fields[index ?? -1] ?? '', type);
      const code = 'code' in parsed ? parsed.code : strictProblem(parsed, facts);
      if (code !== undefined) return { row, column: name, code, message: rejectMessages[code] };
      if ('value' in parsed) values.push(parsed.value);
    }
  }
  return { row, fields, values };
}

/** Plausibility is only counted, unless the bundle says that such rows must not be scored. */
function strictProblem(
  { value, missing }: { readonly value: Scalar; readonly missing: boolean },
  facts: PipelineColumn | undefined,
): RejectCode | undefined {
  if (facts?.reject !== true || missing) return undefined;
  if (typeof value === 'string')
    return facts.categories?.includes(value) === false ? 'category' : undefined;
  const number = Number(value);
  return (facts.min !== undefined && number < facts.min) ||
    (facts.max !== undefined && number > facts.max)
    ? 'range'
    : undefined;
}

interface Batches {
  score(rows: readonly Row[]): Promise<void>;
  rows(): number;
  finish(): Pick<ScoreOutcome, 'outputSha256' | 'outputColumns' | 'firstRows' | 'profile'>;
}

function createBatches(
  job: ScoreJob,
  context: {
    readonly model: LoadedModel;
    readonly binding: Binding;
    readonly header: readonly string[];
  },
): Batches {
  const { model, binding, header } = context;
  const keep = job.output?.keepColumns === true;
  const writer = createWriter(job.output?.fd);
  const firstRows: string[][] = [];
  let rows = 0;
  // What the outputs look like is known for sure only when the first batch has come back.
  let shape: { readonly columns: readonly OutputColumn[]; readonly profiler: Profiler } | undefined;

  function start(
    results: Readonly<Record<string, TensorData>>,
    batch: number,
  ): NonNullable<typeof shape> {
    const columns = model.outputs.flatMap(({ name }) => {
      const data = results[name];
      if (data === undefined)
        throw new AppError('internal', `The runtime did not give the output ${name}.`);
      return columnsOf(name, data, { batch, labels: model.labelsByOutput.get(name) });
    });
    writer.line(['row', ...(keep ? header : []), ...columns.map(({ name }) => name)]);
    return {
      columns,
      profiler: createProfiler([...inputSpecs(binding), ...outputSpecs(columns, model.outputs)]),
    };
  }

  /** When no row was scored: what the model says of its output is all there is. */
  function namesOf({ name, shape: dims }: TensorSpec): string[] {
    const labels = model.labelsByOutput.get(name);
    const rest = dims.slice(1);
    const width = rest.every((size) => typeof size === 'number')
      ? rest.reduce((product, size) => product * size, 1)
      : 1;
    return elementNames(name, labels?.length ?? width, labels);
  }

  return {
    async score(batch) {
      const padded = binding.fixedBatch ?? batch.length;
      const feeds: Record<string, TensorData> = {};
      let first = 0;
      for (const input of binding.inputs) {
        feeds[input.input] = feedOf(input, { first, batch, padded });
        first += input.columns.length;
      }
      const results = await model.run(feeds);
      shape ??= start(results, padded);
      const { columns, profiler } = shape;
      const types = new Map(model.outputs.map(({ name, type }) => [name, type]));
      for (const [index, { row, fields, values }] of batch.entries()) {
        let position = 0;
        for (const value of values) profiler.add(position++, value);
        const texts = columns.map(({ output, element, width }) => {
          const data = results[output];
          if (data === undefined || data.data.length !== padded * width)
            throw changingShape(output);
          const value = plain(
            data.data[index * width + element] ?? '',
            types.get(output) ?? data.type,
          );
          profiler.add(position++, value);
          return valueToText(value, types.get(output) ?? data.type);
        });
        profiler.endRow();
        const line = [String(row), ...(keep ? fields : []), ...texts];
        writer.line(line);
        if (firstRows.length < shownRows) firstRows.push([String(row), ...texts]);
      }
      rows += batch.length;
    },
    rows: () => rows,
    finish() {
      const names = shape?.columns.map(({ name }) => name) ?? model.outputs.flatMap(namesOf);
      if (shape === undefined) writer.line(['row', ...(keep ? header : []), ...names]);
      return {
        outputSha256: writer.finish(),
        outputColumns: ['row', ...names],
        firstRows,
        profile: (shape?.profiler ?? createProfiler(inputSpecs(binding))).finish(),
      };
    },
  };
}

function feedOf(
  input: BoundInput,
  rows: {
    /** Where the values of this input begin in those of a row. */
    readonly first: number;
    readonly batch: readonly Row[];
    readonly padded: number;
  },
): TensorData {
  const { first, batch, padded } = rows;
  const width = input.columns.length;
  const data = allocate(input.type, padded * width);
  for (let index = 0; index < padded; index += 1) {
    // A fixed batch is filled up with its last row, whose extra results are dropped.
    const values = (batch[index] ?? batch.at(-1))?.values ?? [];
    for (let column = 0; column < width; column += 1) {
      const value = values[first + column] ?? 0;
      (data as Scalar[])[index * width + column] = toStored(value, input.type);
    }
  }
  const dims = input.rank === 0 ? [] : [padded, ...input.rest];
  return { type: input.type, dims, data };
}

function toStored(value: Scalar, type: TensorSpec['type']): Scalar {
  if (type === 'bool') return value === true ? 1 : 0;
  if (type === 'int64' || type === 'uint64' || type === 'string') return value;
  return Number(value);
}

function plain(value: Scalar, type: TensorSpec['type']): Scalar {
  return type === 'bool' ? Boolean(value) : value;
}

function inputSpecs({ inputs }: Binding): ColumnSpec[] {
  return inputs.flatMap(({ type, columns }) =>
    columns.map(({ name, facts }) => ({
      name,
      role: 'input' as const,
      kind: facts?.kind ?? kindOf(type),
      ...(facts?.min === undefined ? {} : { min: facts.min }),
      ...(facts?.max === undefined ? {} : { max: facts.max }),
      ...(facts?.categories === undefined ? {} : { categories: facts.categories }),
    })),
  );
}

/** Floating-point outputs are measured as numbers; labels, whatever their type, as categories. */
function outputSpecs(
  columns: readonly OutputColumn[],
  outputs: readonly TensorSpec[],
): ColumnSpec[] {
  const types = new Map(outputs.map(({ name, type }) => [name, type]));
  return columns.map(({ name, output }) => {
    const kind = kindOf(types.get(output) ?? 'float');
    return {
      name,
      role: 'output' as const,
      kind: kind === 'numeric' && !isFloat(types.get(output)) ? ('categorical' as const) : kind,
    };
  });
}

function kindOf(type: TensorSpec['type']): ColumnSpec['kind'] {
  return type === 'string' ? 'categorical' : type === 'bool' ? 'boolean' : 'numeric';
}

function isFloat(type: TensorSpec['type'] | undefined): boolean {
  return type === 'float' || type === 'double';
}

function changingShape(output: string): AppError {
  return new AppError(
    'unsupported',
    `The output ${output} changes its shape from batch to batch, so it cannot be written into a table.`,
  );
}
