/** Stored versions as files: written out as they came in, or read through to see that they are whole. */
import { createHash } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from '#platform/make-folder.ts';
import { AppError } from '#shared/errors.ts';
import { isSignatureFile } from '#domain/bundle/index.ts';
import type { ResolvedVersion, StoredFile } from '#domain/registry/index.ts';
import type { OpenVault } from '#domain/vault/index.ts';
import type { CallContext } from './handler.ts';

/** Reads every file of a version and compares it with its digest. Throws `corrupt` at the first that is damaged. */
export async function checkFiles(
  vault: OpenVault,
  version: ResolvedVersion,
  signal: AbortSignal,
): Promise<void> {
  for (const file of version.stored) await readThrough(vault, file, { signal });
}

/**
 * Into a new folder; removed again when it cannot be completed. With `since` only what that version lacks is written, and the
 * signatures, which list everything: a differential bundle.
 */
export async function exportFiles(
  context: CallContext,
  version: ResolvedVersion,
  dir: string,
  since?: ResolvedVersion,
): Promise<{ readonly files: number; readonly totalBytes: number }> {
  const { vault } = context.open();
  const known = new Set(since?.stored.map(({ sha256 }) => sha256));
  const files = version.stored.filter(
    ({ path, sha256 }) => isSignatureFile(path) || !known.has(sha256),
  );
  if (since !== undefined && !files.some(({ path }) => isSignatureFile(path)))
    throw new AppError(
      'refused',
      'This version is not signed, so nothing could say what a differential bundle leaves out. Export it whole.',
    );
  await mkdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST')
      throw new AppError(
        'conflict',
        'There is a file or folder of that name already. Choose another name.',
      );
    throw error;
  });
  try {
    const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
    let done = 0;
    for (const file of files) {
      const path = join(dir, file.path);
      await makeFolder(dirname(path));
      await using output = await open(path, 'wx', 0o644);
      await readThrough(vault, file, {
        signal: context.signal,
        onChunk: async (chunk) => {
          await output.writeFile(chunk);
          done += chunk.length;
          context.report({ step: 'Writing', done, total, unit: 'bytes' });
        },
      });
      await output.sync();
    }
    return { files: files.length, totalBytes: total };
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

async function readThrough(
  vault: OpenVault,
  file: StoredFile,
  options: {
    readonly signal: AbortSignal;
    readonly onChunk?: (chunk: Uint8Array) => Promise<void>;
  },
): Promise<void> {
  const object = await vault.objects.open(file.objectId);
  try {
    const hash = createHash('sha256');
    for await (const chunk of object.stream()) {
      options.signal.throwIfAborted();
      hash.update(chunk);
      await options.onChunk?.(chunk);
    }
    if (hash.digest('hex') !== file.sha256)
      throw new AppError('corrupt', `The stored file ${file.path} is not the one that came in.`);
  } finally {
    await object.close();
  }
}
