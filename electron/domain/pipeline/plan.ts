/** What stands between a file and a model, ready to be done: columns of a chunk to tensors, tensors to columns of the output. */
import type { TensorData } from '#domain/onnx/index.ts';
import type { BadRow, Chunk, NamedColumn, WantedColumn } from '#domain/tables/index.ts';
import type { PipelineColumn } from './schema.ts';

export interface Plan {
  /** What a reader is to read, in this order. */
  readonly wanted: readonly PlannedColumn[];
  /** Rows per call that the model fixes; undefined when it takes any number. */
  readonly fixedBatch: number | undefined;
  /** Columns of a chunk of `wanted`, as many rows as the model is to be given at once, to tensors. */
  toFeeds(chunk: Chunk): Promise<Feeds>;
  /** What the model gave for `rows` rows. The names and kinds of the columns are the same for every batch. */
  toColumns(results: Readonly<Record<string, TensorData>>, rows: number): readonly NamedColumn[];
}

export interface PlannedColumn extends WantedColumn {
  /** What the pipeline says of the column: range, categories, kind. */
  readonly facts: PipelineColumn | undefined;
}

export interface Feeds {
  /** By the name of the input; rows of `chunk.bad` and of `bad` are not in them. */
  readonly tensors: Readonly<Record<string, TensorData>>;
  /** Positions in the chunk of the rows that are in the tensors, ascending. */
  readonly kept: Uint32Array;
  /** Rows that a step could not take, in the order of rows, besides those that the reader named. */
  readonly bad: readonly BadRow[];
}
