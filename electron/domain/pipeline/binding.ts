/**
 * Which column feeds which input of a model. Two shapes: one input per column (as scikit-learn exports have them), and matrix
 * inputs that take several. Names are matched exactly, then without regard to case and separators; `pipeline.json`
 * decides where it speaks.
 */
import type { TensorSpec } from '#shared/contract/bundles.ts';
import { indexedColumns } from './names.ts';

/** What a folder of texts calls their column. */
const folderText = 'text';

/** What is known of the columns that stand before the model. */
export interface Offered {
  readonly names: readonly string[];
  /** Of `names` the one that `name` means. */
  find(name: string): string | undefined;
}

export interface BoundInput {
  readonly spec: TensorSpec;
  /** In order; those that are not offered stand under the name that was looked for. */
  readonly columns: readonly string[];
  /** The dimensions of the input behind the rows; those that it leaves open are filled by the number of columns. */
  readonly rest: readonly number[];
  readonly problem: string | undefined;
}

/** `declared`: columns by the name of the input, where the pipeline says it. */
export function bindInputs(
  inputs: readonly TensorSpec[],
  offered: Offered,
  declared: ReadonlyMap<string, readonly string[]>,
): readonly BoundInput[] {
  const claimed = new Set<string>();
  const claim = (name: string): string => {
    const near = offered.find(name);
    // A column that only looks like the name is given to one input.
    if (near === undefined || (near !== name && claimed.has(near))) return name;
    claimed.add(near);
    return near;
  };
  // An input of texts takes the texts of a folder, which know nothing of its name.
  const named = ({ name, type }: TensorSpec): string =>
    type === 'string' && offered.find(name) === undefined && offered.names.includes(folderText)
      ? folderText
      : name;
  // What is declared or of one column comes first: what is left over belongs to a matrix.
  const taken = new Map(
    inputs.flatMap((spec) => {
      const names = declared.get(spec.name) ?? (widthOf(spec) === 1 ? [named(spec)] : undefined);
      return names === undefined ? [] : [[spec.name, names.map(claim)] as const];
    }),
  );
  const open = inputs.filter(({ name }) => !taken.has(name));
  return inputs.map((spec): BoundInput => {
    const width = widthOf(spec);
    const fits = (names: readonly string[]): boolean =>
      names.length > 0 && (width === undefined || names.length === width);
    const guess = (): string[] => {
      const indexed = indexedColumns(spec.name, offered.names);
      if (indexed !== undefined) return indexed;
      return open.length === 1 ? offered.names.filter((name) => !claimed.has(name)) : [];
    };
    const names = taken.get(spec.name) ?? guess();
    const rest = restOf(spec, names.length);
    if (!fits(names) || rest === undefined) {
      const wanted =
        width === undefined ? 'a number of columns that it does not name' : `${width} columns`;
      return {
        spec,
        columns: [],
        rest: [],
        problem: declared.has(spec.name)
          ? `The input takes ${wanted}, and the pipeline gives it ${names.length}.`
          : `The input takes ${wanted}, and the file does not say which. Save a binding that names them, or add a pipeline.json to the bundle.`,
      };
    }
    return {
      spec,
      columns: taken.has(spec.name) ? names : names.map(claim),
      rest,
      problem: undefined,
    };
  });
}

/** Rows per call that the model fixes; undefined when it takes any number, a text when its inputs contradict each other. */
export function fixedBatchOf(inputs: readonly TensorSpec[]): number | undefined | string {
  const fixed = new Set(
    inputs.flatMap(({ shape }) =>
      shape.length === 0 ? [1] : typeof shape[0] === 'number' ? [shape[0]] : [],
    ),
  );
  if (fixed.size > 1)
    return `The inputs of the model take different numbers of rows (${[...fixed].join(' and ')}), so it cannot run on a table.`;
  return [...fixed][0];
}

/** Columns that the input takes per row; undefined when the model leaves it open. */
export function widthOf({ shape }: TensorSpec): number | undefined {
  const rest = shape.slice(1);
  if (rest.some((size) => typeof size !== 'number')) return undefined;
  return rest.reduce<number>((product, size) => product * Number(size), 1);
}

/** An input of one value per row may have any number of dimensions of 1. Undefined when the columns do not fill them. */
function restOf(spec: TensorSpec, columns: number): number[] | undefined {
  const rest = spec.shape.slice(1);
  const known = rest.reduce<number>(
    (product, size) => product * (typeof size === 'number' ? size : 1),
    1,
  );
  const filled = columns / known;
  if (!Number.isInteger(filled)) return undefined;
  // Of several open dimensions the first takes the columns.
  const open = rest.findIndex((size) => typeof size !== 'number');
  return rest.map((size, at) => (typeof size === 'number' ? size : at === open ? filled : 1));
}
