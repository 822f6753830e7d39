/** Models as the vault hands them over, without a vault around them. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createFloeWriter } from '#domain/floe/index.ts';
import type { createInference, ModelFiles } from '#domain/inference/index.ts';
import type { ObjectHandOver } from '#domain/vault/index.ts';
import { chunksOf, temporaryFolder } from './vaults.ts';

export async function sealed(bytes: Uint8Array, dir = temporaryFolder()): Promise<ObjectHandOver> {
  const path = join(dir, randomBytes(8).toString('hex'));
  const key = randomBytes(32);
  const aad = randomBytes(32);
  const writer = createFloeWriter();
  const { sizeBytes } = await writer.write({
    path,
    source: chunksOf(bytes),
    key: Uint8Array.from(key),
    aad,
  });
  writer.hasher.close();
  return { path, key, aad, sizeBytes };
}

export async function modelFiles(
  bytes: Uint8Array,
  external: Readonly<Record<string, Uint8Array>> = {},
): Promise<ModelFiles> {
  const files = await Promise.all(
    Object.entries(external).map(async ([location, content]) => ({
      location,
      file: await sealed(content),
    })),
  );
  return { model: await sealed(bytes), external: files, assets: [] };
}

type ScoreRequest = Parameters<ReturnType<typeof createInference>['score']>[0];

/** A run over `in.csv` in `dir` into `out.csv` beside it, with what is `own` to it. */
export function runIn(
  dir: string,
  files: ModelFiles,
  own: Partial<ScoreRequest> = {},
): ScoreRequest {
  return {
    ...files,
    pipeline: undefined,
    inputPath: join(dir, 'in.csv'),
    outputPath: join(dir, 'out.csv'),
    keepColumns: false,
    runId: '0123456789abcdef',
    ...own,
  };
}
