/** In the child: the files that a run writes, predictions and rejects, and what their columns are called. */
import { createHash, type Hash } from 'node:crypto';
import { fsyncSync, writeSync } from 'node:fs';
import { AppError } from '#shared/errors.ts';
import type { TensorData } from '#domain/onnx/index.ts';
import { csvField } from '#platform/csv.ts';
import type { ScoreOutcome } from './protocol.ts';

const shownRejects = 50;

export type Reject = ScoreOutcome['firstRejects'][number];

/** A column of the output file: one element of a row of an output. */
export interface OutputColumn {
  readonly name: string;
  readonly output: string;
  readonly element: number;
  readonly width: number;
}

/** Scalars under the output's name, vectors as `name[0]`, maps as `name[key]`. */
export function columnsOf(
  name: string,
  { dims, data }: TensorData,
  context: { readonly batch: number; readonly labels: readonly string[] | undefined },
): OutputColumn[] {
  const { batch, labels } = context;
  const width = data.length / batch;
  if (
    !Number.isInteger(width) ||
    width < 1 ||
    (dims.length > 0 && dims[0] !== batch && !(batch === 1 && dims.length === 0))
  ) {
    throw new AppError(
      'unsupported',
      `The output ${name} does not have one entry per row (its shape is ${dims.join(' × ')} for ${batch} rows), so it cannot be written into a table.`,
    );
  }
  return elementNames(name, width, labels).map((column, element) => ({
    name: column,
    output: name,
    element,
    width,
  }));
}

export function elementNames(
  name: string,
  width: number,
  labels: readonly string[] | undefined,
): string[] {
  if (labels !== undefined && labels.length === width)
    return labels.map((label) => `${name}[${label}]`);
  return width === 1 ? [name] : Array.from({ length: width }, (_, at) => `${name}[${at}]`);
}

interface Writer {
  line(fields: readonly string[]): void;
  /** Flushes, syncs and gives the SHA-256 of what was written. */
  finish(): string;
}

const flushLength = 256 * 1024;

export function createWriter(fd: number | undefined): Writer {
  const hash: Hash = createHash('sha256');
  let text = '';
  const flush = (): void => {
    const bytes = Buffer.from(text);
    text = '';
    hash.update(bytes);
    if (fd === undefined) return;
    for (let done = 0; done < bytes.length;)
      done += writeSync(fd, bytes, done, bytes.length - done);
  };
  return {
    line(fields) {
      text += `${fields.map(csvField).join(',')}\n`;
      if (text.length > flushLength) flush();
    },
    finish() {
      flush();
      if (fd !== undefined) fsyncSync(fd);
      return hash.digest('hex');
    },
  };
}

export function createRejects(fd: number | undefined): {
  readonly first: Reject[];
  add(reject: Reject): void;
  count(): number;
  /** Flushes, syncs and gives the SHA-256 of what was written. */
  finish(): string;
} {
  const writer = createWriter(fd);
  const first: Reject[] = [];
  let count = 0;
  writer.line(['row', 'column', 'code', 'message']);
  return {
    first,
    add(reject) {
      count += 1;
      writer.line([String(reject.row), reject.column ?? '', reject.code, reject.message]);
      if (first.length < shownRejects) first.push(reject);
    },
    count: () => count,
    finish: () => writer.finish(),
  };
}
