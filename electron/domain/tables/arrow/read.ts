/** Record batches of a segment to columns of the size that was asked for. */
import { zstdDecompressSync } from 'node:zlib';
import {
  CompressionType,
  compressionRegistry,
  RecordBatchReader,
  type RecordBatch,
  type Vector,
} from 'apache-arrow';
import { AppError } from '#shared/errors.ts';
import type {
  Chunk,
  ReadOptions,
  RejectCode,
  Segment,
  TableInfo,
  TableReader,
  TableSource,
  WantedColumn,
} from '../table.ts';
import { changedInput } from '../changed.ts';
import { rawNames } from '../raw.ts';
import { createColumn, createMarks, valueToRaw, type ColumnBuilder } from '../values.ts';
import { notText, valuesOf, type ArrowValue } from './columns.ts';
import { decodeLz4Frame } from './lz4.ts';
import { isArrowFile } from './magic.ts';
import { damaged, messagesOf, schemaMessage } from './messages.ts';

/** Of one buffer of a compressed batch. */
const maxBufferBytes = 2 ** 30;
/** All dictionaries of a file together. */
const maxDictionaryBytes = 256 * 2 ** 20;
/** Characters of a text beyond which its row is rejected. */
const maxTextLength = 2 ** 20;

compressionRegistry.set(CompressionType.ZSTD, {
  decode: (data) => zstdDecompressSync(data, { maxOutputLength: maxBufferBytes }),
});
compressionRegistry.set(CompressionType.LZ4_FRAME, {
  decode: (data) => decodeLz4Frame(data, maxBufferBytes),
});

export async function openArrowReader(
  source: TableSource,
  info: TableInfo,
  { wanted, rows: chunkRows, raw }: ReadOptions,
): Promise<TableReader> {
  for (const { name } of wanted)
    if (info.columns.find((column) => column.name === name)?.type === 'list')
      throw new AppError(
        'invalid-input',
        `The column ${name} holds lists or records, and the model takes one value per row there.`,
      );
  const rawColumns = raw ? rawNames(info) : [];
  const before = await preamble(source);
  const newChunk = (): ChunkBuilder => createChunk(wanted, chunkRows);

  async function* readSegment(segment: Segment): AsyncGenerator<Chunk> {
    const body = await source.read(segment.from, segment.to);
    if (body.length < segment.to - segment.from) throw changedInput();
    let chunk = newChunk();
    let rows = 0;
    for (const batch of RecordBatchReader.from(Buffer.concat([...before(segment), body]))) {
      const columns = open(batch, wanted, rawColumns);
      for (let from = 0; from < batch.numRows;) {
        const count = Math.min(batch.numRows - from, chunkRows - chunk.rows());
        chunk.put(columns, from, count);
        from += count;
        rows += count;
        if (chunk.rows() < chunkRows) continue;
        yield chunk.finish(segment.firstRow + rows - chunk.rows(), raw);
        chunk = newChunk();
      }
    }
    if (rows !== segment.rows) throw damaged();
    if (chunk.rows() > 0) yield chunk.finish(segment.firstRow + rows - chunk.rows(), raw);
  }

  return {
    async *read(segment) {
      try {
        yield* readSegment(segment);
      } catch (error) {
        throw error instanceof AppError ? error : damaged(error);
      }
    },
    close: () => Promise.resolve(),
  };
}

/**
 * What a reader has to be told before the batches of a segment: the schema and the dictionaries before it. A file may have
 * dictionaries behind the batches that use them, a stream may not; hearing of one twice does no harm.
 */
async function preamble(source: TableSource): Promise<(segment: Segment) => Uint8Array[]> {
  const isFile = isArrowFile(await source.read(0, 8));
  const schema = await schemaMessage(source);
  const parts: { readonly from: number; readonly bytes: Uint8Array }[] = [];
  let total = 0;
  for await (const { kind, from, to } of messagesOf(source)) {
    if (kind !== 'dictionary') continue;
    total += to - from;
    if (total > maxDictionaryBytes)
      throw new AppError('limit', 'The dictionaries of the Arrow file are larger than 256 MB.');
    parts.push({ from, bytes: await source.read(from, to) });
  }
  return (segment) => [
    schema,
    ...parts.filter(({ from }) => isFile || from < segment.from).map(({ bytes }) => bytes),
  ];
}

interface OpenBatch {
  readonly wanted: readonly ((row: number) => ArrowValue)[];
  /** Those of `rawNames`, when they are asked for. */
  readonly all: readonly ((row: number) => ArrowValue)[];
}

function open(
  batch: RecordBatch,
  wanted: readonly WantedColumn[],
  rawColumns: readonly string[],
): OpenBatch {
  const reading = (vector: Vector | null): ((row: number) => ArrowValue) => {
    if (vector === null) throw damaged();
    return valuesOf(vector);
  };
  return {
    wanted: wanted.map(({ name }) => reading(batch.getChild(name))),
    all: rawColumns.map((name) => reading(batch.getChild(name))),
  };
}

interface ChunkBuilder {
  rows(): number;
  put(columns: OpenBatch, from: number, count: number): void;
  finish(firstRow: number, raw: boolean): Chunk;
}

function createChunk(wanted: readonly WantedColumn[], chunkRows: number): ChunkBuilder {
  const builders = wanted.map((want) => createColumn(want, chunkRows));
  const marks = createMarks();
  const texts: string[][] = [];
  let rows = 0;
  return {
    rows: () => rows,
    put(columns, from, count) {
      for (const [at, { name }] of wanted.entries()) {
        const builder = builders[at];
        const read = columns.wanted[at];
        if (builder === undefined || read === undefined) throw damaged();
        for (let row = 0; row < count; row += 1) {
          const code = putValue(builder, rows + row, read(from + row));
          if (code !== undefined) marks.mark(rows + row, name, code);
        }
      }
      for (let row = from; row < from + count; row += 1)
        texts.push(columns.all.map((read) => rawText(read(row))));
      rows += count;
    },
    finish: (firstRow, raw) => ({
      firstRow,
      rows,
      columns: builders.map((builder) => builder.column(rows)),
      bad: marks.bad(),
      raw: raw ? texts : undefined,
    }),
  };
}

function putValue(builder: ColumnBuilder, row: number, value: ArrowValue): RejectCode | undefined {
  if (value === notText) return 'encoding';
  if (typeof value === 'string' && value.length > maxTextLength) return 'length';
  return builder.put(row, value);
}

function rawText(value: ArrowValue): string {
  if (value === notText) return '';
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array)
    ? JSON.stringify(value)
    : valueToRaw(value);
}
