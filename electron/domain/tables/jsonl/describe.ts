/** The columns of a file of JSON Lines: the keys of its first rows, in the order in which they come up. */
import { AppError } from '#shared/errors.ts';
import type { TableColumn, TableInfo, TableSource } from '../table.ts';
import { isBlank, lineEnd, maxLineBytes, parseLine } from './line.ts';

/** Enough for one line that is too long and some that are not. */
const sampleBytes = 2 * maxLineBytes;
const sampleRows = 1000;
const maxColumns = 20_000;

/** Throws `corrupt` when none of the first rows is an object, `limit` for too many columns. */
export async function describeJsonLines(source: TableSource): Promise<TableInfo> {
  const bytes = Buffer.from(await source.read(0, sampleBytes));
  const whole = source.sizeBytes <= bytes.length;
  const bodyFrom = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  // Of an array over several lines the last object would pass for the only row.
  if (/^\s*\[\s*(\{|$)/.test(bytes.toString('latin1', bodyFrom, bodyFrom + 1024)))
    throw notJsonLines(bytes.subarray(bodyFrom));
  const types = new Map<string, TableColumn['type'] | undefined>();
  let rows = 0;
  let at = bodyFrom;
  while (at < bytes.length && rows < sampleRows) {
    const end = lineEnd(bytes, at);
    // The last line of a sample may be cut in two.
    if (end === bytes.length && !whole && bytes.at(-1) !== 10) break;
    if (!isBlank(bytes, at, end)) {
      const record = parseLine(bytes, at, end);
      if (typeof record !== 'string') {
        rows += 1;
        for (const [key, value] of Object.entries(record))
          types.set(key, widened(types.get(key), value));
        if (types.size > maxColumns)
          throw new AppError('limit', `The file has more than ${maxColumns} columns.`);
      }
    }
    at = end + 1;
  }
  if (rows === 0) throw notJsonLines(bytes.subarray(bodyFrom));
  return {
    format: 'jsonl',
    columns: [...types].map(([name, type]) => ({ name, type: type ?? 'text' })),
    dialect: undefined,
    bodyFrom,
  };
}

function notJsonLines(bytes: Buffer): AppError {
  const start = bytes.toString('latin1', 0, 1024).trimStart();
  if (start === '') return new AppError('corrupt', 'The file is empty: it has no rows.');
  if (start.startsWith('['))
    return new AppError(
      'corrupt',
      "This is one JSON array. JSON Lines have one object on each line, with no brackets or commas between them. Write it so, for example with: jq -c '.[]' ROWS.json > ROWS.jsonl",
    );
  return new AppError(
    'corrupt',
    'This is not JSON Lines: none of its first rows is a JSON object on a line of its own, in UTF-8.',
  );
}

/** What fits both; undefined until something else than null was seen. */
function widened(
  before: TableColumn['type'] | undefined,
  value: unknown,
): TableColumn['type'] | undefined {
  if (value === null) return before;
  const now = typeOf(value);
  if (before === undefined || before === now) return now;
  const numbers = [before, now].every((type) => type === 'integer' || type === 'number');
  if (numbers) return 'number';
  return [before, now].includes('list') ? 'list' : 'text';
}

function typeOf(value: unknown): TableColumn['type'] {
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  if (typeof value === 'boolean') return 'boolean';
  return typeof value === 'string' ? 'text' : 'list';
}
