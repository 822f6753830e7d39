import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { OnnxModel } from '#domain/onnx/index.ts';
import { createInference } from '#domain/inference/index.ts';
import { swellingModel } from '../../../support/hostile/on-demand.ts';
import { modelFiles, runIn } from '../../../support/inference.ts';
import { bytesOf, endlessModel } from '../../../support/onnx-models.ts';
import { temporaryFolder } from '../../../support/vaults.ts';

type Limits = NonNullable<Parameters<typeof createInference>[0]>['limits'];

/** How a run of this model over this file fails. */
async function failing(made: OnnxModel, csv: string, limits: NonNullable<Limits>) {
  const dir = temporaryFolder();
  writeFileSync(join(dir, 'in.csv'), csv);
  const inference = createInference({ limits });
  return inference
    .score(runIn(dir, await modelFiles(bytesOf(made))))
    .catch((reason: unknown) => reason);
}

/** What is limited is processor time, and a test machine may have little of it. */
const patience = { timeout: 400_000 };

test('a run whose model outgrows its memory ends, and says by which limit', patience, async () => {
  expect(
    await failing(swellingModel(), 'size\n10\n200000000\n', { residentBytes: 400 * 2 ** 20 }),
  ).toMatchObject({
    code: 'limit',
    message: expect.stringContaining('more memory than 400 MiB') as string,
  });
  expect(await failing(swellingModel(), 'size\n4000000000\n', {})).toMatchObject({
    code: 'limit',
    message: expect.stringContaining('more memory than it may have') as string,
  });
});

test.runIf(process.platform !== 'win32')(
  'a run that uses up its processor time ends, and says so',
  patience,
  async () => {
    expect(await failing(endlessModel(), 'x\n1\n', { processorSeconds: 2 })).toMatchObject({
      code: 'limit',
      message: expect.stringContaining('2 s of processor time') as string,
    });
  },
);
