/**
 * Children that handle what may be hostile: the same Node binary in an empty folder with an environment of its own, wrapped in
 * what the system has. On Linux and macOS the shell's `ulimit`: private memory, processor time, no core dump. On Linux also,
 * where the system allows it (util-linux, user namespaces): a network namespace with no network in it, a folder that lies in
 * memory and ends with the child, no capabilities, no new privileges, and death with the core. `doctor` says what this system gives.
 */
import { spawn, spawnSync, type ChildProcess, type StdioOptions } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';

export interface ChildLimits {
  /** Private memory, bytes. */
  readonly dataBytes: number;
  readonly processorSeconds: number;
  /** What may be written into its folder where that lies in memory; next to nothing unless said. */
  readonly folderBytes?: number;
}

const memoryFolderMark = 'STRONGROOM_MEMORY_FOLDER';

interface Wrapper {
  readonly command: (folderBytes: number) => readonly string[];
  readonly noNetwork: boolean;
}

const confined = ['setpriv', '--no-new-privs', '--pdeathsig', 'KILL'];
/** Root of its own namespaces for as long as the folder is laid over, then without any capability. */
const asRoot = ['unshare', '--user', '--map-root-user', '--net', '--mount', '--', '/bin/sh', '-c'];
const withoutCapabilities = [...confined, '--bounding-set', '-all', '--inh-caps', '-all', '--'];
const mounting = (folderBytes: number): readonly string[] => [
  ...asRoot,
  // In large pages, where the kernel has them for such a folder: small ones make a file of weights take several times as long.
  `folder() { mount -t tmpfs -o "mode=0700,size=${folderBytes}$1" strongroom "$PWD"; }
  { folder ,huge=within_size 2>/dev/null || folder; } && cd "$PWD" && ${memoryFolderMark}=1 exec "$@"`,
  'sh',
  ...withoutCapabilities,
];
const wrappers: readonly Wrapper[] = [
  { command: mounting, noNetwork: true },
  {
    command: () => ['unshare', '--user', '--map-current-user', '--net', '--', ...confined, '--'],
    noNetwork: true,
  },
  { command: () => ['unshare', '--net', '--', ...confined, '--'], noNetwork: true },
  { command: () => [...confined, '--'], noNetwork: false },
];
const bare: Wrapper = { command: () => [], noNetwork: false };
const leastFolderBytes = 1024 * 1024;

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
  },
): ChildProcess {
  const { cwd, limits, stdio, nodeOptions = [], args: words = [] } = options;
  const node = [
    process.execPath,
    '--no-warnings',
    '--disable-sigusr1',
    ...nodeOptions,
    script,
    ...words,
  ];
  const { command, args } = containedCommand(node, limits);
  return spawn(command, args, { cwd, env: childEnvironment, stdio, windowsHide: true });
}

/**
 * Memory of a process that is in use now, pages of files that it has mapped too; undefined where the system does not tell, and
 * when the process is gone. Takes some ten microseconds on Linux.
 */
export function residentBytes(pid: number | undefined): number | undefined {
  if (pid === undefined) return undefined;
  try {
    const kibibytes =
      process.platform === 'linux'
        ? /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
        : process.platform === 'darwin'
          ? spawnSync('/bin/ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }).stdout
          : undefined;
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  } catch {
    return undefined;
  }
}

/**
 * All that a child sees of the environment. Without `ORT_DISABLE_TELEMETRY` ONNX Runtime keeps a device id and reports to its
 * maker; without the last one it refuses models of an operator set that was not yet released when it was built.
 */
const childEnvironment: Readonly<Record<string, string>> = {
  LC_ALL: 'C.UTF-8',
  PATH: '/usr/bin:/bin',
  ORT_DISABLE_TELEMETRY: '1',
  ALLOW_RELEASED_ONNX_OPSET_ONLY: '0',
};

/** The command that runs `program` under the limits. */
function containedCommand(
  program: readonly string[],
  { dataBytes, processorSeconds, folderBytes = leastFolderBytes }: ChildLimits,
): { readonly command: string; readonly args: readonly string[] } {
  const [command = '', ...args] = program;
  if (process.platform === 'win32') return { command, args };
  // The soft limit ends a child by SIGXCPU, which tells why; the hard one is for a child that would not listen.
  const script = `ulimit -c 0; ulimit -d ${Math.ceil(dataBytes / 1024)} 2>/dev/null; ulimit -S -t ${processorSeconds}; ulimit -H -t ${processorSeconds + 5}; exec "$@"`;
  return {
    command: '/bin/sh',
    args: ['-c', script, 'sh', ...wrapper().command(folderBytes), ...program],
  };
}

/** Whether children are cut off from the network by the kernel; elsewhere they only have no reason to use it. */
export function isCutOff(): boolean {
  return wrapper().noNetwork;
}

let found: Wrapper | undefined;

/** The strongest one that works here, tried once. */
function wrapper(): Wrapper {
  found ??=
    process.platform === 'linux'
      ? (wrappers.find(({ command }) => {
          const options = { stdio: 'ignore', env: childEnvironment, cwd: tmpdir() } as const;
          const asked = ['-c', 'exec "$@"', 'sh', ...command(leastFolderBytes), 'true'];
          return spawnSync('/bin/sh', asked, options).status === 0;
        }) ?? bare)
      : bare;
  return found;
}
