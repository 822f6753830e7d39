/** Graphs of a few nodes, loaded as the product loads them: through the adapters, in either build of the runtime. */
import {
  graph,
  model,
  node,
  tensorTypes,
  writeModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxType,
  type OnnxValueInfo,
  type TensorData,
} from '#domain/onnx/index.ts';
import { loadModelFrom, type LoadedModel } from '#domain/inference/runtime.ts';

export type Runtime = 'native' | 'wasm';
export const both: readonly Runtime[] = ['native', 'wasm'];

export const tensorType = (type: string, dims?: readonly number[]): OnnxType => ({
  tensor: {
    elemType: tensorTypes.indexOf(type),
    ...(dims === undefined ? {} : { shape: { dims: dims.map((value) => ({ value })) } }),
  },
});
export const value = (name: string, type: string, dims?: readonly number[]): OnnxValueInfo => ({
  name,
  type: tensorType(type, dims),
});
export const list = (type: string): OnnxType => ({ sequence: { elemType: tensorType(type) } });
export const maybe = (elemType: OnnxType): OnnxType => ({ optional: { elemType } });
export const floats = (...values: number[]): TensorData => ({
  type: 'float',
  dims: [values.length],
  data: Float32Array.from(values),
});
export const int64s = (...values: number[]): TensorData => ({
  type: 'int64',
  dims: [values.length],
  data: BigInt64Array.from(values, BigInt),
});
export const flag = (there: boolean): TensorData => ({
  type: 'bool',
  dims: [],
  data: Uint8Array.of(there ? 1 : 0),
});

export interface Made {
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  readonly initializers?: readonly OnnxTensor[];
  readonly opset?: number;
  readonly opsets?: Readonly<Record<string, number>>;
}

export function load(made: Made, runtime: Runtime): Promise<LoadedModel> {
  const { opset = 21, opsets = { '': opset } } = made;
  return loadModelFrom(writeModel(model(graph('g', made), { opsets, irVersion: 10 })), {
    runtime,
    threads: 1,
  });
}

export async function run(
  made: Made,
  feeds: Readonly<Record<string, TensorData>>,
  runtime: Runtime = 'native',
): Promise<Record<string, { dims: number[]; data: unknown[] }>> {
  const results = await (await load(made, runtime)).run(feeds);
  return Object.fromEntries(
    Object.entries(results).map(([name, { dims, data }]) => [
      name,
      { dims: [...dims], data: [...data] },
    ]),
  );
}

export const one = (opType: string, attributes: Parameters<typeof node>[2] = {}): OnnxNode =>
  node(opType, { inputs: ['x'], outputs: ['y'] }, attributes);
