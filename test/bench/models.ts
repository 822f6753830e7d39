/** Large models for the benchmarks: a chain of matrices, their weights inside of the file or beside it. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { graph, model, node, valueInfo, writeModel, type OnnxTensor } from '#domain/onnx/index.ts';

const side = 4096;
const matrixBytes = side * side * 4;

/** Writes `model.onnx` and, for `external`, `weights.bin`. */
export function writeChain(
  dir: string,
  { sizeBytes, external }: { readonly sizeBytes: number; readonly external: boolean },
): { readonly path: string; readonly weightsPath: string | undefined } {
  const count = Math.round(sizeBytes / matrixBytes);
  const weightsPath = join(dir, 'weights.bin');
  const path = join(dir, 'model.onnx');
  const initializers = Array.from({ length: count }, (_, at): OnnxTensor => {
    const data = randomBytes(matrixBytes);
    // Exponents of ordinary numbers; what they are does not matter to how they are loaded.
    for (let offset = 3; offset < data.length; offset += 4) data[offset] = 0x3c;
    const base = { name: `w${at}`, dims: [side, side], dataType: 1, strings: [], externalData: [] };
    if (!external) return { ...base, rawData: data };
    writeFileSync(weightsPath, data, { flag: at === 0 ? 'w' : 'a' });
    const place = { location: 'weights.bin', offset: at * matrixBytes, length: matrixBytes };
    return {
      ...base,
      dataLocation: 1,
      externalData: Object.entries(place).map(([key, value]) => ({ key, value: String(value) })),
    };
  });
  const nodes = initializers.map(({ name = '' }, at) =>
    node('MatMul', { inputs: [`x${at}`, name], outputs: [`x${at + 1}`] }),
  );
  const main = graph('chain', {
    nodes,
    inputs: [valueInfo('x0', 'float', ['N', 'D'])],
    outputs: [valueInfo(`x${count}`, 'float', ['N', 'E'])],
    initializers,
  });
  writeFileSync(path, writeModel(model(main, { opsets: { '': 17 } })));
  return { path, weightsPath: external ? weightsPath : undefined };
}
