/** In the core: pieces, in the order of the input, become the output, its digests and its profile. */
import { createHash, type Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { AppError } from '#shared/errors.ts';
import { createProfiler, type Profile, type Profiler } from '#domain/monitoring/index.ts';
import { csvField } from '#platform/csv.ts';
import { step } from '#platform/steps.ts';
import { ResumeRefused, type BatchJournal } from './journal.ts';
import type { OutputColumn, Piece } from './messages.ts';
import type { BatchOutput } from './score-batch.ts';

const shownRows = 20;
const shownRejects = 50;
const copyBytes = 2 ** 20;

export interface Collected {
  readonly rows: number;
  readonly rejected: number;
  readonly outputSha256: string;
  readonly rejectsSha256: string;
  /** Without the number of the row that stands before them. */
  readonly columns: readonly OutputColumn[];
  readonly firstRows: string[][];
  readonly firstRejects: Piece['firstRejects'];
  readonly profile: Profile;
}

type Shape = Pick<NonNullable<Piece['scored']>, 'columns' | 'specs'>;

interface Collector {
  /** What the output looks like if no row is scored, and what stands before its columns. */
  bound(shape: Shape & { readonly before: readonly string[] }): void;
  append(
    piece: Piece,
    /** Its rows, then its rejects. */
    from: FileHandle | undefined,
  ): Promise<void>;
  /** Rows so far, the rejected ones counted. */
  seen(): number;
  sync(): Promise<void>;
  journal(): Pick<
    BatchJournal,
    | 'rows'
    | 'rejected'
    | 'outputBytes'
    | 'outputSha256'
    | 'rejectsBytes'
    | 'rejectsSha256'
    | 'firstRows'
    | 'firstRejects'
    | 'scored'
  >;
  /** Nothing more comes; the files are durable. */
  finish(): Promise<Collected>;
}

/** Throws `ResumeRefused` when the files are not as the journal has them. */
export async function createCollector(
  to: BatchOutput | undefined,
  journal: BatchJournal | undefined,
): Promise<Collector> {
  const output = await openSink(to?.output, journal && [journal.outputBytes, journal.outputSha256]);
  const rejects = await openSink(
    to?.rejects,
    journal && [journal.rejectsBytes, journal.rejectsSha256],
  );
  let rows = journal?.rows ?? 0;
  let rejected = journal?.rejected ?? 0;
  const firstRows = journal?.firstRows.slice() ?? [];
  const firstRejects = journal?.firstRejects.slice() ?? [];
  let before: readonly string[] = [];
  let empty: Shape | undefined;
  let scored: (Shape & { readonly profiler: Profiler }) | undefined;
  if (journal === undefined) await rejects.write(line(['row', 'column', 'code', 'message']));
  else if (journal.scored !== null) scored = begin(journal.scored, journal.scored.profile);

  function begin(
    shape: Shape,
    state?: Parameters<Profiler['merge']>[0],
  ): NonNullable<typeof scored> {
    const profiler = createProfiler(shape.specs);
    if (state !== undefined) profiler.merge(state);
    return { columns: shape.columns, specs: shape.specs, profiler };
  }

  const header = (columns: readonly OutputColumn[]): Uint8Array =>
    line(['row', ...before, ...columns.map(({ name }) => name)]);

  return {
    bound(shape) {
      before = shape.before;
      empty ??= { columns: shape.columns, specs: shape.specs };
    },
    async append(piece, from) {
      if (piece.scored !== null) {
        if (scored === undefined) {
          scored = begin(piece.scored);
          await output.write(header(scored.columns));
        }
        if (JSON.stringify(scored.columns) !== JSON.stringify(piece.scored.columns))
          throw new AppError(
            'unsupported',
            'An output changes its shape from batch to batch, so it cannot be written into a table.',
          );
        scored.profiler.merge(piece.scored.profile);
      }
      rows += piece.rows;
      rejected += piece.rejected;
      firstRows.push(...piece.firstRows.slice(0, shownRows - firstRows.length));
      firstRejects.push(...piece.firstRejects.slice(0, shownRejects - firstRejects.length));
      if (from === undefined) return;
      await output.copy(from, 0, piece.outputBytes);
      await rejects.copy(from, piece.outputBytes, piece.rejectBytes);
    },
    seen: () => rows + rejected,
    async sync() {
      await output.sync();
      await rejects.sync();
    },
    journal: () => ({
      rows,
      rejected,
      outputBytes: output.bytes(),
      outputSha256: output.sha256(),
      rejectsBytes: rejects.bytes(),
      rejectsSha256: rejects.sha256(),
      firstRows,
      firstRejects,
      scored:
        scored === undefined
          ? null
          : {
              columns: scored.columns,
              specs: scored.specs,
              profile: scored.profiler.state(),
            },
    }),
    async finish() {
      if (scored === undefined) {
        if (empty === undefined) throw new AppError('internal', 'No child has bound the columns.');
        scored = begin(empty);
        await output.write(header(scored.columns));
      }
      await output.sync();
      await rejects.sync();
      return {
        rows,
        rejected,
        outputSha256: output.sha256(),
        rejectsSha256: rejects.sha256(),
        columns: scored.columns,
        firstRows,
        firstRejects,
        profile: scored.profiler.finish(),
      };
    },
  };
}

function line(fields: readonly string[]): Uint8Array {
  return Buffer.from(`${fields.map(csvField).join(',')}\n`);
}

interface Sink {
  write(bytes: Uint8Array): Promise<void>;
  copy(from: FileHandle, at: number, bytes: number): Promise<void>;
  bytes(): number;
  /** Of what was written so far. */
  sha256(): string;
  sync(): Promise<void>;
}

/** Without a file the digest is all that is made. */
async function openSink(
  file: FileHandle | undefined,
  known: readonly [bytes: number, sha256: string] | undefined,
): Promise<Sink> {
  const hash: Hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(copyBytes);
  let written = 0;
  if (known !== undefined && file !== undefined) {
    const [bytes, sha256] = known;
    await pass(file, 0, bytes, (part) => void hash.update(part));
    if (hash.copy().digest('hex') !== sha256)
      throw new ResumeRefused('The unfinished output is not as the run has left it.');
    await file.truncate(bytes);
    step('run: part file cut to what is recorded');
    written = bytes;
  }

  async function pass(
    from: FileHandle,
    start: number,
    bytes: number,
    take: (part: Uint8Array) => Promise<void> | void,
  ): Promise<void> {
    for (let at = 0; at < bytes;) {
      const length = Math.min(copyBytes, bytes - at);
      const { bytesRead } = await from.read(buffer, 0, length, start + at);
      if (bytesRead === 0) return;
      await take(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
  }

  async function write(bytes: Uint8Array): Promise<void> {
    hash.update(bytes);
    if (file !== undefined)
      for (let at = 0; at < bytes.length;)
        at += (await file.write(bytes, at, bytes.length - at, written + at)).bytesWritten;
    written += bytes.length;
  }

  return {
    write,
    async copy(from, at, bytes) {
      const before = written;
      await pass(from, at, bytes, write);
      if (written - before !== bytes)
        throw new AppError(
          'unavailable',
          'The process of the model told of rows that it has not written.',
        );
    },
    bytes: () => written,
    sha256: () => hash.copy().digest('hex'),
    async sync() {
      await file?.sync();
      step('run: part file synced');
    },
  };
}
