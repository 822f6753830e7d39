/** What mutants are made of: own models, and those of ONNX's backend tests where Debian's `libonnx-testdata` is installed. */
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { dividingModel, loopingModel, swellingModel } from '../../support/hostile/on-demand.ts';
import {
  bytesOf,
  columnsModel,
  endlessModel,
  matrixModel,
  zipMapModel,
} from '../../support/onnx-models.ts';

const backendTests = '/usr/share/libonnx-testdata/data/node';
const largest = 16 * 1024;

export function readSeeds(): Uint8Array[] {
  const own = [
    matrixModel(),
    columnsModel(),
    zipMapModel(),
    endlessModel(),
    dividingModel(),
    loopingModel(),
    swellingModel(),
  ].map(bytesOf);
  if (!existsSync(backendTests)) return own;
  const others = globSync('*/model.onnx', { cwd: backendTests })
    .toSorted()
    .map((path) => join(backendTests, path))
    .filter((path) => statSync(path).size <= largest)
    .map((path) => readFileSync(path));
  return [...own, ...others];
}
