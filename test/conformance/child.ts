/**
 * A contained child that does one ONNX backend test case after another: the gate's scan, the adapters, the runtime, as the product does
 * them. A case that kills it is a crash, and the next one gets a new child.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '#shared/errors.ts';
import { scanChunks } from '#domain/bundle/scan/child.ts';
import { scanAnswer } from '#domain/bundle/scan/answer.ts';
import { rules } from '#domain/bundle/rules.ts';
import { loadModelFrom } from '#domain/inference/runtime.ts';
import { modelSignature, parseModel, type OnnxModel } from '#domain/onnx/index.ts';
import { byLotReason } from './by-lot.ts';
import { dataSets, readValues } from './cases.ts';
import { bfloat16Relative, difference, shapeDifference } from './compare.ts';

export interface CaseAnswer {
  readonly folder: string;
  readonly verdict: 'passed' | 'refused' | 'failed';
  readonly reason: string;
}

process.on('message', ({ folder, runtime }: { folder: string; runtime: 'native' | 'wasm' }) => {
  void judge(folder, runtime).then((answer) => process.send?.({ folder, ...answer }));
});
process.once('disconnect', () => process.exit(0));
process.send?.('ready');

type Judged = Omit<CaseAnswer, 'folder'>;

async function judge(folder: string, runtime: 'native' | 'wasm'): Promise<Judged> {
  try {
    const bytes = readFileSync(join(folder, 'model.onnx'));
    const { findings } = scanAnswer.parse(scanChunks([bytes]));
    const stopping = findings.find(({ ruleId }) => rules[ruleId].level === 'error');
    if (stopping !== undefined)
      return { verdict: 'refused', reason: `${stopping.ruleId}: ${stopping.message}` };
    return await compute(folder, bytes, runtime);
  } catch (error) {
    if (error instanceof AppError && error.code === 'unsupported')
      return { verdict: 'refused', reason: error.message };
    return { verdict: 'failed', reason: error instanceof Error ? error.message : String(error) };
  }
}

async function compute(
  folder: string,
  bytes: Uint8Array,
  runtime: 'native' | 'wasm',
): Promise<Judged> {
  const model = parseModel(bytes);
  const loaded = await loadModelFrom(bytes, { runtime, threads: 1 });
  const names = new Set(modelSignature(model).inputs.map(({ name }) => name));
  const inputs = (model.graph?.inputs ?? []).filter(({ name }) => names.has(name ?? ''));
  const outputs = model.graph?.outputs ?? [];
  const byLot = drawsLots(model);
  const narrow = new Set(
    modelSignature(model)
      .outputs.filter(({ type }) => type === 'bfloat16')
      .map(({ name }) => name),
  );
  for (const set of dataSets(folder)) {
    const results = await loaded.run(readValues(set, 'input', inputs));
    for (const [name, value] of Object.entries(readValues(set, 'output', outputs))) {
      const problem = byLot
        ? shapeDifference(value, results[name])
        : difference(value, results[name], narrow.has(name) ? bfloat16Relative : undefined);
      if (problem !== undefined) return { verdict: 'failed', reason: `${name}: ${problem}` };
    }
  }
  return { verdict: 'passed', reason: byLot ? byLotReason : '' };
}

/** Operators whose results no two programs share, whatever their seed. */
function drawsLots(model: OnnxModel): boolean {
  const nodes = [...(model.graph?.nodes ?? []), ...model.functions.flatMap((body) => body.nodes)];
  return nodes.some(
    ({ opType = '', inputs }) =>
      /^(Random\w+|Bernoulli|Multinomial)$/.test(opType) ||
      (opType === 'Dropout' && inputs.length > 2),
  );
}
