/** One act in a child, disturbed in one way: at a named point, at a system call that `strace` counts, or after some time. */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Order, Performed } from './actor.ts';
import { actorIn } from './program.ts';

export type Disturbance =
  | { readonly kind: 'point'; readonly nth: number }
  | {
      readonly kind: 'call';
      /** Names as `strace` has them, with commas. */
      readonly calls: string;
      /** Which of the calls that this thread makes, from 1; those of the pool as the actor counts them. */
      readonly thread: 'main' | 'pool';
      readonly nth: number;
      /** `signal=SIGKILL`, or `error=EIO`. */
      readonly inject: string;
      /** Only calls on this file. */
      readonly path?: string;
    }
  | { readonly kind: 'time'; readonly afterMs: number }
  /** Nothing happens, and the calls are written to `calls.txt` in the folder of the act. */
  | { readonly kind: 'watched'; readonly calls: string };

export type Ended = { readonly kind: 'killed' } | ({ readonly kind: 'performed' } & Performed);

const longestMs = 120_000;

/** Throws when the child hangs or crashes. */
export async function performDisturbed(
  order: Omit<Order, 'killAt' | 'traced'>,
  disturbance: Disturbance | undefined,
): Promise<Ended> {
  const temporary = temporaryOf(order.dir);
  mkdirSync(temporary, { recursive: true });
  const { tracer, extra } = wrapped(order.dir, disturbance);
  const told: Order = { ...order, ...extra };
  const actor = [actorIn(order.material), JSON.stringify(told)];
  // No path of a test has a space in it.
  const command = [...tracer.split(/ +/).filter(Boolean), process.execPath, ...actor];
  const child = spawn('/usr/bin/env', command, {
    cwd: order.dir,
    env: {
      PATH: process.env['PATH'],
      TMPDIR: temporary,
      UV_THREADPOOL_SIZE: '1',
      NODE_COMPILE_CACHE: join(order.material, 'compiled'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that a kill after some time reaches what `strace` watches too.
    detached: true,
  });
  let printed = '';
  let complaint = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  const kill = (): void => void process.kill(-(child.pid ?? 0), 'SIGKILL');
  let hung = false;
  const timers = [
    setTimeout(() => {
      hung = true;
      kill();
    }, longestMs),
    ...(disturbance?.kind === 'time' ? [setTimeout(kill, disturbance.afterMs)] : []),
  ];
  const [status, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, killer) => resolve([code, killer]));
  });
  for (const timer of timers) clearTimeout(timer);
  if (hung) throw new Error('The child hung.');
  if (signal === 'SIGKILL') return { kind: 'killed' };
  // So libuv ends the process, without a word, when it cannot write to the descriptor by which its threads wake each other.
  if (
    signal === 'SIGABRT' &&
    complaint === '' &&
    disturbance?.kind === 'call' &&
    disturbance.calls === 'write'
  )
    return { kind: 'killed' };
  if (status !== 0) throw new Error(`The child crashed (${status ?? signal}): ${complaint}`);
  return { kind: 'performed', ...(JSON.parse(printed) as Performed) };
}

/** Where the child puts what it needs for a moment. */
export function temporaryOf(dir: string): string {
  return join(dir, 'temporary');
}

/** The tracer that disturbs or looks on, if any, and what the child is told. */
function wrapped(
  dir: string,
  disturbance: Disturbance | undefined,
): { readonly tracer: string; readonly extra: Partial<Order> } {
  switch (disturbance?.kind) {
    case 'point':
      return { tracer: '', extra: { killAt: disturbance.nth } };
    case 'call': {
      const { calls, thread, nth, inject, path } = disturbance;
      // Only the main thread, or all: the pool's calls have numbers of their own.
      const threads = thread === 'main' ? '' : '-f';
      const only = path === undefined ? '' : `-P ${path}`;
      const tracer = `strace ${threads} -qq -o /dev/null -e trace=${calls} -e signal=none -e inject=${calls}:${inject}:when=${nth} ${only}`;
      return { tracer, extra: thread === 'main' ? {} : { traced: true } };
    }
    case 'watched':
      return {
        tracer: `strace -f --seccomp-bpf -qq -y -o ${join(dir, 'calls.txt')} -e signal=none -e trace=access,${disturbance.calls}`,
        extra: { traced: true },
      };
    default:
      return { tracer: '', extra: {} };
  }
}

/** Does the work on as many at a time as there are processors. */
export async function eachAtOnce<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = [...items];
  await Promise.all(
    Array.from({ length: Math.max(2, availableParallelism()) }, async () => {
      for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
    }),
  );
}
