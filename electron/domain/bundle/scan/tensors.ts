/** Tensors: what they claim against what they bring, here or in a file beside the model. */
import {
  smallIntegers,
  tagOf,
  tensorBytes,
  tensorTypes,
  type OnnxSparseTensor,
  type OnnxTensor,
} from '#domain/onnx/index.ts';
import { gateLimits } from '../limits.ts';
import { checkFields } from './fields.ts';
import type { Report } from './report.ts';

/** A file beside the model, as the model uses it: `end` is the last byte that it wants to read, plus one. */
export interface ExternalFile {
  readonly location: string;
  readonly end: number;
}

export interface TensorWalk {
  tensor(tensor: OnnxTensor): void;
  sparse(tensor: OnnxSparseTensor): void;
  /** After the last tensor: the files that the model reads from, with the overlaps in them reported. */
  externalFiles(): ExternalFile[];
}

export function createTensorWalk(report: Report): TensorWalk {
  const ranges = new Map<string, (readonly [start: number, end: number])[]>();

  function tensor(one: OnnxTensor): void {
    checkFields('tensor', one, report);
    for (const entry of one.externalData) checkFields('entry', entry, report);
    const elements = elementsOf(one.dims);
    const type = tensorTypes[one.dataType ?? 0];
    if (elements === undefined)
      report('SR-ONNX-005', 'A tensor has a size that is negative or cannot be counted.');
    else if (type === undefined || type === 'undefined')
      report('SR-ONNX-005', 'A tensor has values of a type that ONNX does not have.');
    else if (one.dataLocation === 1 || one.externalData.length > 0) external(one);
    else inline(one, elements, type);
  }

  function inline(one: OnnxTensor, elements: number, type: string): void {
    const raw =
      one.rawData === undefined ? undefined : (one.elided?.['rawData'] ?? one.rawData.length);
    const typed = typedItems(one);
    const strings = one.strings.length;
    const kinds = [raw !== undefined, typed.most > 0, strings > 0].filter(Boolean).length;
    if (kinds > 1) {
      report('SR-ONNX-005', 'A tensor has its values in more than one place.');
    } else if (type === 'string') {
      if (strings !== elements)
        report('SR-ONNX-005', `A tensor of ${elements} texts comes with ${strings}.`);
    } else if (raw !== undefined) {
      const expected = tensorBytes(one) ?? raw;
      if (raw !== expected)
        report('SR-ONNX-005', `A tensor of ${expected} bytes comes with ${raw}.`);
    } else {
      const items = type.startsWith('complex') ? 2 * elements : elements;
      const fewest = Math.ceil(items / (perNumber[type] ?? 1));
      if (typed.most < fewest || typed.fewest > items)
        report('SR-ONNX-005', `A tensor of ${elements} values comes with ${typed.fewest}.`);
    }
  }

  function external(one: OnnxTensor): void {
    const entry = (key: string): string | undefined =>
      one.externalData.find((item) => item.key === key)?.value;
    const location = entry('location');
    if (location === undefined || !isPlain(location)) {
      report('SR-ONNX-004', 'Weights are to be read from a file that is not in the bundle.');
      return;
    }
    const keys = new Set(one.externalData.map(({ key }) => key));
    const expected = tensorBytes(one);
    const offset = toBytes(entry('offset') ?? '0');
    const length = toBytes(entry('length') ?? String(expected ?? 0));
    if (
      keys.size < one.externalData.length ||
      one.rawData !== undefined ||
      one.strings.length > 0 ||
      typedItems(one).most > 0
    )
      report('SR-ONNX-005', 'A tensor says more than once where its values are.');
    else if (expected === undefined)
      report('SR-ONNX-005', 'Texts are to be read from a file beside the model.');
    else if (offset === undefined || length === undefined)
      report('SR-ONNX-005', 'Weights are to be read from a place in their file that is no number.');
    else if (length !== expected)
      report('SR-ONNX-005', `A tensor of ${expected} bytes comes with ${length} in its file.`);
    const known = ranges.get(location) ?? [];
    known.push([offset ?? 0, (offset ?? 0) + (length ?? 0)]);
    ranges.set(location, known);
  }

  function sparse(one: OnnxSparseTensor): void {
    checkFields('sparse', one, report);
    for (const part of [one.values, one.indices]) if (part !== undefined) tensor(part);
    const problem = sparseProblem(one);
    if (problem !== undefined) report('SR-ONNX-017', problem);
  }

  return {
    tensor,
    sparse,
    externalFiles() {
      const files = [...ranges].map(([location, known]) => {
        const sorted = known.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]);
        let end = 0;
        let last: readonly [number, number] = [0, 0];
        for (const range of sorted) {
          // Tensors that share all their weights are fine; a tensor that begins inside of another one is not.
          const isShared = range[0] === last[0] && range[1] === last[1];
          if (!isShared && range[0] < last[1] && range[1] > range[0])
            report('SR-ONNX-005', 'Tensors overlap in their file.');
          last = range;
          end = Math.max(end, range[1]);
        }
        return { location, end };
      });
      if (files.length > gateLimits.entries)
        report('SR-ONNX-007', `The model reads its weights from ${files.length} files.`);
      return files.slice(0, gateLimits.entries);
    },
  };
}

/** The number of values; undefined if it is negative or not exact. */
export function elementsOf(dims: readonly number[]): number | undefined {
  if (dims.some((dim) => dim < 0)) return undefined;
  if (dims.includes(0)) return 0;
  const elements = dims.reduce((product, dim) => product * dim, 1);
  return Number.isSafeInteger(elements * 16) ? elements : undefined;
}

const fixedBytes: ReadonlyMap<number, number> = new Map([
  [4, 4],
  [10, 8],
]);
const varints: ReadonlySet<number> = new Set([5, 7, 11]);

/** How many of them share a number. */
const perNumber: Readonly<Record<string, number>> = {
  uint4: 2,
  int4: 2,
  float4e2m1: 2,
  uint2: 4,
  int2: 4,
};

/** How many numbers the fields `float_data`, `int32_data`, `int64_data`, `double_data` and `uint64_data` hold. */
function typedItems({ unknown, elided }: OnnxTensor): {
  readonly fewest: number;
  readonly most: number;
} {
  let fewest = 0;
  let most = 0;
  for (const field of unknown ?? []) {
    const { tag, at } = tagOf(field);
    const number = Math.floor(tag / 8);
    const width = fixedBytes.get(number);
    if (width === undefined && !varints.has(number)) continue;
    // A list has its length before it; a single number has not.
    const content =
      (tag & 7) === 2 ? field.subarray(at + tagOf(field.subarray(at)).at) : field.subarray(at);
    const items =
      width === undefined
        ? content.filter((byte) => byte < 0x80).length
        : Math.floor(content.length / width);
    fewest += items;
    most += items;
  }
  for (const [name, bytes] of Object.entries(elided ?? {})) {
    const width = fixedBytes.get(Number(name));
    if (width === undefined && !varints.has(Number(name))) continue;
    fewest += width === undefined ? Math.ceil(bytes / 10) : Math.floor(bytes / width);
    most += width === undefined ? bytes : Math.floor(bytes / width);
  }
  return { fewest, most };
}

/** Relative, below the folder of the model, the same on every system. */
function isPlain(location: string): boolean {
  return (
    location !== '' &&
    !/^[/\\]|\\|^[A-Za-z]:|\0/.test(location) &&
    !location.split('/').some((part) => part === '..' || part === '.' || part === '')
  );
}

function toBytes(text: string): number | undefined {
  const bytes = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** SparseTensorProto: values [NNZ]; indices [NNZ] into the flat tensor, or [NNZ, rank]; ascending, in the bounds. */
function sparseProblem({ values, indices, dims }: OnnxSparseTensor): string | undefined {
  const elements = elementsOf(dims);
  const count = values === undefined ? undefined : elementsOf(values.dims);
  if (elements === undefined || count === undefined || indices === undefined)
    return 'A sparse tensor lacks its values, its indices or its size.';
  if (elements > gateLimits.constantValues) return `A sparse tensor unfolds to ${elements} values.`;
  const [rows, columns] = indices.dims;
  const isFlat = indices.dims.length === 1;
  if (
    count > elements ||
    rows !== count ||
    !(isFlat || (indices.dims.length === 2 && columns === dims.length))
  )
    return 'A sparse tensor has indices that do not fit its values.';
  const list = smallIntegers(indices);
  if (list === undefined) return undefined;
  let last = -1;
  for (let at = 0; at < count; at += 1) {
    const flat = isFlat
      ? (list[at] ?? -1)
      : dims.reduce((sum, dim, axis) => {
          const index = list[at * dims.length + axis] ?? -1;
          return index < 0 || index >= dim ? Number.NaN : sum * dim + index;
        }, 0);
    if (!(flat > last && flat < elements))
      return 'A sparse tensor has indices out of order or out of its size.';
    last = flat;
  }
  return undefined;
}
