/**
 * Arrow IPC, as a file (Feather 2) or as a stream. A segment is some record batches; whoever reads one is given the schema and
 * the dictionaries before it, so segments can be read in any order.
 */
import { RecordBatchReader } from 'apache-arrow';
import { AppError } from '#shared/errors.ts';
import type { Segment, TableDriver, TableInfo } from '../table.ts';
import { digestOf } from '../digest.ts';
import { requirePlausible } from '../plausible.ts';
import { bitsOf, columnTypeOf } from './columns.ts';
import { damaged, messagesOf, schemaMessage } from './messages.ts';
import { openArrowReader } from './read.ts';

const mostBytes = 8 * 2 ** 20;
const leastBytes = 256 * 1024;
const maxColumns = 20_000;

export const arrowDriver: TableDriver = {
  async describe(source): Promise<TableInfo> {
    const { fields } = schemaOf(await schemaMessage(source));
    const names = new Set(fields.map(({ name }) => name));
    if (fields.length === 0) throw new AppError('corrupt', 'The Arrow file has no columns.');
    if (fields.length > maxColumns)
      throw new AppError('limit', `The file has more than ${maxColumns} columns.`);
    if (names.size < fields.length)
      throw new AppError('corrupt', 'The Arrow file has two columns of the same name.');
    return {
      format: 'arrow',
      columns: fields.map(({ name, type }) => ({
        name,
        type: columnTypeOf(type),
        ...bitsOf(type),
      })),
      dialect: undefined,
      bodyFrom: 0,
    };
  },

  async *split(source) {
    // Small files are divided too, where their batches allow it, so that both cores have something to do.
    const segmentBytes = Math.min(
      mostBytes,
      Math.max(leastBytes, Math.ceil(source.sizeBytes / 32)),
    );
    let open: { from: number; to: number; rows: number } | undefined;
    let index = 0;
    let firstRow = 1;
    let total = 0;
    const close = ({ from, to, rows }: NonNullable<typeof open>): Segment => {
      const segment = { index, firstRow, rows, from, to, sha256: undefined };
      index += 1;
      firstRow += rows;
      return segment;
    };
    for await (const { kind, from, to, rows } of messagesOf(source)) {
      if (kind !== 'batch') continue;
      total += rows;
      requirePlausible(total, source.sizeBytes, 'Arrow');
      open = { from: open?.from ?? from, to, rows: (open?.rows ?? 0) + rows };
      if (to - open.from < segmentBytes) continue;
      if (open.rows > 0) yield close(open);
      open = undefined;
    }
    if (open !== undefined && open.rows > 0) yield close(open);
    return await digestOf(source);
  },

  open: openArrowReader,
};

function schemaOf(message: Uint8Array): RecordBatchReader['schema'] {
  try {
    return RecordBatchReader.from(message).open().schema;
  } catch (error) {
    throw damaged(error);
  }
}
