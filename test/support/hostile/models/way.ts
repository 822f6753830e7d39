/** The way of every model: the gate's scanner, first contact in the WebAssembly runtime, then a native child of its own. */
import { AppError } from '#shared/errors.ts';
import type { TensorSpec } from '#shared/contract/bundles.ts';
import { rules } from '#domain/bundle/rules.ts';
import { startScanner } from '#domain/bundle/scan/process.ts';
import { createInference } from '#domain/inference/index.ts';
import { newArray, type TensorData } from '#domain/onnx/index.ts';
import { modelFiles } from '../../inference.ts';
import type { Verdict } from './model-case.ts';

export interface Told {
  readonly verdict: Verdict;
  /** The rule, or the words. */
  readonly said: string;
}

const chunkBytes = 64 * 1024;

export async function goTheWay(
  bytes: Uint8Array,
  limits: NonNullable<Parameters<typeof createInference>[0]>['limits'],
): Promise<Told> {
  const refused = await scan(bytes);
  if (refused !== undefined) return { verdict: 'gate', said: refused };
  const inference = createInference(limits === undefined ? {} : { limits });
  const files = await modelFiles(bytes);
  const contact = await inference.firstContact({ ...files, golden: undefined });
  if (contact.status === 'failed')
    return { verdict: verdictOf(contact.message), said: contact.message };
  await using pool = inference.pool;
  const model = { key: 'model', files: () => files, pipeline: undefined };
  try {
    const { value } = await pool.request(model, { kind: 'describe', body: { of: 'tensors' } });
    const tensors = Object.fromEntries(value.inputs.map((spec) => [spec.name, blank(spec)]));
    await pool.request(model, { kind: 'infer', body: {}, tensors });
    return { verdict: 'runs', said: contact.message };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { verdict: verdictOf(error.message), said: error.message };
  }
}

async function scan(bytes: Uint8Array): Promise<string | undefined> {
  await using scanner = await startScanner();
  for (let at = 0; at < bytes.length; at += chunkBytes)
    await scanner.write(bytes.subarray(at, at + chunkBytes));
  const { findings } = await scanner.end();
  return findings.find(({ ruleId }) => rules[ruleId].level === 'error')?.ruleId;
}

function verdictOf(message: string): Verdict {
  if (/more memory|took longer|processor time|no answer within|MiB/.test(message)) return 'limit';
  if (/process of the model ended|crashed the runtime/.test(message)) return 'crash';
  if (/failed while it was running/.test(message)) return 'row';
  return 'load';
}

function blank({ type, shape }: TensorSpec): TensorData {
  const dims = shape.map((size) => (typeof size === 'number' ? size : 1));
  const count = dims.reduce((product, size) => product * size, 1);
  const data = type === 'string' ? Array.from({ length: count }, () => '') : newArray(type, count);
  if (data === undefined) throw new Error(`No tensor of ${type} can be made.`);
  return { type, dims, data };
}
