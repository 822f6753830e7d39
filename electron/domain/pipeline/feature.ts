/** Values of the rows of a chunk on their way to an input: columns as files have them, and tensors that steps make. */
import type { TensorArray } from '#domain/onnx/index.ts';
import type { BadRow, ColumnData, RejectCode } from '#domain/tables/index.ts';

/** An image or a text as the model takes it: `rest` are its dimensions without the rows, `values` are row-major. */
export interface TensorFeature {
  readonly kind: 'tensor';
  readonly type: string;
  readonly rest: readonly number[];
  readonly values: TensorArray;
}

export type Feature = ColumnData | TensorFeature;
export type ColumnKind = ColumnData['kind'];

/** Which rows of a chunk cannot be used: the first reason of each is the one that is told. */
export interface Marks {
  readonly rows: number;
  isBad(at: number): boolean;
  /** `column` as the file calls it. */
  reject(at: number, column: string, code: RejectCode): void;
}

export interface RowMarks extends Marks {
  /** In the order of rows; those that the reader named are not among them. */
  found(): readonly BadRow[];
  /** Ascending. */
  kept(): Uint32Array;
}

export function createMarks(rows: number, known: readonly BadRow[]): RowMarks {
  const bad = new Uint8Array(rows);
  for (const { at } of known) bad[at] = 1;
  const found: BadRow[] = [];
  return {
    rows,
    isBad: (at) => bad[at] === 1,
    reject(at, column, code) {
      if (bad[at] === 1) return;
      bad[at] = 1;
      found.push({ at, column, code });
    },
    found: () => found.toSorted((a, b) => a.at - b.at),
    kept() {
      const kept = new Uint32Array(rows);
      let count = 0;
      for (let at = 0; at < rows; at += 1) if (bad[at] === 0) kept[count++] = at;
      return kept.subarray(0, count);
    },
  };
}
