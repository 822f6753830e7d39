/** In the core: what a child says of the first rows of a file. */
import { constants } from 'node:fs/promises';
import { AppError } from '#shared/errors.ts';
import type { TensorSpec } from '#shared/contract/bundles.ts';
import type { Pipeline } from '#domain/pipeline/index.ts';
import type { Dialect, TableFormat } from '#domain/tables/index.ts';
import { createOpenFiles, type ModelFiles } from '../open-files.ts';
import { ChildDied, firstFileDescriptor, runChild, type RunLimits } from '../process.ts';
import type { PreviewJob } from '../protocol.ts';
import { factsOf } from './input-facts.ts';
import { tablePreview, type TablePreview } from './messages.ts';
import { createHandles } from './part-files.ts';

export interface PreviewRequest {
  readonly inputPath: string;
  readonly inputs: readonly TensorSpec[];
  readonly pipeline: Pipeline | undefined;
  readonly format?: TableFormat | undefined;
  readonly dialect?: Partial<Dialect> | undefined;
  /** Files that the pipeline reads; its steps that need them say nothing of rows without them. */
  readonly assets?: ModelFiles['assets'];
}

/** Throws `corrupt` for what cannot be read, `invalid-input` for what is no file. */
export async function previewFile(
  request: PreviewRequest,
  limits: RunLimits,
): Promise<TablePreview> {
  await using handles = createHandles();
  await using sealed = createOpenFiles();
  const input = await handles.open(request.inputPath, constants.O_RDONLY);
  const facts = await factsOf(input, request.inputPath);
  const assets = await sealed.assets(request.assets ?? []);
  const files = [...sealed.descriptors(), ...facts.files];
  const job: PreviewJob = {
    kind: 'preview',
    source: facts.source(firstFileDescriptor + sealed.descriptors().length),
    assets,
    format: request.format ?? facts.format,
    asked: request.dialect ?? {},
    inputs: request.inputs,
    pipeline: request.pipeline ?? null,
  };
  try {
    return tablePreview.parse(await runChild({ job, files, shows: facts.shows, limits }));
  } catch (error) {
    if (!(error instanceof ChildDied)) throw error;
    throw new AppError(
      error.code === 'limit' ? 'limit' : 'corrupt',
      `The file made the process that read it end (${error.how}). Nothing else was touched.`,
      { cause: error, details: { how: error.how } },
    );
  }
}
