/**
 * Children that handle what may be hostile: the same Node binary in an empty folder with an environment of its own, wrapped in
 * what the system has. On Linux and macOS the shell's `ulimit`: private memory, processor time, no core dump. On Linux also,
 * where the system allows it (util-linux, user namespaces): a network namespace with no network in it, a folder that lies in
 * memory and ends with the child, a root of its own with nothing in it but that folder and, read-only, the program and the
 * system's libraries, no capabilities, no new privileges, and death with the core. `doctor` says what this system gives.
 */
import { spawn, spawnSync, type ChildProcess, type StdioOptions } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmdirSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { shownDescriptors } from './read-only-files.ts';

export interface ChildLimits {
  /** Private memory, bytes. */
  readonly dataBytes: number;
  readonly processorSeconds: number;
  /** What may be written into its folder where that lies in memory; next to nothing unless said. */
  readonly folderBytes?: number;
}

const memoryFolderMark = 'STRONGROOM_MEMORY_FOLDER';
/** Where a child with a root of its own works. */
const ownFolder = 'strongroom-child';

interface Wrapper {
  readonly command: (folderBytes: number, shown: readonly string[]) => readonly string[];
  readonly gives: readonly Protection[];
}

/** `view`: it sees its folder, the program and the system's libraries, and nothing of what the user has. */
type Protection = 'view' | 'memory folder' | 'network' | 'privileges';

const confined = ['setpriv', '--no-new-privs', '--pdeathsig', 'KILL'];
const withoutCapabilities = [...confined, '--bounding-set', '-all', '--inh-caps', '-all', '--'];
/** Root of its own namespaces for as long as `script` lays it a folder, then without any capability. */
const asRoot = (script: string, words: readonly string[]): readonly string[] => [
  ...'unshare --user --map-root-user --net --ipc --uts --mount -- /bin/sh -c'.split(' '),
  script,
  'sh',
  ...words,
  ...withoutCapabilities,
];
// In large pages, where the kernel has them for such a folder: small ones make a file of weights take several times as long.
const layFolder = `folder() { mount -t tmpfs -o "mode=0700,size=$bytes$1" strongroom "$PWD"; }
{ folder ,huge=within_size 2>/dev/null || folder; } && cd "$PWD" && export ${memoryFolderMark}=1`;
const withFolder = `bytes=$1; shift; ${layFolder} && exec "$@"`;
/**
 * A root of its own in that folder, with the program and the system's libraries, read-only; the kernel lets it ask about no
 * process outside of its user namespace, though it sees their numbers. Mounts below what is shown are made read-only each by
 * itself: the option holds for the uppermost one alone. Given folders come first: the program may lie in one of them. What the
 * child is handed over for reading is shown once more, from a place that cannot be written to, see `holdReadOnly`; without that
 * it does not start.
 */
const withView = `set -e; bytes=$1; shift; ${layFolder}
mkdir -p usr proc dev tmp sys/devices/system/cpu ${ownFolder}
show() {
  mount --rbind -o "ro,nosuid,nodev$2" "$1" ".$1"
  while read -r _ _ _ _ under _; do
    case "$under" in *\\\\*) under=$(printf "$(printf %s "$under" | sed 's/%/%%/g')");; esac
    case "$under" in "$PWD$1"/*)
      mount -o "remount,bind,ro,nosuid,nodev$2" "$under" 2>/dev/null || mount -o remount,bind,ro,nosuid,nodev,noexec "$under";; esac
  done < /proc/self/mountinfo
}
links=; for at in bin lib lib64 lib32; do
  if [ -L "/$at" ]; then links="$links usr/$at"; elif [ -d "/$at" ]; then mkdir "$at"; show "/$at"; fi
done
[ -z "$links" ] || ln -s $links .
show /usr; show /sys/devices/system/cpu; mount --rbind /proc proc; ln -s /proc/self/fd dev/fd
while [ "$1" != -- ]; do mkdir -p ".$1"; show "$1" ,noexec; shift; done; shift
while [ "$1" != -- ]; do mkdir -p ".$1"; show "$1"; shift; done; shift
mkdir ${shownDescriptors.slice(1)}; for at in /proc/$$/fd/*; do
  fd=\${at##*/}; access=; [ "$fd" -gt 2 ] && [ -f "$at" ] || continue
  while read -r key flags; do case "$key$flags" in flags:*0) access=r;; esac; done < "/proc/$$/fdinfo/$fd"
  [ "$access" = r ] || continue
  : > ".${shownDescriptors}/$fd"
  mount --bind -o ro,nosuid,nodev,noexec "$at" ".${shownDescriptors}/$fd"
done
exec /usr/sbin/chroot . /bin/sh -c 'cd /${ownFolder} && exec "$@"' sh "$@"`;

const wrappers: readonly Wrapper[] = [
  {
    command: (bytes, shown) =>
      asRoot(withView, [String(bytes), ...shown, '--', ...programFolders(), '--']),
    gives: ['view', 'memory folder', 'network', 'privileges'],
  },
  {
    command: (bytes) => asRoot(withFolder, [String(bytes)]),
    gives: ['memory folder', 'network', 'privileges'],
  },
  {
    command: () => ['unshare', '--user', '--map-current-user', '--net', '--', ...confined, '--'],
    gives: ['network', 'privileges'],
  },
  {
    command: () => ['unshare', '--net', '--', ...confined, '--'],
    gives: ['network', 'privileges'],
  },
  { command: () => [...confined, '--'], gives: ['privileges'] },
];
const bare: Wrapper = { command: () => [], gives: [] };
const leastFolderBytes = 1024 * 1024;

/** What a child needs to read besides the system's libraries: this program, its packages and the Node binary. */
function programFolders(): string[] {
  const root = realpathSync(join(import.meta.dirname, '../..'));
  const wanted = [root, join(root, 'node_modules'), dirname(process.execPath)]
    .filter((path) => existsSync(path))
    .map((path) => realpathSync(path));
  return wanted.filter(
    (path, at) =>
      !path.startsWith('/usr/') &&
      !wanted.slice(0, at).some((above) => path === above || path.startsWith(`${above}/`)),
  );
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
  },
): ChildProcess {
  const { cwd, limits, stdio, nodeOptions = [], args: words = [], shows = [] } = options;
  const node = [
    process.execPath,
    '--no-warnings',
    '--disable-sigusr1',
    ...nodeOptions,
    script,
    ...words,
  ];
  const { command, args } = containedCommand(node, limits, shows);
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

/** Whether the system tells. */
export const watchesMemory = process.platform === 'linux' || process.platform === 'darwin';

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
  shows: readonly string[],
): { readonly command: string; readonly args: readonly string[] } {
  const [command = '', ...args] = program;
  if (process.platform === 'win32') return { command, args };
  // The soft limit ends a child by SIGXCPU, which tells why; the hard one is for a child that would not listen.
  const script = `ulimit -c 0; ulimit -d ${Math.ceil(dataBytes / 1024)} 2>/dev/null; ulimit -S -t ${processorSeconds}; ulimit -H -t ${processorSeconds + 5}; exec "$@"`;
  return {
    command: '/bin/sh',
    args: ['-c', script, 'sh', ...wrapper().command(folderBytes, shows), ...program],
  };
}

/** What the kernel does for the children of this system, besides the limits. */
export function protections(): readonly Protection[] {
  return wrapper().gives;
}

let found: Wrapper | undefined;

/** The strongest one in which this Node starts, tried once. */
function wrapper(): Wrapper {
  found ??= process.platform === 'linux' ? (wrappers.find(startsNode) ?? bare) : bare;
  return found;
}

function startsNode({ command }: Wrapper): boolean {
  // As for a child: a folder that is laid over hides what is in it, and the program may lie in the same place.
  const cwd = mkdtempSync(join(tmpdir(), 'strongroom-probe-'));
  try {
    const asked = [...command(leastFolderBytes, []), process.execPath, '--version'];
    const options = { stdio: 'ignore', env: childEnvironment, cwd } as const;
    return spawnSync('/bin/sh', ['-c', 'exec "$@"', 'sh', ...asked], options).status === 0;
  } finally {
    rmdirSync(cwd);
  }
}
