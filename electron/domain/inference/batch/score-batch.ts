/**
 * In the core: one child reads the input once and tells its segments, others score them, each on a core of the machine. What they
 * make of a segment comes back as a piece in a file of its own and is appended here, in the order of the input. So the output
 * does not depend on who was faster, and what is appended is a state to go on from.
 */
import type { FileHandle } from 'node:fs/promises';
import { AppError } from '#shared/errors.ts';
import type { Pipeline } from '#domain/pipeline/index.ts';
import {
  rawNames,
  type Dialect,
  type Segment,
  type TableFormat,
  type TableInfo,
} from '#domain/tables/index.ts';
import { step } from '#platform/steps.ts';
import type { RunLimits } from '../process.ts';
import type { SealedModel, Source } from '../protocol.ts';
import { crewFor, runReader, runScorer, type Scorer } from './children.ts';
import { createCollector, type Collected } from './collect.ts';
import { ResumeRefused, type BatchJournal } from './journal.ts';
import type { Piece, ReaderOrder, StageTimes } from './messages.ts';

export interface BatchRequest {
  readonly model: SealedModel;
  readonly pipeline: Pipeline | undefined;
  readonly limits: RunLimits;
  /** Descriptors of the children that score, and of the one that reads; numbers in `model` and sources are those of a child. */
  readonly scorerFiles: readonly number[];
  readonly scorerSource: Source;
  readonly readerFiles: readonly number[];
  readonly readerSource: Source;
  /** Folders that these children may read. */
  readonly shows: readonly string[];
  readonly inputBytes: number;
  readonly inputModifiedMs: number;
  readonly format: TableFormat;
  readonly asked: Partial<Dialect>;
  /** Undefined when only the profile is wanted. */
  readonly output: BatchOutput | undefined;
  /** Where an earlier run of the same was when it ended. */
  readonly journal: BatchJournal | undefined;
  /** What is in the output files is durable then. */
  readonly onCheckpoint: ((journal: BatchJournal) => void) | undefined;
  readonly checkpointMs: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((done: number, total: number, rows: number) => void) | undefined;
  /** Instead of one for each core. */
  readonly children: number | undefined;
}

export interface BatchOutput {
  readonly output: FileHandle;
  readonly rejects: FileHandle;
  /** A file for one piece after another. */
  readonly openSlot: () => Promise<FileHandle>;
  readonly keepColumns: boolean;
}

export interface BatchOutcome extends Collected {
  readonly table: TableInfo;
  readonly inputSha256: string;
  /** Processor time by stage, of all children together. */
  readonly times: StageTimes;
}

/** Segments that the reader may be ahead of what is in the output. */
const ahead = 16;
/** From this size on all children start at once; for less, others join as soon as the first one is seen to have long to go. */
const largeBytes = 16 * 2 ** 20;
/** Others take more than a tenth of a second to start. */
const longMs = 300;

export async function scoreBatch(request: BatchRequest): Promise<BatchOutcome> {
  const { output, journal } = request;
  const { most, threads } = crewFor(request);
  const ending = new AbortController();
  const signal =
    request.signal === undefined ? ending.signal : AbortSignal.any([ending.signal, request.signal]);
  const collector = await createCollector(output, journal);
  const tasks: Promise<void>[] = [];
  let failure: unknown;

  let info: TableInfo | undefined;
  let inputSha256: string | undefined;
  let told = 0;
  /** The reader waits for leave to tell this segment. */
  let awaited: { readonly index: number; readonly tell: (order: ReaderOrder) => void } | undefined;
  let hasBound = false;
  let started = 0;
  let appended = journal?.next ?? 0;
  let lastSegment: Segment | undefined;
  const queue: Segment[] = [];
  const segments = new Map<number, Segment>();
  const givenTo = new Map<number, { readonly scorer: Scorer; readonly slot: number }>();
  const done = new Map<number, Piece>();
  const rowsInWork = new Map<number, number>();
  const loaded: Scorer[] = [];
  const idle: Scorer[] = [];
  const times: Record<keyof StageTimes, number> = {
    read: 0,
    bind: 0,
    infer: 0,
    profile: 0,
    write: 0,
  };
  const startedMs = performance.now();
  /** When the first segment was given to a child. */
  let scoringMs: number | undefined;
  let checkpointedMs: number | undefined;
  let doneBytes = 0;
  let resumedBytes = 0;
  let isAppending = false;

  function guard(task: Promise<unknown>): void {
    tasks.push(
      task.then(
        () => undefined,
        (error: unknown) => {
          failure ??= error;
          ending.abort();
        },
      ),
    );
  }

  function startReader(): void {
    const asked = journal?.table.dialect ?? request.asked;
    const reading = runReader(
      request,
      { asked, signal },
      {
        table(found) {
          requireSameTable(found);
          info = found;
          for (const scorer of loaded.splice(0)) scorer.tell({ kind: 'table', info });
        },
        segment: take,
        waiting(index, tell) {
          awaited = { index, tell };
          readOn();
        },
      },
    );
    guard(
      reading.then((sha256) => {
        inputSha256 = sha256;
        if (told < appended) throw otherInput();
        dispatch();
      }),
    );
  }

  function requireSameTable(found: TableInfo): void {
    if (journal === undefined) return;
    const same =
      journal.inputBytes === request.inputBytes &&
      JSON.stringify(journal.table) === JSON.stringify(found) &&
      (journal.inputSha256 !== null || journal.inputModifiedMs === request.inputModifiedMs);
    if (!same) throw otherInput();
  }

  /** Leave for the reader to go on; it is never so far ahead that what it read is out of the system's cache again. */
  function readOn(): void {
    const upTo = appended + ahead;
    if (awaited === undefined || awaited.index > upTo) return;
    awaited.tell({ upTo });
    awaited = undefined;
  }

  function take(segment: Segment): void {
    if (segment.index !== told) throw new AppError('internal', 'A segment is missing.');
    told += 1;
    if (segment.index < appended) {
      doneBytes += bytesOf(segment);
      resumedBytes = doneBytes;
      if (segment.index === appended - 1 && journal !== undefined) {
        const isOther = journal.inputSha256 !== null && journal.inputSha256 !== segment.sha256;
        // Another version of the program may have divided the input at other rows.
        const seen = segment.firstRow - 1 + segment.rows;
        if (isOther || journal.rows + journal.rejected !== seen) throw otherInput();
        lastSegment = segment;
      }
      return;
    }
    queue.push(segment);
    segments.set(segment.index, segment);
    dispatch();
  }

  function startScorer(): void {
    started += 1;
    guard(
      runScorer(
        request,
        { threads, signal },
        {
          loaded(scorer) {
            if (info === undefined) loaded.push(scorer);
            else scorer.tell({ kind: 'table', info });
          },
          bound(shape, scorer) {
            hasBound = true;
            const before = output?.keepColumns === true && info !== undefined ? rawNames(info) : [];
            collector.bound({ ...shape, before });
            idle.push(scorer);
            dispatch();
          },
          piece(piece, scorer) {
            for (const stage of Object.keys(times) as (keyof StageTimes)[])
              times[stage] += piece.times[stage];
            done.set(piece.index, piece);
            rowsInWork.set(piece.index, piece.rows + piece.rejected);
            idle.push(scorer);
            dispatch();
          },
          rows(index, rows) {
            rowsInWork.set(index, rows);
            report();
            startOthers();
          },
        },
      ),
    );
  }

  function dispatch(): void {
    for (const scorer of idle.splice(0)) {
      const [segment] = queue;
      const slot = segment === undefined ? undefined : scorer.freeSlots.shift();
      if (segment === undefined || slot === undefined) {
        idle.push(scorer);
        continue;
      }
      queue.shift();
      givenTo.set(segment.index, { scorer, slot });
      scoringMs ??= performance.now();
      scorer.tell({ kind: 'segment', segment, slot });
    }
    if (done.has(appended) && !isAppending) guard(append());
    startOthers();
    if (isComplete())
      for (const scorer of [...idle.splice(0), ...loaded.splice(0)]) scorer.tell({ kind: 'end' });
  }

  function isComplete(): boolean {
    return (
      inputSha256 !== undefined && hasBound && appended === told && !isAppending && done.size === 0
    );
  }

  /** When the rows that are scored so far, parts of a segment too, tell that one child alone would have long to go. */
  function startOthers(): void {
    if (queue.length === 0 || scoringMs === undefined) return;
    const scored = bytesSeen() - resumedBytes;
    const left = request.inputBytes - resumedBytes - scored;
    const spentMs = performance.now() - scoringMs;
    if (scored > 0 && spentMs * (left / scored) > longMs) while (started < most) startScorer();
  }

  async function append(): Promise<void> {
    isAppending = true;
    for (let piece = done.get(appended); piece !== undefined; piece = done.get(appended)) {
      const given = givenTo.get(piece.index);
      const segment = segments.get(piece.index);
      await collector.append(piece, given?.scorer.files[given.slot]);
      done.delete(piece.index);
      givenTo.delete(piece.index);
      segments.delete(piece.index);
      rowsInWork.delete(piece.index);
      given?.scorer.freeSlots.push(given.slot);
      appended += 1;
      lastSegment = segment;
      doneBytes += bytesOf(segment);
      readOn();
      report();
      await checkpoint();
      dispatch();
    }
    isAppending = false;
    dispatch();
  }

  async function checkpoint(): Promise<void> {
    const { onCheckpoint } = request;
    const now = performance.now();
    checkpointedMs ??= now;
    // What is about to be finished needs no way back.
    const isLast = inputSha256 !== undefined && appended === told;
    const isDue = now - checkpointedMs >= request.checkpointMs;
    if (onCheckpoint === undefined || info === undefined || isLast || !isDue) return;
    await collector.sync();
    onCheckpoint({
      schemaVersion: 1,
      inputBytes: request.inputBytes,
      inputModifiedMs: request.inputModifiedMs,
      table: info,
      next: appended,
      inputSha256: lastSegment?.sha256 ?? null,
      ...collector.journal(),
      seconds: (journal?.seconds ?? 0) + (now - startedMs) / 1000,
    });
    step('run: how far it came is recorded');
    checkpointedMs = performance.now();
  }

  /** Of the file, or its share where segments are something else. */
  function bytesOf(segment: Segment | undefined): number {
    if (segment === undefined) return 0;
    const length = segment.to - segment.from;
    return info?.extent === undefined ? length : (length / info.extent) * request.inputBytes;
  }

  /** Those of segments that are in work by their share of rows. */
  function bytesSeen(): number {
    let bytes = doneBytes;
    for (const [index, seen] of rowsInWork) {
      const segment = segments.get(index);
      if (segment !== undefined) bytes += bytesOf(segment) * (seen / Math.max(1, segment.rows));
    }
    return bytes;
  }

  function report(): void {
    const rows = [...rowsInWork.values()].reduce((sum, seen) => sum + seen, collector.seen());
    const bytes = Math.min(request.inputBytes, Math.round(bytesSeen()));
    request.onProgress?.(bytes, request.inputBytes, rows);
  }

  startReader();
  startScorer();
  if (request.inputBytes >= largeBytes) while (started < most) startScorer();
  // More tasks may be added while these are waited for.
  for (let at = 0; at < tasks.length; at += 1) await tasks[at];
  if (failure !== undefined) throw failure;
  if (info === undefined || inputSha256 === undefined || !isComplete())
    throw new AppError('internal', 'The batch ended without a result.');
  return { ...(await collector.finish()), table: info, inputSha256, times };
}

function otherInput(): ResumeRefused {
  return new ResumeRefused('The input is not the one that this run has read so far.');
}
