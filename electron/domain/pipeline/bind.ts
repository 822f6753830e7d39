/** A pipeline, the inputs of a model and the columns of a file put together, fitting or not. */
import type { TensorSpec } from '#shared/contract/bundles.ts';
import { heldAs } from '#domain/onnx/index.ts';
import type { TableColumn } from '#domain/tables/index.ts';
import { bindInputs, fixedBatchOf, widthOf } from './binding.ts';
import { createDraft, type Draft, type Slot, type Source, type Work } from './draft.ts';
import { checkFits, storageOf } from './feeds.ts';
import { impliedSteps } from './implied-steps.ts';
import type { Pipeline, PipelineV2 } from './schema.ts';
import { withTensors } from './signature.ts';
import { applyStep } from './steps/steps.ts';
import type { Assets } from './steps/step.ts';

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
  /** By the name of the input: the columns, as they stand behind the steps, that feed it. */
  readonly names: ReadonlyMap<string, readonly string[]>;
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
  readonly assets?: Assets | undefined;
}): PipelineBinding {
  const { pipeline, columns, assets = new Map() } = request;
  const draft = createDraft(columns, pipeline?.columns ?? []);
  const signed = pipeline?.schemaVersion === 2 ? (pipeline.tensors ?? []) : [];
  const { inputs: specs, problems } = withTensors(request.inputs, signed);
  for (const problem of problems) draft.note(problem);
  const steps = stepsOf(pipeline) ?? impliedSteps(specs, columns);
  for (const step of steps) applyStep(step, draft, assets);
  const declared = declaredInputs(pipeline, specs);
  if (pipeline?.schemaVersion === 2) noteStrangers(declared, specs, draft);
  const rows: BoundRow[] = [];
  const whole = new Map(
    specs.flatMap((spec) => {
      const [name = spec.name, ...others] = declared.get(spec.name) ?? [];
      const slot = others.length === 0 ? draft.slot(name) : undefined;
      return slot?.tensor === undefined ? [] : [[spec.name, slot] as const];
    }),
  );
  const bindings = bindInputs(
    specs.filter(({ name, kind }) => kind === 'tensor' && !whole.has(name)),
    {
      names: offeredNames(draft, pipeline),
      find: draft.find,
    },
    declared,
  );
  const bound = new Map(bindings.map((binding) => [binding.spec.name, binding]));
  const inputs = specs.map((spec): BoundTensor => {
    if (spec.kind !== 'tensor') {
      const problem = `It is of the kind ${spec.kind}, and the rows of a file feed tensors only.`;
      draft.note(`Input ${spec.name}: ${problem}`);
      rows.push({ column: null, input: spec.name, type: spec.type, problem });
      return { spec, rest: [], slots: [] };
    }
    const slot = whole.get(spec.name);
    if (slot !== undefined) {
      const { column, isThere } = slot;
      const problem = isThere ? tensorProblem(spec, slot) : `The file has no column ${column}.`;
      if (problem !== null && isThere) draft.note(`Input ${spec.name}: ${problem}`);
      rows.push({ column: isThere ? column : null, input: spec.name, type: spec.type, problem });
      return { spec, rest: [], slots: isThere ? [slot] : [] };
    }
    const { columns: names = [], rest = [], problem } = bound.get(spec.name) ?? {};
    if (problem !== undefined) {
      draft.note(`Input ${spec.name}: ${problem}`);
      rows.push({ column: null, input: spec.name, type: spec.type, problem });
    }
    return { spec, rest, slots: columnSlots(spec, names, { draft, rows }) };
  });
  const fixed = fixedBatchOf(specs);
  if (typeof fixed === 'string') draft.note(fixed);
  const { work, sources } = draft.workFor(inputs.flatMap(({ slots }) => slots));
  const used = new Set(sources.map(({ column }) => column.name));
  return {
    inputs,
    names: new Map(
      specs.map(({ name }) => [name, bound.get(name)?.columns ?? declared.get(name) ?? [name]]),
    ),
    work,
    sources,
    fixedBatch: typeof fixed === 'string' ? undefined : fixed,
    rows,
    unusedColumns: columns.map(({ name }) => name).filter((name) => !used.has(name)),
    problems: draft.problems,
    missing: draft.missing,
  };
}

/** Undefined where nobody says what to do with the columns: a signature says only what comes of it. */
function stepsOf(pipeline: Pipeline | undefined): PipelineV2['steps'] | undefined {
  if (pipeline === undefined) return undefined;
  if (pipeline.schemaVersion === 1) return [];
  const { columns, steps, inputs } = pipeline;
  const isSilent = columns.length + steps.length + Object.keys(inputs).length === 0;
  return isSilent && pipeline.tensors !== undefined ? undefined : steps;
}

/** Where a signature declares columns, those of numbers are what a matrix may take, in their order. */
function offeredNames(draft: Draft, pipeline: Pipeline | undefined): readonly string[] {
  const names = draft.names().filter((name) => draft.slot(name)?.tensor === undefined);
  const isSigned =
    pipeline?.schemaVersion === 2 &&
    pipeline.steps.length === 0 &&
    pipeline.columns.some(({ type }) => type !== undefined);
  if (!isSigned) return names;
  return pipeline.columns.flatMap(({ name, type }) => {
    const isNumeric = type !== undefined && type !== 'string' && type !== 'datetime';
    const standing = isNumeric ? draft.find(name) : undefined;
    return standing === undefined ? [] : [standing];
  });
}

function columnSlots(
  spec: TensorSpec,
  names: readonly string[],
  { draft, rows }: { readonly draft: Draft; readonly rows: BoundRow[] },
): readonly Slot[] {
  const { as, isFloat = false } = storageOf(spec);
  return names.flatMap((name) => {
    const read = draft.read(name, as, isFloat);
    rows.push({
      column: read.isThere ? read.column : null,
      input: names.length === 1 ? spec.name : `${spec.name}: ${name}`,
      type: spec.type,
      problem: read.isThere ? null : `The file has no column ${read.column}.`,
    });
    if (!read.isThere) return [];
    return draft.add({
      reads: [read],
      count: 1,
      run: ([data], marks) =>
        data === undefined ? [] : [checkFits(data, spec.type, { marks, column: read.column })],
    });
  });
}

/** Null when the input takes what a step makes. */
function tensorProblem({ type, shape }: TensorSpec, { tensor }: Slot): string | null {
  if (tensor === undefined) return null;
  const rest = shape.slice(1);
  const fits =
    heldAs(type) === tensor.type &&
    rest.length === tensor.rest.length &&
    rest.every((size, at) => {
      const made = tensor.rest[at] ?? null;
      return typeof size !== 'number' || made === null || size === made;
    });
  if (fits) return null;
  const form = (of: string, sizes: readonly (number | string | null)[]): string =>
    `${of} [${['rows', ...sizes.map((size) => size ?? '?')].join(', ')}]`;
  return `The input takes ${form(type, rest)}, and the pipeline makes ${form(tensor.type, tensor.rest)}.`;
}

function noteStrangers(
  declared: ReadonlyMap<string, unknown>,
  inputs: readonly TensorSpec[],
  draft: Draft,
): void {
  const known = new Set(inputs.map(({ name }) => name));
  for (const name of declared.keys())
    if (!known.has(name))
      draft.note(`The pipeline feeds an input ${name}, and the model has none.`);
}

function declaredInputs(
  pipeline: Pipeline | undefined,
  inputs: readonly TensorSpec[],
): ReadonlyMap<string, readonly string[]> {
  if (pipeline?.schemaVersion === 2)
    return new Map(
      Object.entries(pipeline.inputs).map(([input, columns]) => [
        input,
        typeof columns === 'string' ? [columns] : columns,
      ]),
    );
  const single = new Set(inputs.filter((spec) => widthOf(spec) === 1).map(({ name }) => name));
  const declared = new Map<string, readonly string[]>();
  for (const { name, input = name } of pipeline?.columns ?? [])
    if (single.has(input) && !declared.has(input)) declared.set(input, [name]);
  if (pipeline?.matrix !== undefined) declared.set(pipeline.matrix.input, pipeline.matrix.columns);
  return declared;
}
