/**
 * In the child: a model as it looks from one record: named values in, named values out. What it takes is told by the header of
 * the bundle's reference, else by the pipeline, else by the model's own inputs. Made once for a child.
 */
import { AppError } from '#shared/errors.ts';
import {
  neededColumns,
  planPipeline,
  readTexts,
  type Plan,
  type PlannedColumn,
} from '#domain/pipeline/index.ts';
import {
  rejectMessages,
  type Chunk,
  type ColumnData,
  type NamedColumn,
} from '#domain/tables/index.ts';
import { sliceColumn } from './columns.ts';
import type { ResidentContext } from './kinds.ts';
import { drawRows, readStart } from './reference.ts';

/** A value for each column, as text; null for a missing one. */
export type RecordTexts = Readonly<Record<string, string | null>>;

export interface RecordModel {
  readonly fields: readonly PlannedColumn[];
  readonly plan: Plan;
  /** Throws `invalid-input` for a column that is not there or holds what the model cannot take. */
  read(record: RecordTexts): Chunk;
  /** The row of `chunk`; throws `invalid-input` when a step rejects it. */
  predictRecord(chunk: Chunk): Promise<readonly NamedColumn[]>;
  /** The output column `target` of rows; NaN for rows that cannot be predicted. */
  scores(columns: readonly ColumnData[], target: string): Promise<Float64Array>;
  /** Rows of the reference that the model takes. Throws `unsupported` when the bundle has none that fit. */
  reference(): Promise<{ readonly rows: number; readonly columns: readonly ColumnData[] }>;
  readonly hasReference: boolean;
  /** The first of the reference, as it has them. */
  readonly firstRows: readonly RecordTexts[];
}

const mostReferenceRows = 2000;
const batchRows = 4096;
const shownRows = 3;

const opened = new WeakMap<ResidentContext, Promise<RecordModel>>();

export function recordModel(context: ResidentContext): Promise<RecordModel> {
  const known = opened.get(context);
  if (known !== undefined) return known;
  const made = openRecordModel(context);
  opened.set(context, made);
  return made;
}

async function openRecordModel({ model, pipeline, files }: ResidentContext): Promise<RecordModel> {
  const reference = files.reference;
  const start = reference === null ? undefined : await readStart(reference, shownRows);
  const header = start?.header;
  const planFor = (header: readonly string[]): Plan =>
    planPipeline({
      pipeline,
      inputs: model.inputs,
      outputs: model.outputs,
      labelsByOutput: model.labelsByOutput,
      assets: model.assets,
      columns: header.map((name) => ({ name, type: 'text' })),
    });
  const fromReference = header === undefined ? undefined : attempt(() => planFor(header));
  const plan = fromReference ?? planFor(neededColumns({ pipeline, inputs: model.inputs }));
  if (plan.wanted.some(({ as }) => as === 'bytes'))
    throw new AppError(
      'unsupported',
      'The model takes images or whole texts, for which there is no form. Run it on a folder of files.',
    );
  const rowsOf = (record: readonly RecordTexts[]): (string | null)[][] =>
    record.map((each) => plan.wanted.map(({ name }) => each[name] ?? null));
  let referenceColumns: ReturnType<RecordModel['reference']> | undefined;

  return {
    fields: plan.wanted,
    plan,
    hasReference: fromReference !== undefined,
    firstRows:
      fromReference === undefined || start === undefined
        ? []
        : start.rows.map((fields) =>
            Object.fromEntries(
              plan.wanted.map(({ name }) => [name, fields[start.header.indexOf(name)] ?? null]),
            ),
          ),
    read(record) {
      const missing = plan.wanted
        .map(({ name }) => name)
        .filter((name) => !Object.hasOwn(record, name));
      if (missing.length > 0)
        throw new AppError(
          'invalid-input',
          `The record has no value for: ${missing.slice(0, 20).join(', ')}. Give null for one that is missing.`,
          { details: { missing: missing.slice(0, 200) } },
        );
      const chunk = readTexts(plan.wanted, rowsOf([record]));
      refuseBad(chunk.bad);
      return chunk;
    },
    async predictRecord(chunk) {
      const { tensors, bad } = await plan.toFeeds(chunk);
      refuseBad(bad);
      return plan.toColumns(await model.run(tensors), 1);
    },
    async scores(columns, target) {
      const count = columns[0]?.values.length ?? 0;
      const size = plan.fixedBatch ?? batchRows;
      const scores = new Float64Array(count).fill(Number.NaN);
      for (let from = 0; from < count; from += size) {
        const to = Math.min(count, from + size);
        const { tensors, kept } = await plan.toFeeds({
          firstRow: from + 1,
          rows: to - from,
          columns: columns.map((column) => sliceColumn(column, from, to)),
          bad: [],
          raw: undefined,
        });
        if (kept.length === 0) continue;
        const results = plan.toColumns(await model.run(tensors), kept.length);
        const values = numbersOf(results, target);
        for (const [at, row] of kept.entries()) scores[from + row] = values[at] ?? Number.NaN;
      }
      return scores;
    },
    reference() {
      referenceColumns ??= (async () => {
        if (reference === null || header === undefined || fromReference === undefined)
          throw new AppError(
            'unsupported',
            'The bundle has no reference.csv that fits the model, and without rows to compare with nothing can be explained.',
          );
        const at = plan.wanted.map(({ name }) => header.indexOf(name));
        const drawn = await drawRows(reference, mostReferenceRows);
        const texts = drawn.map((fields) => at.map((place) => fields[place] ?? null));
        const all = readTexts(plan.wanted, texts);
        const bad = new Set(all.bad.map((each) => each.at));
        const good = texts.filter((_, row) => !bad.has(row));
        const { columns } = readTexts(plan.wanted, good);
        return { rows: good.length, columns };
      })();
      return referenceColumns;
    },
  };
}

/** Numbers of a column of the output. Throws `invalid-input` when there is no such column, or it holds texts. */
function numbersOf(columns: readonly NamedColumn[], target: string): ArrayLike<number> {
  const data = columns.find(({ name }) => name === target)?.data;
  if (data === undefined)
    throw new AppError('invalid-input', `The model has no output column ${target}.`);
  if (data.kind === 'number') return data.values;
  if (data.kind === 'text' || data.kind === 'bytes')
    throw new AppError('invalid-input', `The output column ${target} holds no numbers.`);
  return Float64Array.from(data.values as ArrayLike<number | bigint>, Number);
}

function refuseBad(bad: Chunk['bad']): void {
  const [first] = bad;
  if (first === undefined) return;
  const where = first.column === null ? '' : `${first.column}: `;
  throw new AppError('invalid-input', `${where}${rejectMessages[first.code]}`, {
    details: { column: first.column, code: first.code },
  });
}

/** A reference that does not fit the model is the maker's mistake; the model may still be used. */
function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof AppError && error.code === 'invalid-input') return undefined;
    throw error;
  }
}
