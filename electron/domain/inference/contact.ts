/** In the child: the first time anything runs the model. Golden vectors if the bundle has them, else one blank row. */
import type { GoldenTensor } from '#domain/bundle/index.ts';
import type { TensorData } from '#domain/onnx/index.ts';
import type { TensorSpec } from '#shared/contract/bundles.ts';
import type { ContactJob, ContactOutcome } from './protocol.ts';
import { allocate, type LoadedModel } from './runtime.ts';

export async function contactModel(
  job: Pick<ContactJob, 'golden' | 'pipeline'>,
  model: LoadedModel,
): Promise<ContactOutcome> {
  if (job.pipeline !== undefined && model.assets.size > 0) {
    const { checkAssets } = await import('#domain/pipeline/index.ts');
    await checkAssets(job.pipeline, model.assets);
  }
  if (job.golden === null)
    return { checked: 0, failed: 0, message: `The model loads${await tryBlankRow(model)}.` };
  const { cases, tolerance } = job.golden;
  let failed = 0;
  for (const { inputs, outputs } of cases) {
    const results = await model.run(
      Object.fromEntries(
        model.fed
          .filter(({ name }) => inputs[name] !== undefined || !model.optional.has(name))
          .map((spec) => [spec.name, goldenToTensor(inputs[spec.name], spec)]),
      ),
    );
    const agrees = Object.entries(outputs).every(([name, expected]) => {
      const found = results[name];
      return found !== undefined && sameValues(expected.data, found, tolerance);
    });
    if (!agrees) failed += 1;
  }
  const message =
    failed === 0
      ? `All ${cases.length} golden vectors come out as at the maker's.`
      : `${failed} of ${cases.length} golden vectors come out differently here.`;
  return { checked: cases.length, failed, message };
}

/** Without golden vectors nobody knows a good input: that the model refuses a blank row says nothing against it. */
async function tryBlankRow(model: LoadedModel): Promise<string> {
  if (model.fed.some(({ shape }) => shape.slice(1).some((size) => typeof size !== 'number')))
    return '; it leaves sizes open, so no blank row was tried';
  try {
    await model.run(Object.fromEntries(model.fed.map((spec) => [spec.name, blankRow(spec)])));
    return ' and computes a blank row';
  } catch (error) {
    // A trap of the WebAssembly build is a crash, and no answer.
    if (error instanceof Error && error.name === 'RuntimeError') throw error;
    return '; a blank row is none of the inputs that it takes';
  }
}

function blankRow({ type, shape }: TensorSpec): TensorData {
  const dims = shape.map((size) => (typeof size === 'number' ? size : 1));
  return {
    type,
    dims,
    data: allocate(
      type,
      dims.reduce((product, size) => product * size, 1),
    ),
  };
}

function goldenToTensor(golden: GoldenTensor | undefined, spec: TensorSpec): TensorData {
  if (golden === undefined) throw new Error(`A golden vector lacks the input ${spec.name}.`);
  const data = allocate(spec.type, golden.data.length);
  for (const [at, value] of golden.data.entries())
    (data as Scalar[])[at] = toStored(value, spec.type);
  return { type: spec.type, dims: golden.shape, data };
}

type Scalar = number | bigint | string | boolean;

function toStored(value: GoldenTensor['data'][number], type: TensorSpec['type']): Scalar {
  if (type === 'string') return String(value ?? '');
  if (type === 'bool') return value === true || value === 1 ? 1 : 0;
  if (type === 'int64' || type === 'uint64') return BigInt(value ?? 0);
  return value === null ? Number.NaN : Number(value);
}

function sameValues(
  expected: GoldenTensor['data'],
  { data, type }: TensorData,
  tolerance: number,
): boolean {
  if (expected.length !== data.length) return false;
  return expected.every((value, at) => {
    const found = data[at];
    if (type === 'string') return found === String(value);
    if (type === 'bool') return Boolean(found) === Boolean(value);
    if (type === 'int64' || type === 'uint64') return BigInt(found ?? 0) === BigInt(value ?? 0);
    const number = Number(found);
    return value === null ? Number.isNaN(number) : Math.abs(number - Number(value)) <= tolerance;
  });
}
