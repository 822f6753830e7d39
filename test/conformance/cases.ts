/** ONNX backend test cases on disk: `model.onnx` and `test_data_set_N/{input,output}_I.pb` beside it. */
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  parseOptional,
  parseSequence,
  parseTensor,
  tensorToData,
  tensorTypes,
  type OnnxTensor,
  type OnnxType,
  type OnnxValueInfo,
  type TensorData,
} from '#domain/onnx/index.ts';

/** Folders of cases under `dir`, sorted, without those that bring no data. */
export function findCases(dir: string): string[] {
  return globSync('**/model.onnx', { cwd: dir })
    .map((path) => dirname(join(dir, path)))
    .filter((folder) => dataSets(folder).length > 0)
    .sort();
}

export function dataSets(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /^test_data_set_\d+$/.test(name))
    .map((name) => join(folder, name))
    .filter((set) => existsSync(join(set, 'output_0.pb')))
    .sort();
}

/** The values of one side of a data set, in the form that the product states for sequences and optionals (inference/FORMAT.md). */
export function readValues(
  set: string,
  side: 'input' | 'output',
  values: readonly OnnxValueInfo[],
): Record<string, TensorData> {
  return Object.assign(
    {},
    ...values.map(({ name = '', type }, at) => {
      const path = join(set, `${side}_${at}.pb`);
      return existsSync(path) ? unpackValue(name, type, readFileSync(path)) : {};
    }),
  ) as Record<string, TensorData>;
}

function unpackValue(
  name: string,
  type: OnnxType | undefined,
  bytes: Uint8Array,
): Record<string, TensorData> {
  if (type?.sequence !== undefined)
    return packSequence(name, type, parseSequence(bytes).map(tensorToData));
  if (type?.optional === undefined)
    return { [name]: tensorToData(typed(parseTensor(bytes), type)) };
  const value = parseOptional(bytes);
  const present: TensorData = {
    type: 'bool',
    dims: [],
    data: Uint8Array.of(value === undefined ? 0 : 1),
  };
  const inner = type.optional.elemType;
  if (inner?.sequence !== undefined)
    return {
      ...packSequence(name, inner, ((value ?? []) as []).map(tensorToData)),
      [`${name}:present`]: present,
    };
  return {
    ...(value === undefined ? {} : { [name]: tensorToData(value as never) }),
    [`${name}:present`]: present,
  };
}

/** ONNX up to 1.12 wrote the values of bfloat16 as the 16-bit integers of their patterns. */
function typed(tensor: OnnxTensor, type: OnnxType | undefined): OnnxTensor {
  const declared = type?.tensor?.elemType;
  const isPattern = nameOf(declared) === 'bfloat16' && nameOf(tensor.dataType) === 'uint16';
  if (!isPattern || declared === undefined) return tensor;
  // Without their dimensions.
  const sizes = type?.tensor?.shape?.dims.map(({ value }) => value ?? 1);
  return { ...tensor, dataType: declared, dims: sizes ?? tensor.dims };
}

function nameOf(dataType: number | undefined): string | undefined {
  return tensorTypes[dataType ?? 0];
}

/** All values in one row, and beside them the sizes of each tensor, all in one row too. */
function packSequence(
  name: string,
  type: OnnxType,
  tensors: readonly TensorData[],
): Record<string, TensorData> {
  const list = (values: readonly number[]): TensorData => ({
    type: 'int64',
    dims: [values.length],
    data: BigInt64Array.from(values, BigInt),
  });
  const [first] = tensors;
  const all = tensors.flatMap(({ data }) => [...data] as (number | bigint | string)[]);
  return {
    ...(first === undefined
      ? {}
      : { [name]: { type: first.type, dims: [all.length], data: toArray(first, all) } }),
    [`${name}:ranks`]: list(tensors.map(({ dims }) => dims.length)),
    [`${name}:dims`]: list(tensors.flatMap(({ dims }) => dims)),
  };
}

function toArray(
  { data }: TensorData,
  values: readonly (number | bigint | string)[],
): TensorData['data'] {
  if (Array.isArray(data)) return values.map(String);
  return (data.constructor as unknown as { from(values: unknown): TensorData['data'] }).from(
    values,
  );
}
