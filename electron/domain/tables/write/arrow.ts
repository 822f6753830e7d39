/** Arrow IPC as a file (Feather 2), uncompressed: a record batch per stretch of rows, types as the columns have them. */
import {
  Bool,
  Float32,
  Float64,
  Int64,
  RecordBatch,
  RecordBatchFileWriter,
  Table,
  Utf8,
  vectorFromArray,
  type DataType,
  type Schema,
} from 'apache-arrow';
import type { Conversion, ConvertedColumn } from './convert.ts';
import { writeAll } from './jsonl.ts';
import { textColumns } from './rows.ts';

export async function writeArrow(conversion: Conversion): Promise<void> {
  const { to, columns } = conversion;
  const writer = new RecordBatchFileWriter();
  const written = (async () => {
    for await (const bytes of writer) writeAll(to, bytes as Uint8Array);
  })();
  let schema: Schema | undefined;
  const put = (texts: readonly (readonly (string | null)[])[]): void => {
    const vectors = columns.map((column, at) => [
      column.name,
      vectorFromArray((texts[at] ?? []).map(parserOf(column)), typeOf(column)),
    ]);
    const [batch] = new Table(Object.fromEntries(vectors)).batches;
    if (batch === undefined) return;
    schema ??= batch.schema;
    writer.write(new RecordBatch(schema, batch.data));
  };
  for await (const { texts } of textColumns(conversion)) {
    put(texts);
    // Time for what is written to be taken away.
    await new Promise(setImmediate);
  }
  if (schema === undefined) put(columns.map(() => []));
  writer.finish();
  await written;
}

function typeOf({ kind, float }: ConvertedColumn): DataType {
  switch (kind) {
    case 'number':
      return float ? new Float32() : new Float64();
    case 'integer':
      return new Int64();
    case 'boolean':
      return new Bool();
    case 'text':
    case 'bytes':
      return new Utf8();
  }
}

function parserOf({ kind }: ConvertedColumn): (text: string | null) => unknown {
  switch (kind) {
    case 'number':
      return (text) => (text === null ? null : Number(text));
    case 'integer':
      return (text) => (text === null ? null : BigInt(text));
    case 'boolean':
      return (text) => (text === null ? null : text === 'true');
    case 'text':
    case 'bytes':
      return (text) => text ?? '';
  }
}
