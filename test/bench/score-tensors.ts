/**
 * The runtime alone, from Node: scores numbers that lie in memory, batch after batch, and prints seconds. Arguments: model, type,
 * width, batch, rows.
 */
import * as ort from 'onnxruntime-node';
import { createRandom } from './scoring-models.ts';

const [path = '', type = 'float', ...numbers] = process.argv.slice(2);
const [width = 1, batch = 1, rows = 1] = numbers.map(Number);
const session = await ort.InferenceSession.create(path, {
  intraOpNumThreads: 1,
  graphOptimizationLevel: 'all',
});
const random = createRandom();
// Other numbers in each batch of a few: a tree that sees the same rows again guesses its branches right.
const tensors = Array.from({ length: 16 }, () => {
  const length = batch * width;
  return type === 'int64'
    ? new ort.Tensor(
        'int64',
        BigInt64Array.from({ length }, () => BigInt(Math.floor(random() * 1000))),
        [batch, width],
      )
    : new ort.Tensor(
        'float32',
        Float32Array.from({ length }, () => (random() - 0.5) * 6),
        [batch, width],
      );
});
const run = (at: number): Promise<unknown> => {
  const [first] = tensors;
  return session.run({ x: tensors[at % tensors.length] ?? (first as ort.Tensor) });
};
await run(0);
const started = performance.now();
let done = 0;
for (let at = 0; done < rows; at += 1, done += batch) await run(at);
process.stdout.write(`${((performance.now() - started) / 1000) * (rows / done)}\n`);
