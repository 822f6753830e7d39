/**
 * The outlining process: reads one stored model from stdin, writes its outline to stdout as JSON, and ends. It has no file, no
 * key and no network; weights pass through a digest and are not kept.
 */
import { readSync, writeSync } from 'node:fs';
import { AppError } from '#shared/errors.ts';
import { createOutlineReader } from '#domain/onnx/index.ts';
import { outlineOf } from './outline.ts';
import type { Use } from './part.ts';

const stdin = 0;
const stdout = 1;

/** `view` or `compare`, see `Use`. */
export function outlineStdin(use: string | undefined): void {
  const answer = Buffer.from(JSON.stringify(outlineChunks(use === 'view' ? 'view' : 'compare')));
  for (let at = 0; at < answer.length;) at += writeSync(stdout, answer, at);
}

/** The answer to the core, see `answer.ts`. */
function outlineChunks(use: Use): object {
  try {
    const reader = createOutlineReader({ digests: true });
    const buffer = Buffer.allocUnsafe(1024 * 1024);
    for (;;) {
      const length = readSync(stdin, buffer, 0, buffer.length, null);
      if (length === 0) break;
      reader.write(buffer.subarray(0, length));
    }
    return { ok: true, outline: outlineOf(reader.end(), use) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { ok: false, code: error.code, message: error.message };
  }
}
