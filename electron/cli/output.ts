/** What goes to the terminal: documents on stdout, progress and errors on stderr, without what could steer it or mislead. */
import { exitCodeByErrorCode, type ErrorBody } from '#shared/errors.ts';
import type { Operation } from '#shared/contract/operations.ts';
import { bytes } from '#shared/words.ts';
import { escapedJson, printableLines } from '#platform/printable.ts';

export interface Output {
  /** One JSON document with --json, else the text for people. */
  result(document: unknown, text: string): void;
  /** What has to be said beside the result; on stderr. */
  notice(text: string): void;
  error(error: ErrorBody): number;
  progress(operation: Operation): void;
  progressDone(): void;
}

export function createOutput(mode: 'json' | 'text'): Output {
  const showsProgress = process.stderr.isTTY;
  let drawn = false;
  const clear = (): void => {
    if (drawn) process.stderr.write('\r\u001b[K');
    drawn = false;
  };
  return {
    result(document, text) {
      clear();
      process.stdout.write(`${mode === 'json' ? escapedJson(document) : printableLines(text)}\n`);
    },
    notice(text) {
      clear();
      process.stderr.write(
        mode === 'json'
          ? `${escapedJson({ notice: text })}\n`
          : printableLines(`strongroom: ${text}\n`),
      );
    },
    error(error) {
      clear();
      process.stderr.write(
        mode === 'json'
          ? `${escapedJson({ error })}\n`
          : printableLines(`strongroom: ${error.code}: ${error.message}\n`),
      );
      return exitCodeByErrorCode[error.code];
    },
    progress(operation) {
      if (!showsProgress) return;
      drawn = true;
      process.stderr.write(`\r\u001b[K${printableLines(progressLine(operation))}`);
    },
    progressDone: clear,
  };
}

function progressLine({ step, done, total, unit }: Operation): string {
  const share = total === null || total === 0 ? '' : ` ${Math.floor((done / total) * 100)} %`;
  const amount = unit === 'bytes' ? bytes(done) : `${done} ${unit}`;
  return `${step === '' ? 'Working' : step}:${share} ${amount}`;
}

/** A plain table: columns as wide as their widest cell, two spaces between. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) =>
    Math.max(...all.map((row) => [...(row[column] ?? '')].length)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - [...cell].length))
      .join('  ')
      .trimEnd();
  return all.map(line).join('\n');
}
