/**
 * Kept rows, each under the key of the person it speaks of, as JSON Lines (FORMAT.md §3). Written and read in one pass and in
 * bounded memory. Rows whose person cannot be told are left out: nobody could ask for their erasure.
 */
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { AppError } from '#shared/errors.ts';
import { csvField, type CsvRecord, type CsvTable } from '#platform/csv.ts';
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

/** Throws `invalid-input` when the file has no such column. `counts` is kept up to date. */
export async function* sealRows(
  from: {
    readonly runId: string;
    readonly subject: string;
    readonly input: CsvTable;
    readonly predictions: CsvTable;
  },
  keys: RowKeys,
  counts: SealedCounts,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { runId, subject, input, predictions } = from;
  const column = input.header.indexOf(subject);
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
    input: [...input.header],
    predictions: [...predictions.header],
  } satisfies z.infer<typeof head>);
  const predicted = predictionsByRow(predictions);
  for await (const batch of input.records()) {
    const scored = await predicted.upTo(batch.at(-1)?.row ?? 0);
    const told = batch.filter((record) => subjectOf(record, column) !== undefined);
    counts.leftOut += batch.length - told.length;
    counts.rows += told.length;
    const rowKeys = keys.keysFor(told.map((record) => subjectOf(record, column) ?? ''));
    const lines = told.map(({ row, fields }, at) => {
      const { id, key } = rowKeys[at] ?? missingKey();
      const plain = { input: fields, predictions: scored.get(row) ?? null };
      const sealed = wrap(key, Buffer.from(JSON.stringify(plain)), rowAad(runId, row));
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

function subjectOf({ problem, fields }: CsvRecord, column: number): string | undefined {
  const value = fields[column];
  return problem !== undefined || value === undefined || value.trim() === '' ? undefined : value;
}

/** Predictions come in the order of the rows, and not for each of them. */
function predictionsByRow(table: CsvTable): {
  upTo(row: number): Promise<ReadonlyMap<number, readonly string[]>>;
} {
  const batches = table.records();
  let waiting: CsvRecord[] = [];
  let ended = false;
  const rowOf = ({ fields }: CsvRecord): number => Number(fields[0]);
  return {
    async upTo(row) {
      while (
        !ended &&
        rowOf(waiting.at(-1) ?? { row: 0, fields: ['0'], problem: undefined }) < row
      ) {
        const next = await batches.next();
        if (next.done === true) ended = true;
        else waiting = [...waiting, ...next.value];
      }
      const found = waiting.filter((record) => rowOf(record) <= row);
      waiting = waiting.slice(found.length);
      return new Map(found.map((record) => [rowOf(record), record.fields]));
    },
  };
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
