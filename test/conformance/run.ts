/** Runs cases in contained children, a new one after a crash or a hang. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { spawnContained } from '#platform/containment.ts';
import { howEnded, killContained } from '#platform/process-tree.ts';
import { findCases } from './cases.ts';
import type { CaseAnswer } from './child.ts';
import { disputed } from './disputed.ts';

export interface CaseResult extends Omit<CaseAnswer, 'verdict'> {
  readonly verdict: CaseAnswer['verdict'] | 'crashed' | 'disputed';
}

const caseMs = 60_000;

export async function runCases(
  dir: string,
  options: {
    readonly runtime?: 'native' | 'wasm';
  } = {},
): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  const cwd = await mkdtemp(join(tmpdir(), 'strongroom-conformance-'));
  let child: ChildProcess | undefined;
  try {
    // By its real path, as the child is shown it.
    const shown = await realpath(dir);
    for (const folder of findCases(shown)) {
      child ??= await startChild(cwd, shown);
      const result = await ask(child, folder, options.runtime ?? 'native');
      if (result.verdict === 'crashed') child = undefined;
      const reason = result.verdict === 'failed' ? disputed.get(basename(folder)) : undefined;
      results.push(reason === undefined ? result : { folder, verdict: 'disputed', reason });
    }
  } finally {
    if (child !== undefined) killContained(child);
    await rm(cwd, { recursive: true, force: true });
  }
  return results;
}

async function startChild(cwd: string, shown: string): Promise<ChildProcess> {
  const child = spawnContained(join(import.meta.dirname, 'child.ts'), {
    cwd,
    limits: { dataBytes: 4 * 2 ** 30, processorSeconds: 600, folderBytes: 2 ** 30 },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    shows: [shown],
  });
  await once(child, 'message');
  return child;
}

function ask(child: ChildProcess, folder: string, runtime: 'native' | 'wasm'): Promise<CaseResult> {
  return new Promise((resolve) => {
    const settle = (result: CaseResult): void => {
      clearTimeout(timer);
      child.removeAllListeners();
      resolve(result);
    };
    const timer = setTimeout(() => {
      killContained(child);
      settle({ folder, verdict: 'crashed', reason: `no answer in ${caseMs / 1000} s` });
    }, caseMs);
    child.once('exit', (code, signal) =>
      settle({ folder, verdict: 'crashed', reason: String(howEnded(code, signal)) }),
    );
    child.once('message', (answer) => settle(answer as CaseAnswer));
    child.send({ folder, runtime });
  });
}
