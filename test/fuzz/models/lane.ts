/** A child that takes mutants one by one, and is replaced when it ended, was ended, or has had enough of them. */
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnContained } from '#platform/containment.ts';
import { createOwnedFolder } from '#platform/owned-folder.ts';
import { howEnded, killContained, processFolders, residentBytes } from '#platform/process-tree.ts';
import type { Mutant, Verdict } from './child.ts';

export type Outcome =
  Omit<Verdict, 'id'> | { readonly verdict: 'crashed' | 'hung' | 'swollen'; readonly said: string };

export interface Lane extends AsyncDisposable {
  /** Has a verdict within the budget, whatever the mutant does. */
  judge(mutant: Mutant): Promise<Outcome>;
}

/** Of one mutant: processor time, where it can be told, and else time on the wall. */
const budgetMs = 2000;
const wallMs = 60_000;
const largestBytes = 1.5 * 2 ** 30;
const lookEveryMs = 50;
/** Sessions are not released: what they keep is left behind now and then. */
const mutantsPerChild = 250;

export function createLane(): Lane {
  let child: Child | undefined;
  return {
    async judge(mutant) {
      child ??= await startChild();
      const outcome = await child.judge(mutant);
      const isSpent = child.taken >= mutantsPerChild;
      if (isSpent || !['refused', 'not loaded', 'runs', 'bug'].includes(outcome.verdict)) {
        await child[Symbol.asyncDispose]();
        child = undefined;
      }
      return outcome;
    },
    async [Symbol.asyncDispose]() {
      await child?.[Symbol.asyncDispose]();
    },
  };
}

interface Child extends AsyncDisposable {
  taken: number;
  judge(mutant: Mutant): Promise<Outcome>;
}

async function startChild(): Promise<Child> {
  const folder = await createOwnedFolder(tmpdir(), 'strongroom-child-');
  const process_ = spawnContained(join(import.meta.dirname, 'child.ts'), {
    cwd: folder,
    limits: { dataBytes: 3 * 2 ** 30, processorSeconds: 600 },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  let hear: (message: unknown) => void = () => undefined;
  let end: (how: string) => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    process_.once('exit', (code, signal) => {
      const how = howEnded(code, signal);
      end(typeof how === 'string' ? how : `exit code ${how}`);
      resolve();
    });
  });
  process_.on('message', (message) => hear(message));
  await new Promise<void>((resolve, reject) => {
    hear = () => resolve();
    end = (how) => reject(new Error(`A child did not start: ${how}.`));
  });
  const made: Child = {
    taken: 0,
    judge(mutant) {
      made.taken += 1;
      const started = { cpu: processorMs(process_.pid), wall: performance.now() };
      return new Promise<Outcome>((resolve) => {
        const settle = (outcome: Outcome): void => {
          clearInterval(timer);
          resolve(outcome);
        };
        const kill = (outcome: Outcome): void => {
          settle(outcome);
          killContained(process_);
        };
        const timer = setInterval(() => {
          const cpu = processorMs(process_.pid);
          const wall = performance.now() - started.wall;
          if (wall > wallMs || (cpu ?? wall) - (started.cpu ?? 0) > budgetMs)
            kill({ verdict: 'hung', said: 'killed' });
          if ((residentBytes(process_.pid) ?? 0) > largestBytes)
            kill({ verdict: 'swollen', said: 'killed' });
        }, lookEveryMs);
        hear = (message) => {
          const { id, ...outcome } = message as Verdict;
          if (id === mutant.id) settle(outcome);
        };
        end = (how) => settle({ verdict: 'crashed', said: how });
        process_.send(mutant);
      });
    },
    async [Symbol.asyncDispose]() {
      killContained(process_);
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
  return made;
}

/** Processor time of a child so far; undefined where the system does not tell. */
function processorMs(pid: number | undefined): number | undefined {
  try {
    return processFolders(pid ?? 0).reduce((sum, folder) => {
      const fields = readFileSync(`${folder}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      // utime and stime of proc(5), in hundredths of a second.
      return sum + (Number(fields[11]) + Number(fields[12])) * 10;
    }, 0);
  } catch {
    return undefined;
  }
}
