/**
 * CSV after RFC 4180, as a stream in bounded memory: quotes, line breaks in quotes, CRLF or LF, a byte order mark, and `,` `;`
 * or tab as delimiter, told from the header. A record that cannot be read is handed on with a problem, so that its row can
 * be rejected with a reason; what makes the whole file unreadable throws `corrupt`.
 */
import { AppError } from '#shared/errors.ts';

const maxRecordLength = 1024 * 1024;
const maxColumns = 20_000;

export interface CsvRecord {
  /** 1-based, the header not counted. */
  readonly row: number;
  readonly fields: readonly string[];
  /** `quote`: a stray quote; `fields`: not as many as the header has; `encoding`: not UTF-8. */
  readonly problem: 'quote' | 'fields' | 'encoding' | undefined;
}

export interface CsvTable {
  readonly header: readonly string[];
  readonly delimiter: string;
  /** In batches, as they come. */
  records(): AsyncGenerator<CsvRecord[], void, undefined>;
}

/** Reads the header; `delimiter` where it is known. Throws `corrupt` for binary or empty files and for a header that names a column twice. */
export async function openCsv(
  source: AsyncIterable<Uint8Array>,
  known: { readonly delimiter?: string } = {},
): Promise<CsvTable> {
  const texts = decoded(source);
  let text = '';
  let ended = false;
  const more = async (): Promise<void> => {
    const next = await texts.next();
    if (next.done === true) ended = true;
    else text += next.value;
  };
  let first: ParsedRecord | undefined;
  let delimiter = ',';
  while (first === undefined) {
    if (text.includes('\0'))
      throw new AppError('corrupt', 'This is not a CSV file: it holds binary data.');
    delimiter = known.delimiter ?? sniffDelimiter(text);
    first = parseRecord(text, { delimiter, at: 0, ended });
    if (first === undefined && ended) throw new AppError('corrupt', 'The file has no header row.');
    if (first === undefined) await more();
  }
  const header = first.fields;
  checkHeader(header, first.problem);
  text = text.slice(first.end);

  async function* records(): AsyncGenerator<CsvRecord[], void, undefined> {
    let row = 0;
    for (;;) {
      const batch: CsvRecord[] = [];
      let at = 0;
      for (
        let record = parseRecord(text, { delimiter, at, ended });
        record !== undefined;
        record = parseRecord(text, { delimiter, at, ended })
      ) {
        at = record.end;
        if (record.blank) continue;
        row += 1;
        batch.push({ row, fields: record.fields, problem: problemOf(record, header.length) });
      }
      text = text.slice(at);
      if (batch.length > 0) yield batch;
      if (ended) {
        if (text.length > 0)
          throw new AppError(
            'corrupt',
            `A quote is opened after row ${row} and never closed. Correct the file and try again.`,
          );
        return;
      }
      if (text.length > maxRecordLength)
        throw new AppError(
          'corrupt',
          `The record after row ${row} is longer than a megabyte; probably a quote is missing.`,
        );
      await more();
    }
  }

  return { header, delimiter, records };
}

/** A field as it stands in a file: quoted when it has to be. */
export function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

interface ParsedRecord {
  readonly fields: string[];
  readonly end: number;
  readonly blank: boolean;
  readonly problem: boolean;
}

/** Undefined when the record is not complete yet. */
function parseRecord(
  text: string,
  state: { readonly delimiter: string; readonly at: number; readonly ended: boolean },
): ParsedRecord | undefined {
  const { delimiter, at, ended } = state;
  if (at >= text.length) return undefined;
  const newline = text.indexOf('\n', at);
  if (newline < 0 && !ended) return undefined;
  const end = newline < 0 ? text.length : newline;
  const line = text.slice(at, end > at && text.charCodeAt(end - 1) === 13 ? end - 1 : end);
  if (!line.includes('"'))
    return {
      fields: line.split(delimiter),
      end: Math.min(end + 1, text.length),
      blank: line === '',
      problem: false,
    };
  return parseQuoted(text, state);
}

function parseQuoted(
  text: string,
  {
    delimiter,
    at,
    ended,
  }: { readonly delimiter: string; readonly at: number; readonly ended: boolean },
): ParsedRecord | undefined {
  const fields: string[] = [];
  let problem = false;
  let from = at;
  for (;;) {
    let field = '';
    if (text[from] === '"') {
      let scan = from + 1;
      for (;;) {
        const quote = text.indexOf('"', scan);
        // A quote as the last character may be the first half of an escaped one.
        if (quote < 0 || (quote === text.length - 1 && !ended)) return undefined;
        field += text.slice(scan, quote);
        scan = quote + 1;
        if (text[scan] !== '"') break;
        field += '"';
        scan += 1;
      }
      from = scan;
    }
    const stop = nextStop(text, from, delimiter);
    if (stop === text.length && !ended) return undefined;
    const rest = text.slice(
      from,
      text[stop] === '\n' && stop > from && text[stop - 1] === '\r' ? stop - 1 : stop,
    );
    // Text after a closing quote, or a quote in an unquoted field.
    if (
      rest !== '' &&
      (field !== '' || rest.includes('"') || (from > at && text[from - 1] === '"'))
    )
      problem = true;
    fields.push(field + rest);
    if (text[stop] !== delimiter)
      return { fields, end: Math.min(stop + 1, text.length), blank: false, problem };
    from = stop + 1;
  }
}

function nextStop(text: string, from: number, delimiter: string): number {
  const newline = text.indexOf('\n', from);
  const end = newline < 0 ? text.length : newline;
  const next = text.indexOf(delimiter, from);
  return next < 0 || next > end ? end : next;
}

function problemOf(record: ParsedRecord, columns: number): CsvRecord['problem'] {
  if (record.problem) return 'quote';
  if (record.fields.length !== columns) return 'fields';
  return record.fields.some((field) => field.includes('\uFFFD')) ? 'encoding' : undefined;
}

function sniffDelimiter(text: string): string {
  const line = text
    .slice(0, text.includes('\n') ? text.indexOf('\n') : undefined)
    .replace(/"[^"]*"/g, '');
  const count = (delimiter: string): number => line.split(delimiter).length - 1;
  return [';', '\t'].reduce(
    (best, delimiter) => (count(delimiter) > count(best) ? delimiter : best),
    ',',
  );
}

/** Throws `corrupt` or `limit` for a first row that cannot name columns. */
export function checkHeader(header: readonly string[], problem: boolean): void {
  if (problem || header.some((name) => name.includes('\uFFFD')))
    throw new AppError(
      'corrupt',
      'The header row cannot be read: a stray quote, or not text in the encoding of the file.',
    );
  if (header.length > maxColumns)
    throw new AppError('limit', `The file has more than ${maxColumns} columns.`);
  if (header.every((name) => name.trim() === ''))
    throw new AppError('corrupt', 'The file has no header row.');
  // Places and not names: without a header, what stands there are values of somebody's record.
  const places = new Map<string, number>();
  for (const [at, name] of header.entries()) {
    const first = places.get(name);
    if (first !== undefined && name !== '')
      throw new AppError(
        'corrupt',
        `Columns ${first + 1} and ${at + 1} have the same name in the first row. Is it a header?`,
      );
    places.set(name, at);
  }
}

async function* decoded(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder('utf-8');
  for await (const chunk of source) yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}
