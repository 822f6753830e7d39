/**
 * What a contained child has become: where it has a PID namespace, the process that was started waits for the namespace's first
 * one, and the child runs below that. Memory is counted, and an end made, for all in it.
 */
import { spawnSync, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { wrapper } from './wrappers.ts';

/** The first process of its namespace; undefined where it has none (yet, or any more). */
function firstIn(pid: number): number | undefined {
  if (!wrapper().gives.includes('processes')) return undefined;
  try {
    return (
      Number.parseInt(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'), 10) || undefined
    );
  } catch {
    return undefined;
  }
}

/** On Linux: the folders in /proc of all processes of the child. */
export function processFolders(pid: number): string[] {
  const first = firstIn(pid);
  if (first === undefined) return [`/proc/${pid}`];
  try {
    // Nothing else of its root is looked at: the child may put there what it likes, links and pipes too, but nothing in this place.
    const proc = `/proc/${first}/root/proc`;
    // Until it has its own root, that is the /proc of all.
    if (statSync(proc).dev === statSync('/proc').dev) return [`/proc/${first}`];
    return readdirSync(proc)
      .filter((name) => /^\d+$/.test(name))
      .map((name) => `${proc}/${name}`);
  } catch {
    return [`/proc/${first}`];
  }
}

/**
 * Memory of a child that is in use now, pages of files that it has mapped too; undefined where the system does not tell, and
 * when the child is gone. Takes some tens of microseconds on Linux.
 */
export function residentBytes(pid: number | undefined): number | undefined {
  if (pid === undefined) return undefined;
  if (process.platform === 'darwin') {
    const kibibytes = spawnSync('/bin/ps', ['-o', 'rss=', '-p', String(pid)]).stdout.toString();
    return kibibytes === '' ? undefined : Number(kibibytes) * 1024;
  }
  if (process.platform !== 'linux') return undefined;
  const each = processFolders(pid).map(residentKibibytes);
  return each.some((kibibytes) => kibibytes !== undefined)
    ? each.reduce<number>((sum, kibibytes) => sum + (kibibytes ?? 0), 0) * 1024
    : undefined;
}

function residentKibibytes(folder: string): number | undefined {
  try {
    const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`${folder}/status`, 'utf8'))?.[1];
    return found === undefined ? undefined : Number(found);
  } catch {
    return undefined; // it ended meanwhile
  }
}

/** Whether the system tells. */
export const watchesMemory = process.platform === 'linux' || process.platform === 'darwin';

/** Ends the child, and all that it may have started where it has a PID namespace, before the `exit` of `child` is heard. */
export function killContained(child: ChildProcess): void {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const first = child.pid === undefined ? undefined : firstIn(child.pid);
  try {
    if (first === undefined) child.kill('SIGKILL');
    else {
      process.kill(first, 'SIGKILL');
      // Who waits for it ends next, and must not be stopped for that.
      child.kill('SIGCONT');
    }
  } catch {
    child.kill('SIGKILL'); // it ended by itself; so will the one that waits for it
  }
}

/** How a child ended: the name of a signal, or its exit code. A shell that waits for it tells a signal by an exit code. */
export function howEnded(code: number | null, signal: NodeJS.Signals | null): string | number {
  if (signal !== null) return signal;
  if (code === null) return 'no code';
  const names = Object.entries(constants.signals);
  return (
    (process.platform !== 'win32' && names.find(([, number]) => 128 + number === code)?.[0]) || code
  );
}
