/** The rows of a CSV that this program has written: every field as text, in chunks. */
import { describeCsv } from '../csv/describe.ts';
import { openCsvReader } from '../csv/read.ts';
import { splitCsv } from '../csv/split.ts';
import type { Conversion } from './convert.ts';

const chunkRows = 8192;
const ours = { delimiter: ',', quote: '"', encoding: 'utf-8', decimal: '.' } as const;

/** By column; null is an empty field. */
export async function* textColumns({ from, columns, onProgress }: Conversion): AsyncGenerator<{
  readonly rows: number;
  readonly texts: readonly (readonly (string | null)[])[];
}> {
  const { bodyFrom } = await describeCsv(from, ours);
  // By place: what the header calls them may not be what they are called now.
  const named = columns.map((_, at) => ({ name: String(at), type: 'text' as const }));
  const info = { format: 'csv', columns: named, dialect: ours, bodyFrom } as const;
  const wanted = named.map(({ name }) => ({ name, as: 'text' as const }));
  const reader = openCsvReader(from, info, { wanted, rows: chunkRows, raw: false });
  for await (const segment of splitCsv(from, info)) {
    for await (const chunk of reader.read(segment)) {
      if (chunk.bad.length > 0) throw new Error('A row of predictions cannot be read again.');
      yield {
        rows: chunk.rows,
        texts: chunk.columns.map((column) => (column.kind === 'text' ? column.values : [])),
      };
    }
    onProgress(segment.to);
  }
}
