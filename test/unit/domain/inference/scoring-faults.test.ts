import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createInference, type ModelFiles } from '#domain/inference/index.ts';
import { modelFiles, runIn } from '../../../support/inference.ts';
import { canMount } from '../../../support/can-mount.ts';
import { mountSmallDisk } from '../../../support/drives.ts';
import {
  bytesOf,
  columnsModel,
  endlessModel,
  matrixModel,
  unaryModel,
} from '../../../support/onnx-models.ts';
import { temporaryFolder } from '../../../support/vaults.ts';

const inference = createInference();

describe('what goes wrong', () => {
  const failing = async (
    files: ModelFiles,
    csv: string,
    limits?: Parameters<typeof createInference>[0],
  ) => {
    const dir = temporaryFolder();
    writeFileSync(join(dir, 'in.csv'), csv);
    const error = await (limits === undefined ? inference : createInference(limits))
      .score(runIn(dir, files))
      .catch((reason: unknown) => reason);
    expect(readdirSync(dir)).toEqual(['in.csv']);
    return error;
  };

  test('a missing column, a file that is no CSV, a damaged object: each says so and leaves nothing', async () => {
    const files = await modelFiles(bytesOf(columnsModel()));
    expect(await failing(files, 'age,weight\n1,2\n')).toMatchObject({
      code: 'invalid-input',
      message: expect.stringContaining('count, active, color') as string,
    });
    expect(await failing(files, '')).toMatchObject({ code: 'corrupt' });
    expect(await failing(await modelFiles(bytesOf(matrixModel())), 'a,b\n1,"2\n')).toMatchObject({
      code: 'corrupt',
    });
    const damaged = await modelFiles(bytesOf(matrixModel()));
    const bytes = readFileSync(damaged.model.path);
    bytes[120] = (bytes[120] ?? 0) ^ 1;
    writeFileSync(damaged.model.path, bytes);
    expect(await failing(damaged, 'a,b\n1,2\n')).toMatchObject({ code: 'corrupt' });
    expect(
      await failing(await modelFiles(bytesOf(unaryModel('NoSuchOperator'))), 'x\n1\n'),
    ).toMatchObject({ code: 'unsupported' });
  });

  test('an existing output is never overwritten', async () => {
    const dir = temporaryFolder();
    writeFileSync(join(dir, 'in.csv'), 'a,b\n1,2\n');
    writeFileSync(join(dir, 'out.csv'), 'precious');
    const files = await modelFiles(bytesOf(matrixModel()));
    await expect(inference.score(runIn(dir, files))).rejects.toMatchObject({ code: 'conflict' });
    expect(readFileSync(join(dir, 'out.csv'), 'utf8')).toBe('precious');
  });

  test('a model that never ends is stopped by the clock', async () => {
    expect(
      await failing(await modelFiles(bytesOf(endlessModel())), 'x\n1\n', {
        limits: { silenceMs: 1500, loadMs: 200_000 },
      }),
    ).toMatchObject({
      code: 'limit',
      message: expect.stringContaining('a batch took longer than 2 s') as string,
    });
  });

  test('cancel ends the process and removes what was written', async () => {
    const dir = temporaryFolder();
    writeFileSync(join(dir, 'in.csv'), 'x\n1\n');
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 800);
    const files = await modelFiles(bytesOf(endlessModel()));
    await expect(
      inference.score(runIn(dir, files), { signal: abort.signal }),
    ).rejects.toMatchObject({ code: 'cancelled' });
    expect(readdirSync(dir)).toEqual(['in.csv']);
  });

  test.skipIf(process.platform === 'win32')(
    'a killed process is an error of the run and nothing more',
    async () => {
      const dir = temporaryFolder();
      writeFileSync(join(dir, 'in.csv'), 'x\n1\n');
      const files = await modelFiles(bytesOf(endlessModel()));
      const run = inference.score(runIn(dir, files)).catch((error: unknown) => error);
      let child = '';
      while (child === '') {
        await new Promise((resolve) => setTimeout(resolve, 100));
        // It finds nothing, and fails, before there is a child.
        const { stdout } = spawnSync('pgrep', ['-P', String(process.pid), '-f', 'worker\\.'], {
          encoding: 'utf8',
        });
        child = stdout.trim().split('\n')[0] ?? '';
      }
      process.kill(Number(child), 'SIGKILL');
      expect(await run).toMatchObject({
        code: 'unavailable',
        message: expect.stringContaining('SIGKILL') as string,
      });
      expect(readdirSync(dir)).toEqual(['in.csv']);
    },
  );

  test.skipIf(!canMount)('a full disk is an I/O error and leaves nothing', async () => {
    const dir = temporaryFolder();
    const small = join(dir, 'small');
    mountSmallDisk(small, '64k');
    try {
      writeFileSync(join(dir, 'in.csv'), `a,b\n${'1,2\n'.repeat(100_000)}`);
      const files = await modelFiles(bytesOf(matrixModel()));
      await expect(
        inference.score(runIn(dir, files, { outputPath: join(small, 'out.csv') })),
      ).rejects.toMatchObject({ code: 'io' });
      expect(readdirSync(small)).toEqual([]);
    } finally {
      execFileSync('umount', [small]);
    }
  });
});
