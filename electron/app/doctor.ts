/** Checks of the installation that a person can run and a security officer can read. */
import { createRequire } from 'node:module';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Check } from '#domain/audit/index.ts';
import { protections } from '#platform/containment.ts';
import { watchesMemory } from '#platform/process-tree.ts';

const require = createRequire(import.meta.url);

/** `servingPort`: while models are served. */
export function checkInstallation(servingPort: number | undefined): Check[] {
  return [
    attempt('node', () => {
      const major = Number(process.versions.node.split('.')[0]);
      if (major < 24)
        throw new Error(`Node ${process.versions.node} runs; the program is made for 24.`);
      return `Node ${process.versions.node}, OpenSSL ${process.versions.openssl}`;
    }),
    attempt(
      'databases',
      () =>
        `better-sqlite3-multiple-ciphers ${versionOf('better-sqlite3-multiple-ciphers')}, SQLCipher pages`,
    ),
    attempt('passwords', () => `@node-rs/argon2 ${versionOf('@node-rs/argon2')}`),
    attempt(
      'runtime',
      () =>
        `onnxruntime-node ${versionOf('onnxruntime-node')}, first contact in onnxruntime-web ${versionOf('onnxruntime-web')}`,
    ),
    attempt('isolation', describeIsolation),
    attempt('limits', describeLimits),
    attempt('offline', () => {
      const sockets = networkSockets();
      if (sockets === undefined) return 'Cannot be told on this system.';
      const isServed = (address: string): boolean => address === `127.0.0.1:${servingPort}`;
      const others = sockets.filter((address) => !isServed(address)).length;
      if (others > 0) throw new Error(`The core has ${others} network sockets open.`);
      return servingPort === undefined
        ? 'The core has no network socket open.'
        : `The core has no network socket open but for serving, on 127.0.0.1:${servingPort}.`;
    }),
    {
      name: 'serving',
      ok: true,
      detail:
        servingPort === undefined
          ? 'No port is open: models are not served to other programs.'
          : `Models are served to programs of this computer on 127.0.0.1:${servingPort}.`,
    },
  ];
}

/** What the kernel does for the processes of models, and what it does not. */
function describeIsolation(): string {
  const given = new Set(protections());
  const walls = [
    { by: 'network', from: 'the network', where: 'the network' },
    { by: 'view', from: 'the files of this system', where: 'the files of this user' },
    { by: 'processes', from: 'other processes', where: 'other processes of this user' },
  ] as const;
  const cut = walls.filter(({ by }) => given.has(by)).map(({ from }) => from);
  const open = walls.filter(({ by }) => !given.has(by)).map(({ where }) => where);
  return [
    cut.length > 0
      ? `Models run in processes that are cut off from ${inWords(cut, 'and')}.`
      : 'Models run in processes of their own.',
    ...(given.has('privileges') ? ['They cannot gain privileges.'] : []),
    ...(given.has('memory folder') ? ['Their weights lie in memory only.'] : []),
    ...(open.length > 0
      ? [`This system does not let them be cut off from ${inWords(open, 'or')}.`]
      : []),
  ].join(' ');
}

function inWords(parts: readonly string[], word: 'and' | 'or'): string {
  return [parts.slice(0, -1).join(', '), parts.at(-1)].filter(Boolean).join(` ${word} `);
}

function describeLimits(): string {
  const kernel = process.platform === 'win32' ? '' : 'memory and processor time by the system, ';
  return `Models are limited in ${kernel}time on the clock and threads by the program${watchesMemory ? ', which watches their memory in use as well.' : '; this system does not tell it their memory in use.'}`;
}

/** Which hosts hear of a locked screen; the others have the idle time alone. */
export function describeScreenLock(host: 'electron' | 'chromium' | 'cli'): Check {
  const isTold = host === 'electron' && process.platform !== 'linux';
  return {
    name: 'screen lock',
    ok: true,
    detail: isTold
      ? 'The vault seals itself when the screen is locked.'
      : 'This host is not told when the screen is locked; the vault seals itself when it is idle.',
  };
}

function attempt(name: string, look: () => string): Check {
  try {
    return { name, ok: true, detail: look() };
  } catch (error) {
    return { name, ok: false, detail: error instanceof Error ? error.message : 'Failed.' };
  }
}

export function versionOf(packageName: string): string {
  let folder = dirname(require.resolve(packageName));
  for (;;) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
        name?: string;
        version?: string;
      };
      if (name === packageName && version !== undefined) return version;
    } catch {
      // No package file here: one folder up.
    }
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`${packageName} is not installed.`);
    folder = parent;
  }
}

/** Own addresses of the network sockets of this process; undefined where `/proc` is not there to tell. */
function networkSockets(): string[] | undefined {
  try {
    const own = new Set(
      readdirSync('/proc/self/fd').flatMap(
        (fd) => /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/self/fd/${fd}`))?.[1] ?? [],
      ),
    );
    return ['tcp', 'tcp6', 'udp', 'udp6', 'raw', 'raw6'].flatMap((name) =>
      readFileSync(`/proc/self/net/${name}`, 'utf8')
        .split('\n')
        .slice(1)
        .map((line) => line.trim().split(/\s+/))
        .filter((fields) => own.has(fields[9] ?? ''))
        .map((fields) => (name === 'tcp' ? ipv4Text(fields[1] ?? '') : `${name} ${fields[1]}`)),
    );
  } catch {
    return undefined;
  }
}

/** `0100007F:1F40`, as the kernel of a little-endian machine writes it, is 127.0.0.1:8000. */
function ipv4Text(hex: string): string {
  const [address = '', port = ''] = hex.split(':');
  return `${[...Buffer.from(address, 'hex')].toReversed().join('.')}:${Number.parseInt(port, 16)}`;
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // the descriptor of the listing itself is closed by now
  }
}
