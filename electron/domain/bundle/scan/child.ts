/**
 * The scanner process: reads one model from stdin as the gate reads it, writes one JSON answer to stdout, and ends. It has no
 * file, no key and no network; whatever a hostile model does to it, the core sees only an answer that does not come.
 */
import { readSync, writeSync } from 'node:fs';
import { AppError } from '#shared/errors.ts';
import { createOutlineReader, modelFactsOf } from '#domain/onnx/index.ts';
import { gateLimits } from '../limits.ts';
import type { Seen } from './report.ts';
import { createTail } from './tail.ts';
import { walkModel } from './walk.ts';

const stdin = 0;
const stdout = 1;

export function scanStdin(): void {
  const answer = Buffer.from(JSON.stringify(scanChunks(chunksOfStdin())));
  for (let at = 0; at < answer.length;) at += writeSync(stdout, answer, at);
}

/** The answer to the core, see `answer.ts`. An outline that does not parse is a finding; all bytes are taken in any case. */
export function scanChunks(chunks: Iterable<Uint8Array>): object {
  const reader = createOutlineReader();
  const tail = createTail();
  let bytes = 0;
  let failure: AppError | undefined;
  const attempt = <T>(step: () => T): T | undefined => {
    try {
      return failure === undefined ? step() : undefined;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      failure = error;
      return undefined;
    }
  };
  for (const chunk of chunks) {
    bytes += chunk.length;
    tail.write(chunk);
    attempt(() => reader.write(chunk));
  }
  const model = attempt(() => reader.end());
  const seen: Seen[] = [];
  if (bytes > gateLimits.modelBytes)
    seen.push({ ruleId: 'SR-ONNX-012', message: `The file has ${bytes} bytes.` });
  if (tail.isArchive())
    seen.push({ ruleId: 'SR-ONNX-019', message: 'The file ends as a ZIP archive does.' });
  if (model === undefined)
    return { findings: [...seen, toSeen(failure)], facts: null, external: [] };
  const walked = walkModel(model);
  return {
    findings: [...seen, ...walked.seen],
    facts: modelFactsOf(model),
    external: walked.external,
  };
}

function toSeen(failure: AppError | undefined): Seen {
  const message = failure?.message ?? 'The file is not an ONNX model.';
  if (failure?.details?.['fault'] === 'duplicate-field') return { ruleId: 'SR-ONNX-013', message };
  if (failure?.code === 'limit')
    return { ruleId: /nests/.test(message) ? 'SR-ONNX-006' : 'SR-ONNX-007', message };
  return { ruleId: 'SR-ONNX-001', message };
}

/** Each chunk is good until the next one. */
function* chunksOfStdin(): Generator<Uint8Array> {
  const buffer = Buffer.allocUnsafe(1024 * 1024);
  for (;;) {
    const length = readSync(stdin, buffer, 0, buffer.length, null);
    if (length === 0) return;
    yield buffer.subarray(0, length);
  }
}
