/**
 * In the core: a scanner process for one model. It is given the bytes as the gate reads them, the same that are hashed and
 * stored, and never more than it has taken. A child that dies, hangs, outgrows its memory or answers nonsense is a finding of
 * the rules SR-SCAN; the core and the pass over the bundle go on.
 */
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { spawnContained, type ChildLimits } from '#platform/containment.ts';
import { createOwnedFolder } from '#platform/owned-folder.ts';
import { longestAnswer, scanAnswer, type ScanAnswer } from './answer.ts';

const scannerPath = fileURLToPath(new URL('../../../scanner.ts', import.meta.url));

export interface ScanLimits extends ChildLimits {
  /** The structure of a model; weights are not kept. */
  readonly heapBytes: number;
  /** Longest time without taking a chunk, and between the last one and the answer. */
  readonly silenceMs: number;
}

const defaultLimits: ScanLimits = {
  heapBytes: 2 ** 30,
  dataBytes: 2 * 2 ** 30,
  processorSeconds: 600,
  silenceMs: 60_000,
};

export interface Scanner {
  /** Resolves when the chunk has been taken and may be used again; never rejects. */
  write(chunk: Uint8Array): Promise<void>;
  end(): Promise<ScanAnswer>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startScanner(limits: Partial<ScanLimits> = {}): Promise<Scanner> {
  const bounds = { ...defaultLimits, ...limits };
  const folder = await createOwnedFolder(tmpdir(), 'strongroom-scan-');
  const child = spawnContained(scannerPath, {
    cwd: folder,
    limits: bounds,
    stdio: ['pipe', 'pipe', 'ignore'],
    nodeOptions: [`--max-old-space-size=${Math.ceil(bounds.heapBytes / 2 ** 20)}`],
  });
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('The scanner process has no pipes.');
  const parts: Buffer[] = [];
  let answered = 0;
  let isSilent = false;
  let failed = false;
  const ended = new Promise<string | number>((resolve) => {
    child.once('error', () => {
      failed = true;
      resolve('it could not be started');
    });
    // Not before its last word has been read.
    child.once('close', (code, signal) => resolve(signal ?? code ?? 'no code'));
  });
  void ended.then(() => (failed = true));
  // A child that ended no longer takes bytes: that shows in how it ended.
  stdin.on('error', () => (failed = true));
  stdout.on('data', (part: Buffer) => {
    answered += part.length;
    if (answered > longestAnswer) child.kill('SIGKILL');
    else parts.push(part);
  });

  /** Waits for a step of the child, which must not keep silent for too long. */
  async function watched<T>(step: Promise<T>): Promise<T> {
    const timer = setTimeout(() => {
      isSilent = true;
      child.kill('SIGKILL');
    }, bounds.silenceMs);
    try {
      return await step;
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    async write(chunk) {
      if (failed) return;
      await watched(
        Promise.race([
          new Promise<void>((resolve) => {
            stdin.write(chunk, () => resolve());
          }),
          ended,
        ]),
      );
    },
    async end() {
      stdin.end();
      const how = await watched(ended);
      if (isSilent)
        return contained('SR-SCAN-002', `It did nothing for ${bounds.silenceMs / 1000} s.`);
      if (how === 'SIGXCPU') return contained('SR-SCAN-002', 'It used up its processor time.');
      if (how === 'SIGABRT' || how === 134)
        return contained('SR-SCAN-003', 'It needed more memory than it may have.');
      if (how !== 0) return contained('SR-SCAN-001', `It ended by ${how}.`);
      return parseAnswer(Buffer.concat(parts));
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function parseAnswer(bytes: Buffer): ScanAnswer {
  try {
    return scanAnswer.parse(JSON.parse(bytes.toString('utf8')));
  } catch {
    return contained('SR-SCAN-001', 'Its answer cannot be read.');
  }
}

function contained(ruleId: ScanAnswer['findings'][number]['ruleId'], message: string): ScanAnswer {
  return { findings: [{ ruleId, message }], facts: null, external: [] };
}
