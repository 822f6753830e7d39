/**
 * Kept rows, each under the key of the person it speaks of, as JSON Lines (FORMAT.md §3). Written and read in one pass and in
 * bounded memory. Rows whose person cannot be told are left out: nobody could ask for their erasure.
 */
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { AppError } from '#shared/errors.ts';
import { csvField } from '#platform/csv.ts';
import { unwrap, wrap } from '#domain/vault/index.ts';
import type { SubjectKey } from './subjects.ts';

const head = z.strictObject({
  format: z.literal('strongroom-kept-rows'),
  version: z.literal(1),
  runId: z.string(),
  subject: z.string(),
  input: z.array(z.string()),
  predictions: z.array(z.string()),
});
const sealedRow = z.strictObject({ row: z.int(), key: z.string(), sealed: z.base64() });
const openRow = z.strictObject({
  input: z.array(z.string()),
  /** Null for a row that was rejected. */
  predictions: z.array(z.string()).nullable(),
});

export interface RowKeys {
  /** In one transaction: a key for each of these rows, counted. */
  keysFor(subjects: readonly string[]): readonly SubjectKey[];
}

export interface SealedCounts {
  rows: number;
  leftOut: number;
}

/** A row of the input as texts, and the line of the predictions that is about it. */
interface KeptRow {
  readonly row: number;
  readonly input: readonly string[];
  /** Null for a row that was rejected. */
  readonly predictions: readonly string[] | null;
  /** Its fields could not be told apart. */
  readonly isBad: boolean;
}

/** Throws `invalid-input` when the file has no such column. `counts` is kept up to date. */
export async function* sealRows(
  from: {
    readonly runId: string;
    readonly subject: string;
    /** Headers of both. */
    readonly input: readonly string[];
    readonly predictions: readonly string[];
    /** In the order of the input, in batches. */
    readonly rows: AsyncIterable<readonly KeptRow[]>;
  },
  keys: RowKeys,
  counts: SealedCounts,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { runId, subject } = from;
  const column = from.input.indexOf(subject);
  if (column < 0)
    throw new AppError(
      'invalid-input',
      `The file has no column ${subject} to tell whom a row is about. Nothing was kept.`,
    );
  yield line({
    format: 'strongroom-kept-rows',
    version: 1,
    runId,
    subject,
    input: [...from.input],
    predictions: [...from.predictions],
  } satisfies z.infer<typeof head>);
  for await (const batch of from.rows) {
    const told = batch.filter((each) => subjectOf(each, column) !== undefined);
    counts.leftOut += batch.length - told.length;
    counts.rows += told.length;
    const rowKeys = keys.keysFor(told.map((each) => subjectOf(each, column) ?? ''));
    const lines = told.map(({ row, input, predictions }, at) => {
      const { id, key } = rowKeys[at] ?? missingKey();
      const plain = JSON.stringify({ input, predictions });
      const sealed = wrap(key, Buffer.from(plain), rowAad(runId, row));
      return line({ row, key: id, sealed: Buffer.from(sealed).toString('base64') });
    });
    yield Buffer.concat(lines);
  }
}

export interface OpenedRow {
  readonly row: number;
  readonly input: readonly string[];
  readonly predictions: readonly string[] | undefined;
}

/** Reads them back; `row` is undefined for one whose key was destroyed. Throws `corrupt` or `tampered`. */
export async function openRows(
  source: AsyncIterable<Uint8Array>,
  keyOf: (id: string) => Uint8Array | undefined,
): Promise<{
  readonly input: readonly string[];
  readonly predictions: readonly string[];
  rows(): AsyncGenerator<OpenedRow | undefined, void, undefined>;
}> {
  const lines = createInterface({
    input: Readable.from(source, { objectMode: false }),
    crlfDelay: Infinity,
  })[Symbol.asyncIterator]();
  const first = await lines.next();
  const { runId, input, predictions } = parsed(head, first.done === true ? '' : first.value);
  async function* rows(): AsyncGenerator<OpenedRow | undefined, void, undefined> {
    for (;;) {
      const next = await lines.next();
      if (next.done === true) return;
      const { row, key: id, sealed } = parsed(sealedRow, next.value);
      const key = keyOf(id);
      if (key === undefined) {
        yield undefined;
        continue;
      }
      const plain = unwrap(key, Buffer.from(sealed, 'base64'), rowAad(runId, row));
      if (plain === undefined)
        throw new AppError('tampered', `Kept row ${row} does not open with its key.`);
      const opened = parsed(openRow, Buffer.from(plain).toString('utf8'));
      yield { row, input: opened.input, predictions: opened.predictions ?? undefined };
    }
  }
  return { input, predictions, rows };
}

export function csvLine(fields: readonly string[]): string {
  return `${fields.map(csvField).join(',')}\n`;
}

function subjectOf({ isBad, input }: KeptRow, column: number): string | undefined {
  const value = input[column];
  return isBad || value === undefined || value.trim() === '' ? undefined : value;
}

function line(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}

function rowAad(runId: string, row: number): Uint8Array {
  return Buffer.from(`strongroom kept row v1:${runId}:${row}`);
}

function parsed<T extends z.ZodType>(schema: T, text: string): z.infer<T> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    // Not passed on: the parser's message would quote the text.
    throw new AppError('corrupt', 'A kept file does not have the form that was written.', {
      cause: cause instanceof Error ? cause.name : undefined,
    });
  }
}

function missingKey(): never {
  throw new AppError('internal', 'A row was to be kept without a key.');
}
