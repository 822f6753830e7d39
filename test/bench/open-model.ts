/**
 * From nothing to a ready session: a model of the vault (child in its limits, decryption, the pass that makes it fit for the
 * binding, session), against a plain child that loads the same model by path. `bench:vault` prints it.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, openSync, closeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { contentOf } from '#platform/content.ts';
import type { ObjectHandOver, OpenVault } from '#domain/vault/index.ts';
import { firstFileDescriptor, runChild } from '../../electron/domain/inference/process.ts';
import type { SealedFile } from '../../electron/domain/inference/protocol.ts';
import type { Work } from './measure.ts';
import { writeChain } from './models.ts';

const loadPlain = join(import.meta.dirname, 'load-plain.ts');

export interface OpeningWorks {
  readonly plain: Work;
  readonly ours: Work;
}

export async function openingWorks(
  dir: string,
  vault: OpenVault,
  kind: { readonly sizeBytes: number; readonly external: boolean },
): Promise<OpeningWorks> {
  mkdirSync(dir);
  const { path, weightsPath } = writeChain(dir, kind);
  const model = await sealed(vault, path);
  const weights = weightsPath === undefined ? undefined : await sealed(vault, weightsPath);
  return {
    plain: {
      run() {
        const { status } = spawnSync(process.execPath, ['--no-warnings', loadPlain, path]);
        if (status !== 0) throw new Error('The runtime does not load the plain model.');
      },
    },
    ours: {
      async run() {
        const objects = weights === undefined ? [model] : [model, weights];
        const files = objects.map((object) => openSync(object.path, 'r'));
        const inChild = (object: ObjectHandOver, at: number): SealedFile => ({
          fd: firstFileDescriptor + at,
          key: Buffer.from(object.key).toString('base64'),
          aad: Buffer.from(object.aad).toString('base64'),
          sizeBytes: object.sizeBytes,
        });
        await runChild({
          job: {
            kind: 'contact',
            runtime: 'native',
            golden: null,
            assets: [],
            model: inChild(model, 0),
            external:
              weights === undefined ? [] : [{ location: 'weights.bin', file: inChild(weights, 1) }],
          },
          files,
          limits: {
            dataBytes: 16 * 2 ** 30,
            residentBytes: 16 * 2 ** 30,
            folderBytes: 4 * 2 ** 30,
            processorSeconds: 600,
            loadMs: 600_000,
            silenceMs: 600_000,
          },
        });
        for (const fd of files) closeSync(fd);
      },
    },
  };
}

async function sealed(vault: OpenVault, path: string): Promise<ObjectHandOver> {
  await using file = await open(path);
  return vault.objects.handOverStaged(await vault.objects.stage({ source: contentOf(file) }));
}
