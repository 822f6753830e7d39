/** Keys, checkpoints and other short texts: read with a bound, written without ever replacing anything. */
import { chmod, constants, lstat, mkdir, open, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AppError } from '#shared/errors.ts';
import { parseCheckpoint } from '#domain/audit/index.ts';
import { looksLikeManifest, readManifest } from '#domain/custody/index.ts';

const maxTextBytes = 1024 * 1024;

/** Throws `invalid-input` for any other file: that it is the wrong one says nothing of the log. */
export async function readCheckpoint(path: string): Promise<string> {
  const file = await readText(path);
  try {
    // A manifest of a backup carries the checkpoint of its moment.
    const text = looksLikeManifest(file) ? readManifest(file).facts.log.checkpoint : file;
    parseCheckpoint(text);
    return text;
  } catch (cause) {
    throw new AppError(
      'invalid-input',
      `${basename(path)} is not a checkpoint, so there is nothing to compare the log with.`,
      { cause },
    );
  }
}

export async function readText(path: string): Promise<string> {
  await using file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  const facts = await file.stat();
  if (!facts.isFile()) throw new AppError('invalid-input', 'This is not a file.');
  if (facts.size > maxTextBytes)
    throw new AppError('limit', 'The file is too large for a key or a checkpoint.');
  return (await file.readFile()).toString('utf8');
}

/** Throws `conflict` when there is something of that name. */
export async function refuseExisting(path: string): Promise<void> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (found !== undefined) throw taken();
}

/** Never overwrites. */
export async function writeNew(
  path: string,
  content: string | Uint8Array,
  mode: number,
): Promise<void> {
  await writeFile(path, content, { flag: 'wx', mode, flush: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') throw taken();
      throw error;
    },
  );
  // This process makes files for its owner only; what is meant for others says so.
  await chmod(path, mode);
}

function taken(): AppError {
  return new AppError(
    'conflict',
    'There is a file of that name already, and it stays as it is. Choose another name.',
  );
}

/** A new folder with the two files of a verdict. */
export async function writeVerdictFolder(
  path: string,
  verdict: { readonly svr: string; readonly sarif: string },
): Promise<void> {
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST')
      throw new AppError(
        'conflict',
        'There is a folder of that name already, and it stays as it is. Choose another name.',
      );
    throw error;
  });
  await writeNew(join(path, 'svr.dsse.json'), verdict.svr, 0o644);
  await writeNew(join(path, 'findings.sarif'), verdict.sarif, 0o644);
}
