/** Lines of a segment to columns. A line that is no object is one bad row; the next line is read as if it had not been there. */
import type {
  Chunk,
  ReadOptions,
  RejectCode,
  Segment,
  TableInfo,
  TableReader,
  TableSource,
} from '../table.ts';
import { changedInput } from '../changed.ts';
import { createMarks, createColumn, type ColumnBuilder, type Value } from '../values.ts';
import { digitsOf, isBlank, lineEnd, maxLineBytes, parseLine, type JsonRecord } from './line.ts';

const blockBytes = 4 * maxLineBytes;

interface Line {
  readonly bytes: Buffer;
  readonly from: number;
  /** Beyond the end of `bytes` for a line that is too long to be looked at. */
  readonly to: number;
}

export function openJsonLinesReader(
  source: TableSource,
  info: TableInfo,
  { wanted, rows: chunkRows, raw }: ReadOptions,
): TableReader {
  const names = info.columns.map(({ name }) => name);
  return {
    async *read(segment) {
      let chunk = createChunk();
      let rows = 0;
      for await (const lines of linesOf(source, segment)) {
        for (const line of lines) {
          chunk.put(line);
          rows += 1;
          if (chunk.rows() < chunkRows) continue;
          yield chunk.finish(segment.firstRow + rows - chunk.rows());
          chunk = createChunk();
        }
      }
      if (rows !== segment.rows) throw changedInput();
      if (chunk.rows() > 0) yield chunk.finish(segment.firstRow + rows - chunk.rows());
    },
    close: () => Promise.resolve(),
  };

  function createChunk(): {
    rows(): number;
    put(line: Line): void;
    finish(firstRow: number): Chunk;
  } {
    const builders = wanted.map((want) => createColumn(want, chunkRows));
    const marks = createMarks();
    const texts: string[][] = [];
    let rows = 0;
    return {
      rows: () => rows,
      put(line) {
        const record = parseLine(line.bytes, line.from, line.to);
        if (typeof record === 'string') marks.mark(rows, null, record);
        else putRecord(record, line);
        if (raw) texts.push(typeof record === 'string' ? names.map(() => '') : rawOf(record, line));
        rows += 1;
      },
      finish: (firstRow) => ({
        firstRow,
        rows,
        columns: builders.map((builder) => builder.column(rows)),
        bad: marks.bad(),
        raw: raw ? texts : undefined,
      }),
    };

    function putRecord(record: JsonRecord, line: Line): void {
      let exact: JsonRecord | undefined;
      for (const [at, { name, as }] of wanted.entries()) {
        let value = own(record, name);
        if (isRounded(value) && as !== 'number')
          value = own((exact ??= digitsOf(line.bytes, line.from, line.to)), name);
        const code = put(builders[at], rows, value);
        if (code !== undefined) {
          marks.mark(rows, name, code);
          return;
        }
      }
    }
  }

  function rawOf(record: JsonRecord, line: Line): string[] {
    let exact: JsonRecord | undefined;
    return names.map((name) => {
      const value = own(record, name);
      if (value === undefined || value === null) return '';
      if (typeof value === 'object') return JSON.stringify(value);
      return String(
        isRounded(value) ? own((exact ??= digitsOf(line.bytes, line.from, line.to)), name) : value,
      );
    });
  }
}

function put(
  builder: ColumnBuilder | undefined,
  row: number,
  value: unknown,
): RejectCode | undefined {
  if (typeof value === 'object' && value !== null) return 'json';
  return builder?.put(row, (value ?? null) as Value);
}

/** What every object inherits is no column. */
function own(record: JsonRecord, name: string): unknown {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** A number whose digits may say more than it can hold. */
function isRounded(value: unknown): boolean {
  return typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER;
}

/** The lines that are rows, some at a time, in bounded memory whatever their length. */
async function* linesOf(source: TableSource, segment: Segment): AsyncGenerator<Line[]> {
  let at = segment.from;
  while (at < segment.to) {
    const wantedTo = Math.min(at + blockBytes, segment.to);
    const bytes = Buffer.from(await source.read(at, wantedTo));
    if (bytes.length < wantedTo - at) throw changedInput();
    const last = wantedTo === segment.to;
    const lines: Line[] = [];
    let from = 0;
    while (from < bytes.length) {
      const to = lineEnd(bytes, from);
      if (to === bytes.length && !last) break;
      if (!isBlank(bytes, from, to)) lines.push({ bytes, from, to });
      from = to + 1;
    }
    if (from > 0) {
      yield lines;
      at += Math.min(from, bytes.length);
      continue;
    }
    // One line fills the block: it is too long, and nobody needs the rest of it but to find its end.
    const rest = await restOfLine(source, wantedTo, segment.to);
    at = rest.end;
    if (!rest.blank || !isBlank(bytes, 0, bytes.length))
      yield [{ bytes, from: 0, to: Number.POSITIVE_INFINITY }];
  }
}

async function restOfLine(
  source: TableSource,
  from: number,
  to: number,
): Promise<{ readonly end: number; readonly blank: boolean }> {
  let blank = true;
  for (let at = from; at < to; at += blockBytes) {
    const bytes = Buffer.from(await source.read(at, Math.min(at + blockBytes, to)));
    if (bytes.length === 0) throw changedInput();
    const end = lineEnd(bytes, 0);
    blank &&= isBlank(bytes, 0, end);
    if (end < bytes.length) return { end: at + end + 1, blank };
  }
  return { end: to, blank };
}
