/**
 * In a child: a finished CSV of predictions, as `csv/write.ts` makes it, into another format. The bytes follow from those of the CSV and
 * the kinds of its columns, so a run that went on after a kill ends in the same file.
 */
import type { ColumnData, TableSource } from '../table.ts';

export type OutputFormat = 'csv' | 'jsonl' | 'parquet' | 'arrow';

export interface ConvertedColumn {
  readonly name: string;
  readonly kind: ColumnData['kind'];
  /** 32 bits. */
  readonly float: boolean;
}

export interface Conversion {
  readonly from: TableSource;
  /** Descriptor of an empty file. */
  readonly to: number;
  readonly columns: readonly ConvertedColumn[];
  /** Now and then, with the bytes of the CSV that are done. */
  readonly onProgress: (done: number) => void;
}

export async function convertTable(
  format: Exclude<OutputFormat, 'csv'>,
  conversion: Conversion,
): Promise<void> {
  const renamed = { ...conversion, columns: distinct(conversion.columns) };
  switch (format) {
    case 'jsonl':
      return (await import('./jsonl.ts')).writeJsonLines(renamed);
    case 'arrow':
      return (await import('./arrow.ts')).writeArrow(renamed);
    case 'parquet':
      return (await import('./parquet.ts')).writeParquet(renamed);
  }
}

/** A CSV may name two columns alike, the others may not: the second `x` is `x (2)`. */
function distinct(columns: readonly ConvertedColumn[]): ConvertedColumn[] {
  const taken = new Set<string>();
  return columns.map((column) => {
    let { name } = column;
    for (let count = 2; taken.has(name); count += 1) name = `${column.name} (${count})`;
    taken.add(name);
    return { ...column, name };
  });
}
