/**
 * A contained child that reads one file from stdin as its parent has it, answers once on stdout, and ends. It has no file, no
 * key and no network. The core sees a bounded answer, or how the child ended without one.
 */
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { spawnContained, type ChildLimits } from './containment.ts';
import { createOwnedFolder } from './owned-folder.ts';
import { howEnded, killContained } from './process-tree.ts';

export interface ReaderLimits extends ChildLimits {
  /** Objects of the child's own making, such as the structure of a model. */
  readonly heapBytes: number;
  /** Longest time without taking a chunk, and between the last one and the answer. */
  readonly silenceMs: number;
  readonly answerBytes: number;
}

export type Ending =
  | { readonly how: 'answered'; readonly answer: Buffer }
  | { readonly how: 'silent' | 'processor' | 'memory' | 'died'; readonly message: string };

export interface ContainedReader {
  /** Resolves when the chunk has been taken and may be used again; never rejects. */
  write(chunk: Uint8Array): Promise<void>;
  end(): Promise<Ending>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startReader(
  script: string,
  limits: ReaderLimits,
  args: readonly string[] = [],
): Promise<ContainedReader> {
  const folder = await createOwnedFolder(tmpdir(), 'strongroom-scan-');
  const child = spawnContained(script, {
    cwd: folder,
    limits,
    stdio: ['pipe', 'pipe', 'ignore'],
    nodeOptions: [`--max-old-space-size=${Math.ceil(limits.heapBytes / 2 ** 20)}`],
    args,
  });
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('The child has no pipes.');
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
    child.once('close', (code, signal) => resolve(howEnded(code, signal)));
  });
  void ended.then(() => (failed = true));
  // A child that ended no longer takes bytes: that shows in how it ended.
  stdin.on('error', () => (failed = true));
  stdout.on('data', (part: Buffer) => {
    answered += part.length;
    if (answered > limits.answerBytes) killContained(child);
    else parts.push(part);
  });

  /** Waits for a step of the child, which must not keep silent for too long. */
  async function watched<T>(step: Promise<T>): Promise<T> {
    const timer = setTimeout(() => {
      isSilent = true;
      killContained(child);
    }, limits.silenceMs);
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
        return { how: 'silent', message: `It did nothing for ${limits.silenceMs / 1000} s.` };
      if (how === 'SIGXCPU') return { how: 'processor', message: 'It used up its processor time.' };
      if (how === 'SIGABRT')
        return { how: 'memory', message: 'It needed more memory than it may have.' };
      if (how !== 0) return { how: 'died', message: `It ended by ${how}.` };
      return { how: 'answered', answer: Buffer.concat(parts) };
    },
    async [Symbol.asyncDispose]() {
      killContained(child);
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
