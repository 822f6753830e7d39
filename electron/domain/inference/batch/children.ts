/** In the core: the children of a batch, and how each is talked to. What they say is parsed here. */
import type { FileHandle } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import type { z } from 'zod';
import { AppError } from '#shared/errors.ts';
import type { Dialect, Segment, TableInfo } from '#domain/tables/index.ts';
import { ChildDied, firstFileDescriptor, runChild, type Tell } from '../process.ts';
import type { ReadJob, ScoreJob } from '../protocol.ts';
import {
  readerAnswer,
  readerSaid,
  scorerSaid,
  type Piece,
  type ReaderOrder,
  type ScorerOrder,
} from './messages.ts';
import type { BatchRequest } from './score-batch.ts';

/** Of each child that scores: while one of its pieces waits for its turn, it works on the next. */
export const slotsEach = 2;
export const mostChildren = 8;

/**
 * One child for each core, each with one thread; fewer with more threads where the machine has no memory for so many copies of
 * the model. The same on the same machine, whatever else it does: threads can change the last digit of a sum.
 */
export function crewFor({ model, children }: Pick<BatchRequest, 'model' | 'children'>): {
  readonly most: number;
  readonly threads: number;
} {
  if (children !== undefined) return { most: children, threads: 1 };
  const cores = Math.min(mostChildren, availableParallelism());
  const weights = model.external.reduce(
    (sum, { file }) => sum + file.sizeBytes,
    model.model.sizeBytes,
  );
  const room = Math.floor(totalmem() / 2 / (2 ** 29 + 4 * weights));
  const most = Math.max(1, Math.min(cores, room));
  return { most, threads: Math.floor(cores / most) };
}

/** The child that reads the input once. Resolves with its SHA-256. */
export async function runReader(
  request: BatchRequest,
  options: { readonly asked: Partial<Dialect>; readonly signal: AbortSignal },
  on: {
    readonly table: (info: TableInfo) => void;
    readonly segment: (segment: Segment) => void;
    /** It waits for leave to tell the segment of this index. */
    readonly waiting: (index: number, tell: (order: ReaderOrder) => void) => void;
  },
): Promise<string> {
  const { asked, signal } = options;
  const job: ReadJob = {
    kind: 'read',
    source: request.readerSource,
    format: request.format,
    asked,
  };
  const work = runChild({
    job,
    files: request.readerFiles,
    shows: request.shows,
    limits: request.limits,
    signal,
    onSaid(what, tell: Tell) {
      const said = heard(readerSaid, what);
      if (said.kind === 'table') on.table(said.info);
      else if (said.kind === 'segment') on.segment(said.segment);
      else on.waiting(said.index, tell);
    },
  });
  return heard(readerAnswer, await untilDeath(work, 'reads the input')).sha256;
}

/** A child that scores. */
export interface Scorer {
  tell(order: ScorerOrder): void;
  /** Its files for pieces, by slot. */
  readonly files: readonly FileHandle[];
  readonly freeSlots: number[];
}

/** Resolves when it was told to end and has. */
export async function runScorer(
  request: BatchRequest,
  options: { readonly threads: number; readonly signal: AbortSignal },
  on: {
    readonly loaded: (scorer: Scorer) => void;
    readonly bound: (
      shape: Pick<NonNullable<Piece['scored']>, 'columns' | 'specs'>,
      scorer: Scorer,
    ) => void;
    readonly piece: (piece: Piece, scorer: Scorer) => void;
    /** How many rows of a segment are scored. */
    readonly rows: (index: number, rows: number) => void;
  },
): Promise<void> {
  const { output } = request;
  const { threads, signal } = options;
  const files: FileHandle[] = [];
  if (output !== undefined) while (files.length < slotsEach) files.push(await output.openSlot());
  const firstSlot = firstFileDescriptor + request.scorerFiles.length;
  const job: ScoreJob = {
    kind: 'score',
    ...request.model,
    pipeline: request.pipeline ?? null,
    source: request.scorerSource,
    output:
      output === undefined
        ? null
        : { slots: files.map((_, at) => firstSlot + at), keepColumns: output.keepColumns },
    threads,
  };
  const freeSlots = Array.from({ length: slotsEach }, (_, at) => at);
  let working = -1;
  let mayEnd = false;
  const work = runChild({
    job,
    files: [...request.scorerFiles, ...files.map(({ fd }) => fd)],
    shows: request.shows,
    limits: request.limits,
    signal,
    onProgress({ stage, rows }) {
      if (stage === 'run' && working >= 0) on.rows(working, rows);
    },
    onSaid(what, tell: Tell) {
      const said = heard(scorerSaid, what);
      const scorer: Scorer = {
        files,
        freeSlots,
        tell(order) {
          if (order.kind === 'segment') working = order.segment.index;
          if (order.kind === 'end') mayEnd = true;
          tell(order);
        },
      };
      if (said.kind === 'loaded') on.loaded(scorer);
      else if (said.kind === 'bound') on.bound(said, scorer);
      else {
        if (said.index !== working)
          throw new AppError(
            'unavailable',
            'The process of the model told of rows that it was not given.',
          );
        working = -1;
        on.piece(said, scorer);
      }
    },
  });
  await untilDeath(work, 'runs the model');
  if (!mayEnd)
    throw new AppError(
      'unavailable',
      'The process of the model ended before all rows were scored.',
    );
}

function heard<Schema extends z.ZodType>(schema: Schema, what: unknown): z.infer<Schema> {
  const { data, success } = schema.safeParse(what);
  if (success) return data;
  throw new AppError('unavailable', 'A process of the run sent something that is no answer.');
}

/** A child that died is an error of the run, with how it ended. */
async function untilDeath<T>(work: Promise<T>, what: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof ChildDied)) throw error;
    throw new AppError(
      error.code,
      `The process that ${what} ended (${error.how}). The vault was not touched and nothing of the run was kept.`,
      { cause: error, details: { how: error.how } },
    );
  }
}
