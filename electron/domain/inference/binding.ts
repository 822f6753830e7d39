/**
 * Which column of a file feeds which input of a model. Two shapes: one input per column (as scikit-learn exports have them), and
 * matrix inputs that take several. Names are matched exactly, then without regard to case and separators; `pipeline.json`
 * decides where it speaks.
 */
import { AppError } from '#shared/errors.ts';
import type { TensorSpec } from '#shared/contract/bundles.ts';
import type { Pipeline, PipelineColumn } from '#domain/pipeline/index.ts';

export interface BoundColumn {
  /** Position in the file, or undefined when no column was found. */
  readonly index: number | undefined;
  readonly name: string;
  readonly facts: PipelineColumn | undefined;
}

export interface BoundInput {
  readonly input: string;
  readonly type: TensorSpec['type'];
  /** Dimensions after the batch; null sizes are filled by the number of columns. */
  readonly rest: readonly number[];
  readonly rank: number;
  readonly columns: readonly BoundColumn[];
  readonly problem: string | undefined;
}

export interface Binding {
  readonly inputs: readonly BoundInput[];
  readonly unusedColumns: readonly string[];
  /** Rows per call that the model fixes; undefined when it takes any number. */
  readonly fixedBatch: number | undefined;
}

export function bindColumns(
  signature: readonly TensorSpec[],
  header: readonly string[],
  asked: Pipeline | undefined,
): Binding {
  if (asked?.schemaVersion === 2)
    throw new AppError('unsupported', 'Steps of a pipeline cannot be done here.');
  const pipeline = asked;
  const findColumn = columnFinder(header);
  const factsByColumn = new Map((pipeline?.columns ?? []).map((column) => [column.name, column]));
  const claimed = new Set<number>();
  const column = (name: string): BoundColumn => {
    const near = findColumn(name);
    // A column that only looks like the name is given to one input.
    const index =
      near !== undefined && header[near] !== name && claimed.has(near) ? undefined : near;
    if (index !== undefined) claimed.add(index);
    return {
      index,
      name: index === undefined ? name : (header[index] ?? name),
      facts: factsByColumn.get(name),
    };
  };

  // Inputs of one column first: what is left over belongs to a matrix.
  const singles = new Map(
    signature
      .filter((spec) => widthOf(spec) === 1)
      .map((spec) => {
        const named = (pipeline?.columns ?? []).find(
          ({ name, input }) => (input ?? name) === spec.name,
        );
        return [spec.name, column(named?.name ?? spec.name)] as const;
      }),
  );
  const matrices = signature.filter((spec) => widthOf(spec) !== 1);
  const inputs = signature.map((spec): BoundInput => {
    const shape = { input: spec.name, type: spec.type, rank: spec.shape.length };
    const single = singles.get(spec.name);
    if (single !== undefined)
      return {
        ...shape,
        rest: spec.shape.slice(1).map(() => 1),
        columns: [single],
        problem: undefined,
      };
    const width = widthOf(spec);
    const names = matrixColumns(spec, {
      header,
      claimed,
      pipeline,
      width,
      alone: matrices.length === 1,
    });
    if (names === undefined) {
      const wanted =
        width === undefined ? 'a number of columns that it does not name' : `${width} columns`;
      return {
        ...shape,
        rest: [],
        columns: [],
        problem: `The input takes ${wanted}, and the file does not say which; add a pipeline.json to the bundle.`,
      };
    }
    const fixed = spec.shape.slice(1).map((size) => (typeof size === 'number' ? size : undefined));
    const known = fixed.reduce<number>((product, size) => product * (size ?? 1), 1);
    return {
      ...shape,
      rest: fixed.map((size) => size ?? names.length / known),
      columns: names.map(column),
      problem: undefined,
    };
  });
  const fixed = signature.flatMap(({ shape }) =>
    shape.length > 0 && typeof shape[0] === 'number' ? [shape[0]] : [],
  );
  return {
    inputs,
    unusedColumns: header.filter((_, at) => !claimed.has(at)),
    fixedBatch: fixed.length === 0 ? undefined : Math.max(...fixed),
  };
}

/** Throws `invalid-input` that names every column that is missing. */
export function requireColumns({ inputs }: Binding): void {
  const problem = inputs.find((input) => input.problem !== undefined);
  if (problem?.problem !== undefined)
    throw new AppError('invalid-input', `Input ${problem.input}: ${problem.problem}`);
  const missing = inputs.flatMap(({ columns }) =>
    columns.filter(({ index }) => index === undefined).map(({ name }) => name),
  );
  if (missing.length > 0) {
    const shown =
      missing.slice(0, 20).join(', ') +
      (missing.length > 20 ? ` and ${missing.length - 20} more` : '');
    throw new AppError(
      'invalid-input',
      `The file has no column for: ${shown}. Nothing was scored; add the columns or choose another file.`,
      { details: { missing: missing.slice(0, 200) } },
    );
  }
}

/** Columns that the input takes per row; undefined when the model leaves it open. */
function widthOf({ shape }: TensorSpec): number | undefined {
  const rest = shape.slice(1);
  if (rest.some((size) => typeof size !== 'number')) return undefined;
  return rest.reduce<number>((product, size) => product * Number(size), 1);
}

function matrixColumns(
  spec: TensorSpec,
  context: {
    readonly header: readonly string[];
    readonly claimed: ReadonlySet<number>;
    readonly pipeline: Extract<Pipeline, { schemaVersion: 1 }> | undefined;
    readonly width: number | undefined;
    readonly alone: boolean;
  },
): string[] | undefined {
  const { header, claimed, pipeline, width } = context;
  const fits = (names: readonly string[]): boolean =>
    names.length > 0 && (width === undefined || names.length === width);
  const declared = pipeline?.matrix;
  if (declared?.input === spec.name)
    return fits(declared.columns) ? [...declared.columns] : undefined;
  const indexed = indexedColumns(spec.name, header);
  if (indexed !== undefined) return fits(indexed) ? indexed : undefined;
  const left = header.filter((_, at) => !claimed.has(at));
  return context.alone && fits(left) ? left : undefined;
}

/**
 * `X[0]`, `x_1`, `X 2`, … in the order of their numbers, wherever they stand; counting may begin at 1. Empty when one is missing
 * or there twice, because their places in the file say nothing then. Undefined when no column is called like that.
 */
function indexedColumns(input: string, header: readonly string[]): string[] | undefined {
  const numbered = header.flatMap((name) => {
    const [, stem = '', digits] = /^(.*?)\s*[[_. (]\s*(\d{1,6})\s*[\])]?$/.exec(name.trim()) ?? [];
    return digits !== undefined && fold(stem) === fold(input) ? [{ name, at: Number(digits) }] : [];
  });
  if (numbered.length === 0) return undefined;
  const ordered = numbered.toSorted((a, b) => a.at - b.at);
  const first = ordered[0]?.at ?? 0;
  const complete = first <= 1 && ordered.every(({ at }, place) => at === first + place);
  return complete ? ordered.map(({ name }) => name) : [];
}

function columnFinder(header: readonly string[]): (name: string) => number | undefined {
  const exact = new Map(header.map((name, at) => [name, at]));
  const folded = new Map<string, number | undefined>();
  for (const [at, name] of header.entries())
    folded.set(fold(name), folded.has(fold(name)) ? undefined : at);
  return (name) => exact.get(name) ?? folded.get(fold(name));
}

function fold(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '_');
}
