/** In the core: the finished predictions in the format that was asked for, written by a child beside them. */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { AppError } from '#shared/errors.ts';
import type { ConvertedColumn, OutputFormat } from '#domain/tables/index.ts';
import { ChildDied, firstFileDescriptor, runChild, type RunLimits } from '../process.ts';
import type { ConvertJob } from '../protocol.ts';

const blockBytes = 2 ** 20;

/** Gives the SHA-256 (hex) of what was written to `to`, which is durable then. */
export async function convertFile(request: {
  readonly from: FileHandle;
  readonly to: FileHandle;
  readonly format: Exclude<OutputFormat, 'csv'>;
  readonly columns: readonly ConvertedColumn[];
  readonly limits: RunLimits;
  readonly signal: AbortSignal | undefined;
}): Promise<string> {
  const { from, to, format, columns, limits, signal } = request;
  const { size } = await from.stat();
  const job: ConvertJob = {
    kind: 'convert',
    format,
    columns,
    source: { kind: 'plain', fd: firstFileDescriptor, sizeBytes: size },
    outputFd: firstFileDescriptor + 1,
  };
  try {
    await runChild({
      job,
      files: [from.fd, to.fd],
      limits,
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (!(error instanceof ChildDied)) throw error;
    throw new AppError(
      error.code,
      `The process that wrote the predictions as ${format} ended (${error.how}). Nothing of the run was kept; CSV may work.`,
      { cause: error, details: { how: error.how } },
    );
  }
  await to.sync();
  return digestOf(to);
}

async function digestOf(file: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  const block = Buffer.allocUnsafe(blockBytes);
  for (let at = 0; ;) {
    const { bytesRead } = await file.read(block, 0, block.length, at);
    if (bytesRead === 0) return hash.digest('hex');
    hash.update(block.subarray(0, bytesRead));
    at += bytesRead;
  }
}
