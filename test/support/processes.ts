import { spawnSync } from 'node:child_process';

/** Processes below one, the nearest first. */
export function descendantsOf(pid: number): number[] {
  const children = spawnSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((line) => line !== '')
    .map(Number);
  return [...children, ...children.flatMap(descendantsOf)];
}

/** Stops a process and all below it. */
export function stopAll(pid: number): void {
  const stopped = new Set<number>();
  // One that is stopped starts no other: what came meanwhile is below the next.
  for (let next: number | undefined = pid; next !== undefined;) {
    process.kill(next, 'SIGSTOP');
    stopped.add(next);
    next = descendantsOf(pid).find((each) => !stopped.has(each));
  }
}
