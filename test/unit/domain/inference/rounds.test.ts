import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { defaultLimitsFor } from '../../../../electron/domain/inference/limits.ts';
import { createModelPool } from '../../../../electron/domain/inference/pool.ts';
import { modelFiles } from '../../../support/inference.ts';
import { bytesOf, matrixModel } from '../../../support/onnx-models.ts';

/** `STRONGROOM_ROUNDS=1000` for a long run. */
const loads = Number(process.env['STRONGROOM_ROUNDS'] ?? 150);
const atOnce = 3;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** What the core has in hand after a round. */
function holdings() {
  collectGarbage();
  const { rss, heapUsed, external } = process.memoryUsage();
  const own = new RegExp(`^strongroom-child-${process.pid}-`);
  return {
    rssMiB: rss / 2 ** 20,
    usedMiB: (heapUsed + external) / 2 ** 20,
    descriptors: readdirSync('/proc/self/fd').length,
    folders: readdirSync(tmpdir()).filter((name) => own.test(name)).length,
    processes: process.getActiveResourcesInfo().filter((name) => name === 'ProcessWrap').length,
  };
}

test.runIf(process.platform === 'linux')(
  'loading and unloading a model again and again leaves nothing in the core',
  { timeout: 600_000 + loads * 2000 },
  async () => {
    const pool = createModelPool({ limitsFor: defaultLimitsFor });
    const files = await modelFiles(bytesOf(matrixModel()));
    const round = async (): Promise<void> => {
      await Promise.all(
        Array.from({ length: atOnce }, (_, at) =>
          pool.request(
            { key: `model ${at}`, files: () => files, pipeline: undefined },
            {
              kind: 'infer',
              body: {},
              tensors: { features: { type: 'float', dims: [1, 2], data: Float32Array.of(1, 2) } },
            },
          ),
        ),
      );
      await pool.empty();
    };
    const rounds = Math.ceil(loads / atOnce);
    const settled = Math.ceil(rounds / 3);
    const middle = Math.ceil((2 * rounds) / 3);
    const start = holdings();
    for (let at = 0; at < settled; at += 1) await round();
    const before = holdings();
    for (let at = settled; at < middle; at += 1) await round();
    const between = holdings();
    for (let at = middle; at < rounds; at += 1) await round();
    const after = holdings();
    expect(pool.status()).toEqual([]);
    expect(after).toMatchObject({ descriptors: before.descriptors, folders: 0, processes: 0 });
    expect(after.usedMiB - before.usedMiB).toBeLessThan(2);
    expect(after.rssMiB - before.rssMiB).toBeLessThan(32);
    if (process.env['STRONGROOM_ROUNDS'] !== undefined)
      console.table({ start, 'a third': before, 'two thirds': between, end: after });
  },
);
