/** In the core: the rows of an input and what was predicted for each, as a child without a model reads them. */
import { constants } from 'node:fs/promises';
import { AppError } from '#shared/errors.ts';
import type { TableInfo } from '#domain/tables/index.ts';
import { ChildDied, firstFileDescriptor, runChild, type RunLimits, type Tell } from '../process.ts';
import type { JoinJob } from '../protocol.ts';
import { factsOf } from './input-facts.ts';
import { joinAnswer, joinSaid, type JoinedRow } from './messages.ts';
import { createHandles } from './part-files.ts';

export interface JoinRequest {
  readonly inputPath: string;
  /** As it was scored. */
  readonly table: TableInfo;
  readonly inputSha256: string;
  /** A CSV of this program. */
  readonly predictionsPath: string;
  readonly predictionsSha256: string;
  readonly signal: AbortSignal;
}

/** In the order of the input, in batches. Throws `io` in the end when the files are not the ones that were scored. */
export async function* joinFile(
  request: JoinRequest,
  limits: RunLimits,
): AsyncGenerator<readonly JoinedRow[], void, undefined> {
  await using handles = createHandles();
  const input = await handles.open(request.inputPath, constants.O_RDONLY);
  const facts = await factsOf(input, request.inputPath);
  const predictions = await handles.open(request.predictionsPath, constants.O_RDONLY);
  const { size } = await predictions.stat();
  const job: JoinJob = {
    kind: 'join',
    source: facts.source(firstFileDescriptor),
    table: request.table,
    predictions: {
      kind: 'plain',
      fd: firstFileDescriptor + facts.files.length,
      sizeBytes: size,
    },
  };
  const left = new AbortController();
  const told: { readonly what: unknown; readonly tell: Tell }[] = [];
  let news = Promise.withResolvers<void>();
  const work = runChild({
    job,
    files: [...facts.files, predictions.fd],
    shows: facts.shows,
    limits,
    signal: AbortSignal.any([request.signal, left.signal]),
    onSaid(what, tell) {
      told.push({ what, tell });
      news.resolve();
    },
  });
  const ended = work.then(
    () => true,
    () => true,
  );
  try {
    for (let isOver = false; !isOver;) {
      isOver = await Promise.race([news.promise.then(() => false), ended]);
      news = Promise.withResolvers();
      for (const { what, tell } of told.splice(0)) {
        yield heard(joinSaid.safeParse(what)).rows;
        tell(null);
      }
    }
    const read = heard(joinAnswer.safeParse(await work));
    if (
      read.inputSha256 !== request.inputSha256 ||
      read.predictionsSha256 !== request.predictionsSha256
    )
      throw new AppError(
        'io',
        'The input changed while it was read, so nothing of the run was kept. Try again with a file that nobody writes to.',
      );
  } catch (error) {
    if (!(error instanceof ChildDied)) throw error;
    throw new AppError(
      error.code,
      `The process that read the rows to keep ended (${error.how}). Nothing of the run was kept.`,
      { cause: error, details: { how: error.how } },
    );
  } finally {
    left.abort();
    await ended;
  }
}

function heard<T>(parsed: { readonly data?: T }): T {
  if (parsed.data !== undefined) return parsed.data;
  throw new AppError('unavailable', 'A process of the run sent something that is no answer.');
}
