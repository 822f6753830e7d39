/** In the core: what a child says of the first rows of a file. */
import { constants } from 'node:fs/promises';
import { AppError } from '#shared/errors.ts';
import type { TensorSpec } from '#shared/contract/bundles.ts';
import type { Pipeline } from '#domain/pipeline/index.ts';
import type { Dialect, TableFormat } from '#domain/tables/index.ts';
import { createOpenFiles } from '../open-files.ts';
import { ChildDied, runChild, type RunLimits } from '../process.ts';
import type { PreviewJob } from '../protocol.ts';
import { factsOf } from './input-facts.ts';
import { tablePreview, type TablePreview } from './messages.ts';

export interface PreviewRequest {
  readonly inputPath: string;
  readonly inputs: readonly TensorSpec[];
  readonly pipeline: Pipeline | undefined;
  readonly format?: TableFormat | undefined;
  readonly dialect?: Partial<Dialect> | undefined;
}

/** Throws `corrupt` for what cannot be read, `invalid-input` for what is no file. */
export async function previewFile(
  request: PreviewRequest,
  limits: RunLimits,
): Promise<TablePreview> {
  await using files = createOpenFiles();
  const input = await files.open(request.inputPath, constants.O_RDONLY);
  const facts = await factsOf(input.handle, request.inputPath);
  const job: PreviewJob = {
    kind: 'preview',
    source: facts.source(input.number),
    format: request.format ?? facts.format,
    asked: request.dialect ?? {},
    inputs: request.inputs,
    pipeline: request.pipeline ?? null,
  };
  try {
    return tablePreview.parse(await runChild({ job, files: files.descriptors(), limits }));
  } catch (error) {
    if (!(error instanceof ChildDied)) throw error;
    throw new AppError(
      error.code === 'limit' ? 'limit' : 'corrupt',
      `The file made the process that read it end (${error.how}). Nothing else was touched.`,
      { cause: error, details: { how: error.how } },
    );
  }
}
