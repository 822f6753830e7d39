/** Kills an act at every named point, at every system call that makes something durable, and after random times. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { acts, type ActName } from './acts.ts';
import { eachAtOnce, performDisturbed, type Disturbance } from './disturbed.ts';
import { inspectAfter } from './inspect.ts';
import { copyFor, type Prepared } from './prepared.ts';
import type { Tally } from './table.ts';

/** What makes something durable, or gives it its name. */
export const durableCalls =
  'fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,link,linkat,mkdir,rmdir,ftruncate';

/** One call, as `strace` counts them: each name and thread apart. */
export interface Counted {
  readonly thread: 'main' | 'pool';
  readonly call: string;
  readonly nth: number;
}

export interface Watched {
  readonly points: readonly string[];
  readonly lines: readonly string[];
  readonly counted: readonly Counted[];
  readonly ms: number;
}

export async function watch(
  prepared: Prepared,
  act: ActName,
  calls = durableCalls,
): Promise<Watched> {
  await warmUp(prepared, act);
  const { dir, place } = await copyFor(prepared, act);
  const started = performance.now();
  const ended = await performDisturbed({ act, dir, ...place }, { kind: 'watched', calls });
  const ms = performance.now() - started;
  if (ended.kind === 'killed' || ended.error !== null)
    throw new Error(`The act ${act} does not work undisturbed: ${JSON.stringify(ended)}`);
  const lines = readFileSync(join(dir, 'calls.txt'), 'utf8').split('\n');
  rmSync(dir, { recursive: true });
  return { points: ended.points, lines, counted: countCalls(lines, dir), ms };
}

/** Node keeps what it compiled when a process ends in peace: once before anything is counted. */
async function warmUp(prepared: Prepared, act: ActName): Promise<void> {
  const name = `${prepared.dir} ${act}`;
  if (warm.has(name)) return;
  const { dir, place } = await copyFor(prepared, act);
  await performDisturbed({ act, dir, ...place }, undefined);
  rmSync(dir, { recursive: true });
  warm.add(name);
}
const warm = new Set<string>();

/** The calls of the act's own process; those of a model's child are not its own to lose. */
function countCalls(lines: readonly string[], dir: string): Counted[] {
  const seen = new Map<string, number>();
  const counted: Counted[] = [];
  const [main] = /^\d+/.exec(lines[0] ?? '') ?? [];
  let pool: string | undefined;
  let begun = false;
  for (const line of lines) {
    const [, thread = '', call = ''] = /^(\d+) +(\w+)\(/.exec(line) ?? [];
    if (call !== '' && line.includes('/counting') && thread !== main) pool ??= thread;
    begun ||= line.includes('/strongroom-point/begin');
    if (call === '' || call === 'access') continue;
    const nth = (seen.get(`${thread} ${call}`) ?? 0) + 1;
    seen.set(`${thread} ${call}`, nth);
    if (!begun || !line.includes(dir) || (thread !== main && thread !== pool)) continue;
    counted.push({ thread: thread === main ? 'main' : 'pool', call, nth });
  }
  return counted;
}

export interface Kill {
  readonly act: ActName;
  readonly disturbance: Disturbance;
  /** Whether the act is done again afterwards. */
  readonly again: boolean;
}

/**
 * At each named point, and at every `step`-th call. Where that is more than one, the sign-in that an act begins with is left
 * out: it is an act of its own.
 */
export function killsOf(act: ActName, { points, counted }: Watched, step = 1): Kill[] {
  const begin = points.findIndex((name) => name.startsWith('log: begin'));
  return [
    ...points.flatMap((_, at) =>
      step > 1 && at < begin
        ? []
        : [
            {
              act,
              disturbance: { kind: 'point', nth: at + 1 } as const,
              again: at % 3 === 0,
            },
          ],
    ),
    ...counted
      .filter((_, at) => at % step === 0)
      .map(({ thread, call, nth }, at) => ({
        act,
        disturbance: { kind: 'call', calls: call, thread, nth, inject: 'signal=SIGKILL' } as const,
        again: at % 3 === 0,
      })),
  ];
}

/** After a time between nothing and a little more than the act takes. `random` gives numbers from 0 to 1. */
export function randomKill(act: ActName, { ms }: Watched, random: () => number): Kill {
  const disturbance = { kind: 'time', afterMs: Math.floor(random() * ms * 1.2) } as const;
  return { act, disturbance, again: random() < 0.3 };
}

export async function performKills(
  prepared: Prepared,
  kills: readonly Kill[],
  tally: Tally,
): Promise<void> {
  await eachAtOnce(kills, async ({ act, disturbance, again }) => {
    const where = `${acts[act].name}, ${kindNames[disturbance.kind]}`;
    await tally.attempt('process killed', where, async () => {
      const { dir, place } = await copyFor(prepared, act);
      try {
        const ended = await performDisturbed({ act, dir, ...place }, disturbance);
        const found = await inspectAfter(act, dir, place, again);
        return ended.kind === 'killed' ? `${found} of it` : 'ended before';
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new Error(`${JSON.stringify(disturbance)}: ${reason}`, { cause: error });
      } finally {
        rmSync(dir, { recursive: true, force: true });
      }
    });
  });
}

const kindNames: Readonly<Record<Disturbance['kind'], string>> = {
  point: 'at a named point',
  call: 'at a system call',
  time: 'at any time',
  watched: 'watched',
};

/**
 * Durable writes that share the gap between two named points with another one: a harness that kills at points would step
 * over what lies between them. What closing a database does after the last point is its own affair.
 */
export function unnamedWrites(lines: readonly string[]): string[] {
  const found: string[] = [];
  let gap: string[] = [];
  let from: string | undefined;
  const restarted = new Set<string>();
  for (const line of lines) {
    const point = /strongroom-point\/([^"]*)"/.exec(line)?.[1];
    if (point === undefined) gap.push(...durableWrite(line, restarted));
    else {
      const writes = withoutFirstSyncs(gap);
      if (from !== undefined && writes.length > 1)
        found.push(`${from} → ${point}: ${writes.join(', ')}`);
      from = point;
      gap = [];
    }
  }
  return found;
}

/** Commits, names given and taken away; and what tells a commit from the upkeep of a database. */
function durableWrite(line: string, restarted: Set<string>): string[] {
  const [, call, name, log] = /f(sync|truncate)\(\d+<[^>]*\/(\w+)\.db(-wal)?>/.exec(line) ?? [];
  if (name !== undefined && log === undefined) return [`upkeep of ${name}`];
  if (name !== undefined) {
    // A write-ahead log that was emptied is synced once more before its next commit.
    if (call === 'truncate') restarted.add(name);
    return call === 'truncate' || restarted.delete(name) ? [] : [`commit of ${name}`];
  }
  if (/fsync\(\d+<[^>]*\/vault>/.test(line)) return ['folder'];
  const named = /\b(?:rename|link)\w*\(.*"([^"]*)"/.exec(line)?.[1];
  if (named !== undefined) return [`name ${named}`];
  const gone = /\bunlink\w*\(.*"([^"]*)"/.exec(line)?.[1];
  return gone === undefined || /\.db-\w+$|\.next(-\w+)?$|lock-journal$/.test(gone)
    ? []
    : [`removal of ${gone}`];
}

/**
 * A new write-ahead log is synced, then its folder, then it again, all for one commit. Before its pages move into the database it
 * is synced once more, and no commit is.
 */
function withoutFirstSyncs(gap: readonly string[]): string[] {
  return gap.filter((write, at) => {
    const [next, afterNext] = gap.slice(at + 1);
    if (write === 'folder' || write.startsWith('upkeep')) return false;
    const isFirst = next === 'folder' && afterNext === write;
    return !isFirst && next !== write.replace('commit', 'upkeep');
  });
}
