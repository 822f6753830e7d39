/**
 * Children that handle what may be hostile: the same Node binary in an empty folder with an environment of its own, wrapped in
 * what the system has. On Linux and macOS the shell's `ulimit`: private memory, processor time, no core dump. On Linux also,
 * where the system allows it (util-linux, user namespaces): a PID namespace with no process of others in it, a network namespace
 * with no network in it, a folder that lies in memory and ends with the child, a root of its own with nothing in it but that
 * folder and, read-only, the program and the system's libraries, no capabilities, no new privileges, a limit of threads, and death
 * with the core. `doctor` says what this system gives.
 */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import {
  childEnvironment,
  leastFolderBytes,
  memoryFolderMark,
  startFolder,
  wrapper,
  type Protection,
} from './wrappers.ts';

export interface ChildLimits {
  /** Private memory, bytes. */
  readonly dataBytes: number;
  readonly processorSeconds: number;
  /** What may be written into its folder where that lies in memory; next to nothing unless said. */
  readonly folderBytes?: number;
}

/**
 * In a child: whether its folder is its own, lies in memory, and is gone when it ends, however it ends. Like all memory it can
 * reach swap.
 */
export async function hasMemoryFolder(): Promise<boolean> {
  // TMPFS_MAGIC of linux/magic.h: the mark alone would be somebody's word.
  return process.env[memoryFolderMark] === '1' && (await statfs('.')).type === 0x01021994;
}

/** A Node child that runs `script` under the limits, in the empty folder `cwd`. */
export function spawnContained(
  script: string,
  options: {
    readonly cwd: string;
    readonly limits: ChildLimits;
    readonly stdio: StdioOptions;
    readonly nodeOptions?: readonly string[];
    /** For the script. */
    readonly args?: readonly string[];
    /**
     * Folders that it may read, by their real paths, besides the program's and the system's. A descriptor of a folder is never
     * handed over: `..` leads from it to whatever lies beside it, out of the child's root.
     */
    readonly shows?: readonly string[];
    /** Nobody waits for its next answer: the window and others come first on the processors. */
    readonly yields?: boolean;
  },
): ChildProcess {
  const { cwd, limits, stdio, nodeOptions = [], args: words = [], shows = [] } = options;
  const yields = options.yields === true;
  const node = [
    process.execPath,
    '--no-warnings',
    '--disable-sigusr1',
    ...nodeOptions,
    script,
    ...words,
  ];
  const { command, args } = containedCommand(node, { cwd, limits, shows, yields });
  // A session of its own: signals to a process group go to all in it, whatever namespaces they are in.
  const detached = wrapper().gives.includes('processes');
  const child = spawn(command, args, {
    cwd: startFolder(wrapper(), cwd),
    env: childEnvironment,
    stdio,
    windowsHide: true,
    detached,
  });
  if (yields && child.pid !== undefined) {
    if (process.platform === 'win32') setPriority(child.pid, priority);
    else if (detached) yieldAsSession(child);
  }
  return child;
}

/** Linux may divide the processors among sessions first, see sched(7) on autogroups, and takes one such word in a tenth of a second. */
function yieldAsSession(child: ChildProcess): void {
  if (child.exitCode !== null || child.signalCode !== null) return;
  try {
    writeFileSync(`/proc/${child.pid}/autogroup`, String(priority));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EAGAIN')
      setTimeout(() => yieldAsSession(child), 150).unref();
  }
}

const priority = constants.priority.PRIORITY_BELOW_NORMAL;

/** The command that runs `program` under the limits. */
function containedCommand(
  program: readonly string[],
  options: {
    readonly cwd: string;
    readonly limits: ChildLimits;
    readonly shows: readonly string[];
    readonly yields: boolean;
  },
): { readonly command: string; readonly args: readonly string[] } {
  const [command = '', ...args] = program;
  if (process.platform === 'win32') return { command, args };
  const { dataBytes, processorSeconds, folderBytes = leastFolderBytes } = options.limits;
  const folder = { path: options.cwd, bytes: folderBytes };
  const script = [
    'ulimit -c 0',
    `ulimit -d ${Math.ceil(dataBytes / 1024)} 2>/dev/null`,
    // The soft limit ends a child by SIGXCPU, which tells why; the hard one is for a child that would not listen.
    `ulimit -S -t ${processorSeconds}; ulimit -H -t ${processorSeconds + 5}`,
    // Where the machine runs out of memory, it loses this child first.
    '{ echo 1000 > /proc/self/oom_score_adj; } 2>/dev/null',
    `exec ${options.yields ? `nice -n ${priority} ` : ''}"$@"`,
  ].join('; ');
  return {
    command: '/bin/sh',
    args: ['-c', script, 'sh', ...wrapper().command(folder, options.shows), ...program],
  };
}

/** What the kernel does for the children of this system, besides the limits. */
export function protections(): readonly Protection[] {
  return wrapper().gives;
}
