/** Rows of a segment, as DuckDB streams them, to columns of the size that was asked for. */
import { DuckDBDoubleVector, type DuckDBDataChunk, type DuckDBVector } from '@duckdb/node-api';
import { AppError } from '#shared/errors.ts';
import type {
  Chunk,
  ColumnData,
  ReadOptions,
  Segment,
  TableInfo,
  TableReader,
  TableSource,
  WantedColumn,
} from '../table.ts';
import { changedInput } from '../changed.ts';
import { rawNames } from '../raw.ts';
import { createColumn, createMarks, valueToRaw, type Value } from '../values.ts';
import { columnsOf, rawExpression, type ParquetColumn } from './columns.ts';
import { duckError, identifier, openLockedDatabase, plainFile } from './database.ts';

/** Characters of a text beyond which its row is rejected. */
const maxTextLength = 2 ** 20;

export async function openParquetReader(
  source: TableSource,
  info: TableInfo,
  { wanted, rows: chunkRows, raw }: ReadOptions,
): Promise<TableReader> {
  const database = await openLockedDatabase(plainFile(source));
  const { connection, file } = database;
  try {
    const columns = await columnsOf(database);
    const names = new Set(raw ? rawNames(info) : []);
    const rawColumns = columns.filter(({ name }) => names.has(name));
    const picked = wanted.map((want) => pick(want, columns));
    const expressions = [
      ...picked.map(({ want, column }) =>
        isDoubles(want, column) ? doubles(column) : column.expression,
      ),
      ...rawColumns.map(rawExpression),
    ];
    // Something has to be selected for rows to be counted.
    const list = expressions.length === 0 ? '1' : expressions.join(', ');
    const selecting = `SELECT ${list} FROM read_parquet(${file}, file_row_number = true)`;
    // One for all chunks: a megabyte for each would keep the garbage collector busy.
    const chunk = createChunk(picked, raw ? rawColumns : undefined, chunkRows);

    async function* readSegment(segment: Segment): AsyncGenerator<Chunk> {
      const result = await connection.stream(
        `${selecting} WHERE file_row_number >= ${segment.from} AND file_row_number < ${segment.to}`,
      );
      chunk.clear();
      let rows = 0;
      for (;;) {
        const data = await result.fetchChunk();
        if (data === null || data.rowCount === 0) break;
        for (let from = 0; from < data.rowCount;) {
          const count = Math.min(data.rowCount - from, chunkRows - chunk.rows());
          chunk.put(data, from, count);
          from += count;
          rows += count;
          if (chunk.rows() < chunkRows) continue;
          yield chunk.finish(segment.firstRow + rows - chunk.rows());
          chunk.clear();
        }
      }
      if (rows !== segment.rows)
        throw new AppError(
          'corrupt',
          'The Parquet file is damaged or was changed: it does not have the rows that its footer claims.',
        );
      if (chunk.rows() > 0) yield chunk.finish(segment.firstRow + rows - chunk.rows());
    }

    return {
      async *read(segment) {
        try {
          yield* readSegment(segment);
        } catch (error) {
          throw duckError(error);
        }
      },
      close: () => Promise.resolve(database[Symbol.dispose]()),
    };
  } catch (error) {
    database[Symbol.dispose]();
    throw duckError(error);
  }
}

interface Picked {
  readonly want: WantedColumn;
  readonly column: ParquetColumn;
}

function pick(want: WantedColumn, columns: readonly ParquetColumn[]): Picked {
  const column = columns.find(({ name }) => name === want.name);
  if (column === undefined) throw changedInput();
  if (column.type === 'list')
    throw new AppError(
      'invalid-input',
      `The column ${want.name} holds lists or records, and the model takes one value per row there.`,
    );
  return { want, column };
}

/** Whole stretches of numbers, without a look at single ones. */
function isDoubles({ as }: WantedColumn, { numeric }: ParquetColumn): boolean {
  return as === 'number' && numeric;
}

function doubles({ name }: ParquetColumn): string {
  return `coalesce(CAST(${identifier(name)} AS DOUBLE), 'nan'::DOUBLE)`;
}

interface ChunkBuilder {
  /** For the next one; what was finished before means nothing from now on. */
  clear(): void;
  rows(): number;
  put(data: DuckDBDataChunk, from: number, count: number): void;
  finish(firstRow: number): Chunk;
}

function createChunk(
  picked: readonly Picked[],
  rawColumns: readonly ParquetColumn[] | undefined,
  chunkRows: number,
): ChunkBuilder {
  let marks = createMarks();
  const mark: Mark = (at, column, code) => marks.mark(at, column, code);
  const slots = picked.map(({ want, column }) =>
    isDoubles(want, column)
      ? numberSlot(want, chunkRows, mark)
      : valueSlot(want, column, chunkRows, mark),
  );
  let texts: string[][] = [];
  let rows = 0;
  return {
    clear() {
      marks = createMarks();
      texts = [];
      rows = 0;
    },
    rows: () => rows,
    put(data, from, count) {
      for (const [at, slot] of slots.entries())
        slot.put(data.getColumnVector(at), { from, count, row: rows });
      if (rawColumns !== undefined) {
        const vectors = rawColumns.map((_, at) => data.getColumnVector(slots.length + at));
        for (let at = from; at < from + count; at += 1)
          texts.push(
            vectors.map((vector, column) =>
              valueToRaw(valueOf(vector, at, rawColumns[column]?.toValue)),
            ),
          );
      }
      rows += count;
    },
    finish: (firstRow) => ({
      firstRow,
      rows,
      columns: slots.map((slot) => slot.column(rows)),
      bad: marks.bad(),
      raw: rawColumns === undefined ? undefined : texts,
    }),
  };
}

/** `count` values of a vector from `from` on, to the rows of the chunk from `row` on. */
interface Stretch {
  readonly from: number;
  readonly count: number;
  readonly row: number;
}

interface Slot {
  put(vector: DuckDBVector, stretch: Stretch): void;
  column(rows: number): ColumnData;
}

type Mark = ReturnType<typeof createMarks>['mark'];

function numberSlot({ name, float }: WantedColumn, chunkRows: number, mark: Mark): Slot {
  const values = new Float64Array(chunkRows);
  return {
    put(vector, { from, count, row }) {
      if (!(vector instanceof DuckDBDoubleVector)) throw new TypeError('Doubles were selected.');
      // Private for TypeScript alone; what is public makes an object of each value.
      values.set(vector['items'].subarray(from, from + count), row);
      for (let at = row; at < row + count; at += 1) {
        const value = values[at] ?? 0;
        const stored = float === true ? Math.fround(value) : value;
        if (stored === Infinity || stored === -Infinity) mark(at, name, 'range');
      }
    },
    column: (rows) => ({
      kind: 'number',
      values: values.subarray(0, rows),
      fitsFloat: float === true,
    }),
  };
}

function valueSlot(want: WantedColumn, column: ParquetColumn, chunkRows: number, mark: Mark): Slot {
  const builder = createColumn(want, chunkRows);
  return {
    put(vector, { from, count, row }) {
      for (let at = 0; at < count; at += 1) {
        const value = valueOf(vector, from + at, column.toValue);
        const long = typeof value === 'string' && value.length > maxTextLength;
        const code = long ? 'length' : builder.put(row + at, value);
        if (code !== undefined) mark(row + at, want.name, code);
      }
    },
    column: (rows) => builder.column(rows),
  };
}

function valueOf(
  vector: DuckDBVector,
  at: number,
  toValue: ParquetColumn['toValue'] | undefined,
): Value {
  const value = vector.getItem(at);
  return value === null || toValue === undefined ? null : toValue(value);
}
