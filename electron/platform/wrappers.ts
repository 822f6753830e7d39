/**
 * What the start of a contained child is wrapped in: programs of util-linux and a shell, by which the kernel takes away from it
 * what it does not need. The strongest one in which this Node starts is used.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, realpathSync, rmdirSync } from 'node:fs';
import { availableParallelism, release, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { shownDescriptors } from './read-only-files.ts';

/**
 * `view`: it sees its folder, the program and the system's libraries, and nothing of what the user has. `processes`: it sees,
 * signals and outlives no process but its own.
 */
export type Protection = 'processes' | 'view' | 'memory folder' | 'network' | 'privileges';

interface Wrapper {
  readonly command: (
    folder: { readonly path: string; readonly bytes: number },
    shown: readonly string[],
  ) => readonly string[];
  readonly gives: readonly Protection[];
}

export const memoryFolderMark = 'STRONGROOM_MEMORY_FOLDER';
/** Where a child with a root of its own works. */
const ownFolder = 'strongroom-child';
/** Next to nothing. */
export const leastFolderBytes = 1024 * 1024;

/**
 * All that a child sees of the environment. Without `ORT_DISABLE_TELEMETRY` ONNX Runtime keeps a device id and reports to its
 * maker; without the last one it refuses models of an operator set that was not yet released when it was built.
 */
export const childEnvironment: Readonly<Record<string, string>> = {
  LC_ALL: 'C.UTF-8',
  PATH: '/usr/bin:/bin',
  ORT_DISABLE_TELEMETRY: '1',
  ALLOW_RELEASED_ONNX_OPSET_ONLY: '0',
};

const confined = ['setpriv', '--no-new-privs', '--pdeathsig', 'KILL', '--'];
/**
 * Root of its own namespaces for as long as `script` lays it a folder, then without any capability. In a PID namespace the first
 * process is the shell of `script`, which keeps its capabilities: so the child cannot look into it.
 */
const asRoot = (
  script: string,
  words: readonly string[],
  options: readonly string[],
): readonly string[] => [
  ...confined,
  ...'unshare --user --map-root-user --net --ipc --uts --mount --wd'.split(' '),
  ...options,
  ...'-- /bin/sh -c'.split(' '),
  script,
  'sh',
  ...words,
  ...'setpriv --bounding-set -all --inh-caps -all --'.split(' '),
];
// In large pages, where the kernel has them for such a folder: small ones make a file of weights take several times as long.
const layFolder = `folder() { mount -t tmpfs -o "mode=0700,nr_inodes=4096,size=$bytes$1" strongroom "$PWD"; }
{ folder ,huge=within_size 2>/dev/null || folder; } && cd "$PWD" && export ${memoryFolderMark}=1
{ echo 0 > /proc/sys/user/max_user_namespaces; } 2>/dev/null || :`;
const withFolder = `set -e; bytes=$1; shift; ${layFolder}; exec "$@"`;
/**
 * The kernel counts the threads of each user namespace for themselves from 5.14 on; before, all that its user runs would count.
 * Root's are never counted.
 */
const limitThreads = /^([0-4]|5\.(\d|1[0-3])\b)/.test(release())
  ? ''
  : `{ ulimit -u "$threads" || ulimit -p "$threads"; } 2>/dev/null || :`;
/** Node, the runtime and what reads tables and images, with room. */
const mostThreads = 64 + 4 * availableParallelism();
/**
 * A root of its own in that folder, with the program and the system's libraries, read-only. Where it has no PID namespace and
 * so no /proc of its own, the kernel lets it ask about no process outside of its user namespace, though it sees their numbers
 * and commands. Mounts below what is shown are made read-only each by itself: the option holds for the uppermost one alone.
 * Given folders come first: the program may lie in one of them. What the child is handed over for reading is shown once more,
 * from a place that cannot be written to, see `holdReadOnly`; without that it does not start. Nothing else stays mounted in its
 * namespace: a medium would stay busy there after its user has unmounted it. The first process of a PID namespace waits: the
 * kernel would keep signals from a child that were the first, its own abort too.
 */
const withView = `set -e; bytes=$1 threads=$2; shift 2; ${layFolder}
mkdir -p usr proc dev tmp sys/devices/system/cpu ${ownFolder} ${shownDescriptors.slice(1)}
mounts=$(cat /proc/self/mountinfo)
show() {
  mount --rbind -o "ro,nosuid,nodev$2" "$1" ".$1"
  # The shell reads that list byte by byte: only where something is mounted below, or the name would be written otherwise in it.
  case "$1" in *[!A-Za-z0-9/._-]*) ;; *) case "$mounts" in *" $1/"*) ;; *) return;; esac;; esac
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
show /usr; show /sys/devices/system/cpu; ln -s /proc/self/fd dev/fd
if [ $$ = 1 ]; then mount -t proc -o ro,nosuid,nodev,noexec proc proc; run='"$@"; exit $?'; else show /proc ,noexec; run='exec "$@"'; fi
while [ "$1" != -- ]; do mkdir -p ".$1"; show "$1" ,noexec; shift; done; shift
while [ "$1" != -- ]; do mkdir -p ".$1"; show "$1"; shift; done; shift
for at in proc/$$/fd/*; do
  fd=\${at##*/}; access=; [ "$fd" -gt 2 ] && [ -f "$at" ] || continue
  while read -r key flags; do case "$key$flags" in flags:*0) access=r;; esac; done < "proc/$$/fdinfo/$fd"
  [ "$access" = r ] || continue
  : > ".${shownDescriptors}/$fd"
  mount --bind -o ro,nosuid,nodev,noexec "$at" ".${shownDescriptors}/$fd"
done
${limitThreads}
mkdir left; PATH=$PATH:/usr/sbin:/sbin
if pivot_root . left 2>/dev/null; then cd /; umount -l /left; enter=; else enter='chroot .'; fi
rmdir left; exec $enter /bin/sh -c "cd /${ownFolder} && $run" sh "$@"`;

const viewOf =
  (...options: readonly string[]): Wrapper['command'] =>
  ({ path, bytes }, shown) =>
    asRoot(
      withView,
      [String(bytes), String(mostThreads), ...shown, '--', ...programFolders(), '--'],
      [path, ...options],
    );

const wrappers: readonly Wrapper[] = [
  {
    command: viewOf('--pid', '--fork', '--kill-child'),
    gives: ['processes', 'view', 'memory folder', 'network', 'privileges'],
  },
  { command: viewOf(), gives: ['view', 'memory folder', 'network', 'privileges'] },
  {
    command: ({ path, bytes }) =>
      asRoot(withFolder, [String(bytes)], [path, '--propagation', 'slave']),
    gives: ['memory folder', 'network', 'privileges'],
  },
  {
    command: () => ['unshare', '--user', '--map-current-user', '--net', '--', ...confined],
    gives: ['network', 'privileges'],
  },
  { command: () => ['unshare', '--net', '--', ...confined], gives: ['network', 'privileges'] },
  { command: () => confined, gives: ['privileges'] },
];
const bare: Wrapper = { command: () => [], gives: [] };

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

let found: Wrapper | undefined;

/** The strongest one in which this Node starts, tried once. */
export function wrapper(): Wrapper {
  found ??= process.platform === 'linux' ? (wrappers.find(startsNode) ?? bare) : bare;
  return found;
}

/** Where it is started: who lays its folder enters that by itself, and must not be in another that is left. */
export function startFolder({ gives }: Pick<Wrapper, 'gives'>, path: string): string {
  return gives.includes('memory folder') ? '/' : path;
}

function startsNode({ command, gives }: Wrapper): boolean {
  // Without that list the first process in a PID namespace is not found from outside, see `process-tree.ts`.
  if (gives.includes('processes') && !existsSync('/proc/thread-self/children')) return false;
  // As for a child: a folder that is laid over hides what is in it, and the program may lie in the same place.
  const cwd = mkdtempSync(join(tmpdir(), 'strongroom-probe-'));
  try {
    const folder = { path: cwd, bytes: leastFolderBytes };
    const asked = [...command(folder, []), process.execPath, '--version'];
    const options = {
      stdio: 'ignore',
      env: childEnvironment,
      cwd: startFolder({ gives }, cwd),
    } as const;
    return spawnSync('/bin/sh', ['-c', 'exec "$@"', 'sh', ...asked], options).status === 0;
  } finally {
    rmdirSync(cwd);
  }
}
