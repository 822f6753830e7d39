/**
 * Children that handle what may be hostile: the same Node binary in an empty folder with an environment of its own, wrapped in
 * what the system has. On Linux and macOS the shell's `ulimit`: private memory, processor time, no core dump. On Linux also, where the system allows it (util-linux, user namespaces): a network namespace with no network
 * in it, no new privileges, and death with the core. `doctor` says what this system gives.
 */
import { spawn, spawnSync, type ChildProcess, type StdioOptions } from 'node:child_process';

export interface ChildLimits {
  /** Private memory, bytes. */
  readonly dataBytes: number;
  readonly processorSeconds: number;
}

interface Wrapper {
  readonly command: readonly string[];
  readonly noNetwork: boolean;
}

const confined = ['setpriv', '--no-new-privs', '--pdeathsig', 'KILL', '--'];
const wrappers: readonly Wrapper[] = [
  {
    command: ['unshare', '--user', '--map-current-user', '--net', '--', ...confined],
    noNetwork: true,
  },
  { command: ['unshare', '--net', '--', ...confined], noNetwork: true },
  { command: confined, noNetwork: false },
];
const bare: Wrapper = { command: [], noNetwork: false };

/** A Node child that runs `script` under the limits, in the empty folder `cwd`. */
export function spawnContained(
  script: string,
  options: {
    readonly cwd: string;
    readonly limits: ChildLimits;
    readonly stdio: StdioOptions;
    readonly nodeOptions?: readonly string[];
  },
): ChildProcess {
  const { cwd, limits, stdio, nodeOptions = [] } = options;
  const node = [process.execPath, '--no-warnings', '--disable-sigusr1', ...nodeOptions, script];
  const { command, args } = containedCommand(node, limits);
  return spawn(command, args, { cwd, env: childEnvironment, stdio, windowsHide: true });
}

/** All that a child sees of the environment. Without the last one ONNX Runtime keeps a device id and reports to its maker. */
const childEnvironment: Readonly<Record<string, string>> = {
  LC_ALL: 'C.UTF-8',
  PATH: '/usr/bin:/bin',
  ORT_DISABLE_TELEMETRY: '1',
};

/** The command that runs `program` under the limits. */
function containedCommand(
  program: readonly string[],
  { dataBytes, processorSeconds }: ChildLimits,
): { readonly command: string; readonly args: readonly string[] } {
  const [command = '', ...args] = program;
  if (process.platform === 'win32') return { command, args };
  // The soft limit ends a child by SIGXCPU, which tells why; the hard one is for a child that would not listen.
  const script = `ulimit -c 0; ulimit -d ${Math.ceil(dataBytes / 1024)} 2>/dev/null; ulimit -S -t ${processorSeconds}; ulimit -H -t ${processorSeconds + 5}; exec "$@"`;
  return { command: '/bin/sh', args: ['-c', script, 'sh', ...wrapper().command, ...program] };
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
      ? (wrappers.find(
          ({ command: [name = '', ...args] }) =>
            spawnSync(name, [...args, 'true'], { stdio: 'ignore', env: childEnvironment })
              .status === 0,
        ) ?? bare)
      : bare;
  return found;
}
