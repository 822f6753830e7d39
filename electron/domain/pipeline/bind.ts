/** A pipeline, the inputs of a model and the columns of a file put together, fitting or not. */
import type { TensorSpec } from '#shared/contract/bundles.ts';
import type { TableColumn } from '#domain/tables/index.ts';
import { bindInputs, fixedBatchOf, widthOf } from './binding.ts';
import { createDraft, type Slot, type Source, type Work } from './draft.ts';
import { checkFits, storageOf } from './feeds.ts';
import type { Pipeline } from './schema.ts';

export interface BoundTensor {
  readonly spec: TensorSpec;
  readonly rest: readonly number[];
  readonly slots: readonly Slot[];
}

export interface PipelineBinding {
  readonly inputs: readonly BoundTensor[];
  readonly work: readonly Work[];
  /** Columns of the file that are used, in the order of the inputs. */
  readonly sources: readonly Source[];
  readonly fixedBatch: number | undefined;
  /** One row for each column of each input. */
  readonly rows: readonly BoundRow[];
  readonly unusedColumns: readonly string[];
  /** What stands in the way of running, besides missing columns. */
  readonly problems: readonly string[];
  /** Columns that the file lacks. */
  readonly missing: readonly string[];
}

export interface BoundRow {
  /** Of the file; null when it has none for this. */
  readonly column: string | null;
  readonly input: string;
  readonly type: string;
  readonly problem: string | null;
}

export function bindPipeline(request: {
  readonly pipeline: Pipeline | undefined;
  readonly inputs: readonly TensorSpec[];
  readonly columns: readonly TableColumn[];
}): PipelineBinding {
  const { pipeline, columns } = request;
  const draft = createDraft(columns, pipeline?.columns ?? []);
  const rows: BoundRow[] = [];
  const inputs = bindInputs(
    request.inputs,
    { names: draft.names(), find: draft.find },
    declaredInputs(pipeline, request.inputs),
  ).map(({ spec, rest, columns: names, problem }): BoundTensor => {
    if (problem !== undefined) {
      draft.note(`Input ${spec.name}: ${problem}`);
      rows.push({ column: null, input: spec.name, type: spec.type, problem });
    }
    const { as, isFloat = false } = storageOf(spec);
    const slots = names.flatMap((name) => {
      const read = draft.read(name, as, isFloat);
      const input = names.length === 1 ? spec.name : `${spec.name}: ${name}`;
      rows.push({
        column: read?.column ?? null,
        input,
        type: spec.type,
        problem: read === undefined ? `The file has no column ${name}.` : null,
      });
      if (read === undefined) return [];
      return draft.add({
        reads: [read],
        count: 1,
        run: ([data], marks) =>
          data === undefined ? [] : [checkFits(data, spec.type, { marks, column: read.column })],
      });
    });
    return { spec, rest, slots };
  });
  const fixed = fixedBatchOf(request.inputs);
  if (typeof fixed === 'string') draft.note(fixed);
  const { work, sources } = draft.workFor(inputs.flatMap(({ slots }) => slots));
  const used = new Set(sources.map(({ column }) => column.name));
  return {
    inputs,
    work,
    sources,
    fixedBatch: typeof fixed === 'string' ? undefined : fixed,
    rows,
    unusedColumns: columns.map(({ name }) => name).filter((name) => !used.has(name)),
    problems: draft.problems,
    missing: draft.missing,
  };
}

function declaredInputs(
  pipeline: Pipeline | undefined,
  inputs: readonly TensorSpec[],
): ReadonlyMap<string, readonly string[]> {
  const single = new Set(inputs.filter((spec) => widthOf(spec) === 1).map(({ name }) => name));
  const declared = new Map<string, readonly string[]>();
  for (const { name, input = name } of pipeline?.columns ?? [])
    if (single.has(input) && !declared.has(input)) declared.set(input, [name]);
  if (pipeline?.matrix !== undefined) declared.set(pipeline.matrix.input, pipeline.matrix.columns);
  return declared;
}
