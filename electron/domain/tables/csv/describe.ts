/** From the first part of a file of separated values: how it is written, and what its columns are called. */
import { AppError } from '#shared/errors.ts';
import type { Dialect, TableInfo, TableSource } from '../table.ts';
import { guessEncoding, markBytes, toUtf8, unitBytes, withoutCutCharacter } from './encoding.ts';
import { readRecord } from './record.ts';

const sampleBytes = 2 ** 20;
const sampleLines = 200;
const delimiters = [',', ';', '\t', '|'];
const maxColumns = 20_000;
const separatorLine = /^sep=([^\w"'+.\-\r\n])\r?\n/i;

/**
 * A first line `sep=;` is what Excel writes and reads to tell the delimiter; the header stands behind it. Throws `unsupported` for
 * spreadsheets and archives, `corrupt` for other binary and for empty files, `invalid-input` for a header that names a column twice,
 * `limit` for too many columns.
 */
export async function describeCsv(
  source: TableSource,
  asked: Partial<Dialect>,
): Promise<TableInfo> {
  const bytes = await source.read(0, sampleBytes);
  refuseOthers(bytes);
  const whole = source.sizeBytes <= bytes.length;
  const encoding = asked.encoding ?? guessEncoding(bytes);
  const mark = markBytes(bytes, encoding);
  const cut = whole || encoding !== 'utf-8' ? bytes : withoutCutCharacter(bytes);
  const text = toUtf8(
    cut.subarray(mark, cut.length - (cut.length % unitBytes(encoding))),
    encoding,
  );
  const told = separatorLine.exec(text.toString('latin1', 0, 16));
  const sample = text.subarray(told?.[0].length ?? 0);
  if (sample.includes('\r') && !sample.includes('\n'))
    throw new AppError(
      'corrupt',
      'The lines of the file end with a carriage return alone, as old Macintosh computers wrote them. Save it with line feeds (LF or CRLF) and try again.',
    );
  const lines = sample.toString('utf8').split('\n', sampleLines);
  // Here and there it is damage, and its row is rejected.
  if (2 * lines.filter((line) => line.includes('\0')).length >= lines.length)
    throw new AppError('corrupt', 'This is not a CSV file: it holds binary data.');
  const quote = asked.quote === undefined ? guessQuote(lines) : asked.quote;
  const bare = lines.map((line) => withoutQuoted(line, quote));
  const delimiter = asked.delimiter ?? told?.[1] ?? guessDelimiter(bare);
  const decimal = asked.decimal ?? guessDecimal(lines, delimiter);
  checkDelimiter(delimiter, decimal);
  const record = readRecord(
    { bytes: sample, delimiter: delimiter.charCodeAt(0), quote: quote?.charCodeAt(0) ?? -1 },
    0,
  );
  if (sample.length === 0)
    throw new AppError('corrupt', 'The file is empty: it has no header row.');
  if (record === undefined || (record.end === sample.length && !whole))
    throw new AppError(
      'corrupt',
      record === undefined
        ? 'A quote is opened in the header row and never closed. Correct the file and try again.'
        : 'The header row is longer than a megabyte, so this is hardly a table.',
    );
  checkHeader(record.fields, record.problem !== undefined);
  const header = sample.subarray(0, record.end);
  if (header.includes(0))
    throw new AppError(
      'corrupt',
      `The header row holds a NUL byte, at character ${header.indexOf(0) + 1} of it. Correct the file and try again.`,
    );
  const before = text.subarray(0, text.length - sample.length + header.length);
  const headerBytes =
    encoding === 'utf-8' ? before.length : before.toString('utf8').length * unitBytes(encoding);
  return {
    format: 'csv',
    columns: record.fields.map((name) => ({ name, type: 'text' })),
    dialect: { delimiter, quote, encoding, decimal },
    bodyFrom: mark + headerBytes,
  };
}

/** What people pick in place of a table, by how it begins. */
function refuseOthers(bytes: Uint8Array): void {
  const start = Buffer.from(bytes.subarray(0, 8192)).toString('latin1');
  const isZip = start.startsWith('PK\u0003\u0004');
  if (
    start.startsWith('\u00D0\u00CF\u0011\u00E0') ||
    (isZip && /\[Content_Types\]\.xml|xl\/|opendocument\.spreadsheet/.test(start))
  )
    throw new AppError(
      'unsupported',
      'This is a spreadsheet. Open it where it was made, save the sheet with the rows as CSV (UTF-8), and run that file.',
    );
  if (isZip || start.startsWith('\u001F\u008B') || start.startsWith('\u0028\u00B5\u002F\u00FD'))
    throw new AppError(
      'unsupported',
      'This is a packed file (zip, gzip or Zstandard). Unpack it, and run the table that is in it.',
    );
}

/** Throws `corrupt`, `invalid-input` or `limit` for a first row that cannot name columns. */
function checkHeader(header: readonly string[], problem: boolean): void {
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
        'invalid-input',
        `Columns ${first + 1} and ${at + 1} (${letters(first)} and ${letters(at)} in a spreadsheet) have the same name in the first row, so nobody can tell which one is meant. Rename one of them; if the first row is no header, put one above it.`,
      );
    places.set(name, at);
  }
}

/** A, B, … Z, AA, AB, …: how a spreadsheet calls its columns. */
function letters(at: number): string {
  const last = String.fromCharCode(65 + (at % 26));
  return at < 26 ? last : letters(Math.floor(at / 26) - 1) + last;
}

/** Single quotes only when there are no double ones and lines after lines are full of them. */
function guessQuote(lines: readonly string[]): '"' | "'" {
  if (lines.some((line) => line.includes('"'))) return '"';
  const single = lines.filter((line) => /(^|[,;\t|])'[^']*'(?=[,;\t|\r]|$)/.test(line)).length;
  return lines.length > 1 && single > lines.length / 2 ? "'" : '"';
}

function withoutQuoted(line: string, quote: '"' | "'" | null): string {
  if (quote === null) return line;
  return line.replace(quote === '"' ? /"[^"]*"/g : /'[^']*'/g, '');
}

/** The one that divides most lines as it divides the header, then the one that divides it most often. */
function guessDelimiter([header = '', ...lines]: readonly string[]): string {
  const count = (line: string, delimiter: string): number => line.split(delimiter).length - 1;
  const full = lines.slice(0, -1).filter((line) => line.trim() !== '');
  const rated = delimiters.map((delimiter) => {
    const inHeader = count(header, delimiter);
    const alike = full.filter((line) => count(line, delimiter) === inHeader).length;
    return { delimiter, inHeader, share: full.length === 0 ? 1 : alike / full.length };
  });
  const [best] = rated
    .filter(({ inHeader }) => inHeader > 0)
    .toSorted((a, b) => b.share - a.share || b.inHeader - a.inHeader);
  return best?.delimiter ?? ',';
}

/** A comma where it does not divide, and more cells have one comma between digits than one point. */
function guessDecimal(lines: readonly string[], delimiter: string): '.' | ',' {
  if (delimiter === ',') return '.';
  const cells = lines
    .slice(1)
    .flatMap((line) => line.split(delimiter))
    .map((cell) => cell.trim().replaceAll(/^["']|["']$/g, ''));
  const written = (shape: RegExp): number => cells.filter((cell) => shape.test(cell)).length;
  return written(/^[+-]?\d*,\d+([eE][+-]?\d+)?$/) > written(/^[+-]?\d*\.\d+([eE][+-]?\d+)?$/)
    ? ','
    : '.';
}

function checkDelimiter(delimiter: string, decimal: string): void {
  if (!/^[\t\u0020-\u007E]$/.test(delimiter) || /[\w"'+.-]/.test(delimiter))
    throw new AppError(
      'invalid-input',
      'A delimiter is one ASCII character that is no letter, digit, sign, point or quote, such as ; or a tab.',
    );
  if (delimiter === decimal)
    throw new AppError(
      'invalid-input',
      'A comma cannot both divide the columns and begin the decimals.',
    );
}
